"""Rows of Postgres on their way to a real bus: none skipped, none stored twice, whoever relays them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from nats.js import JetStreamContext

from chassis import bus, lifecycle
from chassis.outbox import OutboxRelay
from contracts import streams
from contracts.api import Changes
from job_store.migrate import migrate_bus
from job_store.store.outbox import Outbox
from store_hands import link_to, second_store, through
from store_kit import LATER, Store, create
from testkit.links import State

pytestmark = pytest.mark.postgres

ROWS = 300
SOON = 20.0  # seconds a fact may take to become true
INSERT = (
    "INSERT INTO outbox (subject, msg_id, payload, leased_until)"
    " SELECT 'jobs.created.shop', 'event-' || n, n::text::bytea, now() - interval '1 s'"
    " FROM generate_series($1::int, $2::int) n"
)
SLOW = 99  # the chat whose news is written and not committed while the gate is closed
GATE = f"""
CREATE FUNCTION at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    RETURN NULL;
END $$;
CREATE TRIGGER gate AFTER INSERT ON events FOR EACH ROW
    WHEN (NEW.message ->> 'chat_id' = '{SLOW}') EXECUTE FUNCTION at_the_gate()"""
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
async def js(nats_url: str) -> AsyncIterator[JetStreamContext]:
    await migrate_bus(nats_url)
    async with bus.connected(nats_url, name="tests") as broker:
        yield broker.connection.jetstream()


@asynccontextmanager
async def relaying(store: Store, nats_url: str, *, claim: int = 50) -> AsyncIterator[None]:
    """A replica's relay on a connection of its own."""
    service = lifecycle.Running("relay")
    async with bus.connected(nats_url, name="relay") as broker:
        publisher = bus.Publisher(
            broker.connection, stream_of=streams.stream_of, timeout=timedelta(seconds=1)
        )
        every = timedelta(milliseconds=20)
        await service.start(OutboxRelay(Outbox(store.database), publisher, poll=every, claim=claim))
        try:
            yield
        finally:
            await service.stop()


async def left(store: Store) -> int:
    found: int = await store.value("SELECT count(*) FROM outbox")
    return found


async def until_left(store: Store, count: int) -> None:
    async with asyncio.timeout(SOON):
        while await left(store) != count:
            pass


async def stored(js: JetStreamContext) -> list[bytes]:
    """Everything in the stream, in order."""
    state = (await js.stream_info(streams.JOBS)).state
    found = [await js.get_msg(streams.JOBS, seq=seq) for seq in range(1, state.last_seq + 1)]
    return [message.data or b"" for message in found]


async def until_stored(js: JetStreamContext, count: int) -> None:
    async with asyncio.timeout(SOON):
        while len(await stored(js)) < count:
            pass


async def test_fault_38_two_relays_store_every_row_once(
    store: Store, js: JetStreamContext, nats_url: str
):
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(relaying(store, nats_url))
        await store.run(INSERT, 1, ROWS)
        await until_left(store, 0)

    assert sorted(map(int, await stored(js))) == list(range(1, ROWS + 1))


async def test_fault_37_a_relay_that_dies_between_publish_and_delete_stores_nothing_twice(
    store: Store, js: JetStreamContext, nats_url: str, database_url: str
):
    """All is stored when its way to Postgres breaks; then the PubAcks come, and it can delete nothing."""
    async with (
        link_to(nats_url) as to_nats,
        link_to(database_url) as to_postgres,
        second_store(through(to_postgres, database_url)) as second,
        relaying(second, through(to_nats, nats_url)),
    ):
        to_nats.set(State.DEAF)
        await store.run(INSERT, 1, 20)
        await until_stored(js, 20)
        to_postgres.set(State.SHUT)
        to_postgres.cut()
        to_nats.set(State.OPEN)
    assert await left(store) == 20

    await store.run("UPDATE outbox SET leased_until = now()")
    async with relaying(store, nats_url):
        await until_left(store, 0)

    assert sorted(map(int, await stored(js))) == list(range(1, 21))


async def test_fault_40_a_batch_with_ids_that_are_stored_already_stores_the_others(
    store: Store, js: JetStreamContext, nats_url: str
):
    """Three of fifty were stored before a crash: the server refuses the batch, each goes alone."""
    for number in (1, 25, 50):
        headers = {"Nats-Msg-Id": f"event-{number}"}
        await js.publish("jobs.created.shop", str(number).encode(), headers=headers)
    await store.run(INSERT, 1, 50)

    async with relaying(store, nats_url):
        await until_left(store, 0)

    assert sorted(map(int, await stored(js))) == list(range(1, 51))


async def test_fault_39_a_slow_transaction_with_a_lower_id_is_not_skipped(
    store: Store, js: JetStreamContext, nats_url: str
):
    async with relaying(store, nats_url), store.database.connection() as slow:
        async with slow.transaction():
            await slow.execute(INSERT, 1, 3)
            await store.run(INSERT, 4, 6)
            await until_left(store, 0)
            assert sorted(map(int, await stored(js))) == [4, 5, 6]
        await until_stored(js, 6)
        await until_left(store, 0)

    assert sorted(map(int, await stored(js))) == list(range(1, 7))


async def test_fault_39_a_reader_of_changes_misses_no_slow_transaction(store: Store):
    """Who writes news of a bot waits for who wrote before: no cursor passes what is still to come."""
    await store.run(GATE)
    slow, quick = create(chat_id=SLOW), create()
    async with store.database.transaction() as gate:
        await gate.execute("SELECT pg_advisory_xact_lock(1)")
        writing = [asyncio.create_task(store.made(slow))]
        await until_waiting(store, 1)
        writing.append(asyncio.create_task(store.made(quick)))
        await until_waiting(store, 2)
        nothing = await store.requests.changes("shop", Changes(after=0, limit=9, not_after=LATER))
    made = await asyncio.gather(*writing)

    first = await store.requests.changes("shop", Changes(after=0, limit=1, not_after=LATER))
    rest = await store.requests.changes("shop", Changes(after=first.next, limit=9, not_after=LATER))
    assert nothing.events == ()
    assert [event.job_id for event in (*first.events, *rest.events)] == made


async def until_waiting(store: Store, count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    async with asyncio.timeout(SOON):
        while await store.value(WAITING) != count:
            pass
