"""What Postgres may do to a transaction: its message comes later, and what it says is done once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import pytest

from chassis.coalesce import Coalescer, Outage
from chassis.verdicts import Hopeless, TryLater
from job_store.handlers import PATIENCE, loud
from job_store.store.creation import Created, Creation
from store_hands import (
    PRICE,
    QUICK,
    assert_charged_and_shown_once,
    hands_of,
    heard,
    paid_and_running,
    robbed,
    second_store,
)
from store_kit import Store, callback, create
from testkit.links import CommitReplies

pytestmark = pytest.mark.postgres

LOCK = "SELECT FROM jobs WHERE id = $1 FOR UPDATE"


@contextmanager
def postponed() -> Iterator[None]:
    """The bus is told to bring the message again, and nobody writes it off."""
    with pytest.raises(TryLater, match=r"^database: "):
        yield


@asynccontextmanager
async def held(store: Store, job_id: UUID) -> AsyncIterator[None]:
    """Somebody else works on the job and does not end."""
    async with store.database.transaction() as other:
        await other.execute(LOCK, job_id)
        yield


async def waiting(store: Store) -> int:
    """Wait until a backend of the second store waits for a lock; returns its process id."""
    async with asyncio.timeout(10):
        while True:
            pid: int | None = await store.value(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'second'"
                " AND wait_event_type = 'Lock' AND datname = current_database()"
            )
            if pid is not None:
                return pid


async def broken_on_insert(store: Store, table: str, how: str, when: str = "true") -> None:
    """Let every insert into a table raise, or sleep, until `mended`."""
    await store.run(
        f"CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {how} END $$;"
        f"CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when})"
        " EXECUTE FUNCTION broken()"
    )


async def mended(store: Store) -> None:
    await store.run("DROP FUNCTION broken CASCADE")


async def test_fault_27_after_a_lost_commit_reply_the_report_comes_again_and_changes_nothing(
    store: Store, database_url: str
):
    job_id, robber = await paid_and_running(store), CommitReplies()
    message = heard(callback(job_id))
    async with robbed(database_url, robber) as url, second_store(url) as second:
        robber.steal()

        with postponed():
            await hands_of(second).on_report_received(message)

        version = (await store.job(job_id)).version
        await hands_of(second).on_report_received(message)
        assert (await store.job(job_id)).version == version
    assert robber.stolen == 1
    await assert_charged_and_shown_once(store, job_id)


async def test_fault_28_a_connection_cut_in_the_middle_of_a_query(store: Store, database_url: str):
    job_id = await paid_and_running(store)
    message = heard(callback(job_id))
    async with second_store(database_url) as second:
        hands = hands_of(second)
        async with held(store, job_id):
            applying = asyncio.create_task(hands.on_report_received(message))
            pid = await waiting(store)
            await store.run("SELECT pg_terminate_backend($1)", pid)
            with postponed():
                await applying

        await hands.on_report_received(message)
    await assert_charged_and_shown_once(store, job_id)


async def test_fault_29_the_victim_of_a_deadlock_comes_again(store: Store, database_url: str):
    """The other one holds the job and wants the task; ours holds the task and wants the job."""
    job_id = await paid_and_running(store)
    message = heard(callback(job_id))
    async with second_store(database_url) as second:
        hands = hands_of(second)
        async with store.owner() as other, other.transaction():
            await other.execute("SET LOCAL deadlock_timeout = '1 min'")  # so ours is the victim
            await other.execute(LOCK, job_id)
            applying = asyncio.create_task(hands.on_report_received(message))
            await waiting(store)
            await other.execute("SELECT FROM tasks FOR UPDATE")
            with pytest.raises(TryLater, match="DeadlockDetectedError"):
                await applying

        await hands.on_report_received(message)
    await assert_charged_and_shown_once(store, job_id)


async def test_fault_30_with_every_connection_taken_work_waits_and_nothing_is_lost(
    store: Store, database_url: str
):
    job_id = await paid_and_running(store)
    message, request = heard(callback(job_id)), create()
    async with second_store(database_url, size=2, limits=QUICK) as second:
        hands = hands_of(second)
        creating = Coalescer(loud(second.creations.create), max_batch=10)
        async with second.database.connection(), second.database.connection():
            with postponed():
                await hands.on_report_received(message)
            with pytest.raises(Outage):
                await creating(Creation("shop", request))

        await hands.on_report_received(message)
        answer = await creating(Creation("shop", request))
    assert isinstance(answer, Created)
    assert answer.is_new
    await assert_charged_and_shown_once(store, job_id)


async def test_fault_31_a_lock_that_is_not_given_in_time(store: Store, database_url: str):
    job_id = await paid_and_running(store)
    message = heard(callback(job_id))
    async with second_store(database_url, limits=QUICK) as second:
        hands = hands_of(second)
        async with held(store, job_id):
            with pytest.raises(TryLater, match="LockNotAvailableError"):
                await hands.on_report_received(message)

        await hands.on_report_received(message)
    await assert_charged_and_shown_once(store, job_id)


@pytest.mark.parametrize("table", ["reports", "ledger", "outbox"])
async def test_fault_31_a_statement_that_takes_too_long(
    store: Store, database_url: str, table: str
):
    job_id = await paid_and_running(store)
    message = heard(callback(job_id))
    async with second_store(database_url, limits=QUICK) as second:
        hands = hands_of(second)
        await broken_on_insert(store, table, "PERFORM pg_sleep(60); RETURN NEW;")
        with pytest.raises(TryLater, match="QueryCanceledError"):
            await hands.on_report_received(message)
        await mended(store)

        await hands.on_report_received(message)
    await assert_charged_and_shown_once(store, job_id)


@pytest.mark.parametrize("table", ["reports", "parts", "ledger", "events", "outbox"])
async def test_fault_32_a_table_that_finds_no_room_on_the_disk(store: Store, table: str):
    """What a full disk says to who extends a table; a full log ends the server, as fault 28 does."""
    job_id = await paid_and_running(store)
    message, hands = heard(callback(job_id)), hands_of(store)
    await broken_on_insert(
        store, table, "RAISE 'could not extend file: No space left' USING ERRCODE = 'disk_full';"
    )

    for _ in range(PATIENCE + 1):  # for longer than a poison message is put up with
        with pytest.raises(TryLater, match="DiskFullError"):
            await hands.on_report_received(message)
    await mended(store)

    await hands.on_report_received(message)
    await assert_charged_and_shown_once(store, job_id)


async def test_fault_33_a_readable_message_that_always_raises_is_set_aside_alone(store: Store):
    await store.topup(2 * PRICE)
    jobs = [await store.running(create(price=price)) for price in (PRICE, 0, 0)]
    reports = [callback(job_id) for job_id in jobs]
    hands = hands_of(store)
    poison = reports[1]
    await broken_on_insert(store, "reports", "RAISE 'a bug';", f"NEW.id = '{poison.id}'")

    await asyncio.gather(
        *(hands.on_report_received(heard(report)) for report in reports), return_exceptions=True
    )
    states = [(await store.job(job_id)).state for job_id in jobs]
    with pytest.raises(Hopeless, match="a bug") as given_up:
        await hands.on_report_received(heard(poison, times=PATIENCE))
    await hands.dead_letters_of("job-store-reports")(heard(poison), str(given_up.value))
    await mended(store)

    assert states == ["succeeded", "running", "succeeded"]
    assert await store.value("SELECT payload FROM dead_letters") == poison.wire()
    await hands.on_report_received(heard(poison))  # `sendonce dead replay`, once the bug is mended
    assert (await store.job(jobs[1])).state == "succeeded"


async def test_fault_33_a_poison_message_is_not_given_up_while_postgres_is_away(
    store: Store, database_url: str
):
    job_id = await paid_and_running(store)
    async with second_store(database_url, size=1, limits=QUICK) as second:
        async with second.database.connection():
            with postponed():
                message = heard(callback(job_id), times=PATIENCE + 100)
                await hands_of(second).on_report_received(message)
        await hands_of(second).on_report_received(message)
    await assert_charged_and_shown_once(store, job_id)
