"""A store that dies after any statement of a transaction leaves all of it or nothing, and is not asked twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest

from contracts.deliveries import Shown
from contracts.values import JobState, MoneyState
from job_store.store.creation import Creation
from store_hands import PRICE, paid_and_running, relayed, robbed, second_store
from store_kit import Store, callback, create, delivery_outcome
from testkit.links import Replies

pytestmark = pytest.mark.postgres

_messages = count(10_000, 100)
FEWEST = 6  # statements of the shortest verb; fewer would mean that nothing was stolen

Act = Callable[[Store], Awaitable[object]]
Check = Callable[[Store], Awaitable[None]]
Verb = Callable[[Store], Awaitable[tuple[Act, Check]]]


async def asking_for_a_job(store: Store) -> tuple[Act, Check]:
    await store.topup(PRICE)
    request = create(price=PRICE)
    balance, held = await store.wallet()

    async def once(kit: Store) -> None:
        (job,) = await kit.fetch("SELECT id FROM jobs WHERE key = $1", request.key)
        assert await kit.wallet() == (balance - PRICE, held + PRICE)
        assert await kit.value("SELECT count(*) FROM effects WHERE job_id = $1", job["id"]) == 1
        assert await kit.value("SELECT count(*) FROM events WHERE job_id = $1", job["id"]) == 1

    return lambda kit: kit.creations.create([Creation("shop", request)]), once


async def claiming(store: Store) -> tuple[Act, Check]:
    job_id = await store.made(create())

    async def once(kit: Store) -> None:
        rows = await kit.fetch("SELECT msg_id FROM outbox WHERE subject = 'submissions.requested'")
        attempts = await kit.fetch("SELECT id FROM attempts WHERE job_id = $1", job_id)
        assert len(attempts) == 1
        assert [row for row in rows if str(attempts[0]["id"]) in row["msg_id"]]
        assert (await kit.job(job_id)).state is JobState.SUBMITTING

    return lambda kit: kit.effects.claim_due(10), once


async def applying_a_report(store: Store) -> tuple[Act, Check]:
    job_id = await paid_and_running(store)
    report = callback(job_id)

    async def once(kit: Store) -> None:
        job = await kit.job(job_id)
        assert (job.state, job.money) == (JobState.SUCCEEDED, MoneyState.CAPTURED)
        assert await kit.value("SELECT count(*) FROM parts WHERE job_id = $1", job_id) == 1
        await relayed(kit)
        assert await kit.show_all(first_message=next(_messages)) == 1

    return lambda kit: kit.inbox.apply_reports([report]), once


async def settling_a_delivery(store: Store) -> tuple[Act, Check]:
    job_id, message_id = await store.succeeded(), next(_messages)
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, message_id)
    outcome = delivery_outcome(ask, Shown(message_id=message_id))

    async def once(kit: Store) -> None:
        assert (await kit.job(job_id)).state is JobState.DELIVERED
        assert await kit.value("SELECT showings FROM parts WHERE job_id = $1", job_id) == 1
        told = "SELECT count(*) FROM events WHERE job_id = $1 AND event = 'delivered'"
        assert await kit.value(told, job_id) == 1

    return lambda kit: kit.effects.apply_deliveries([outcome]), once


async def nobody_else(store: Store) -> None:
    """Wait until Postgres has noticed that its client is dead and let go of its locks."""
    async with asyncio.timeout(10):
        while await store.value(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'second' AND datname = current_database()"
        ):
            pass


async def deaths(store: Store, url: str, verb: Verb) -> AsyncIterator[int]:
    """Die after the first statement of a verb, the second and so on; ask again after each."""
    for number in count():
        act, once = await verb(store)
        robber = Replies()
        async with robbed(url, robber) as robbed_url, second_store(robbed_url, size=1) as second:
            await second.database.ping()
            robber.steal_after(number)
            (answer,) = await asyncio.gather(act(second), return_exceptions=True)
            assert robber.stolen or not isinstance(answer, Exception), answer
        await nobody_else(store)
        await act(store)
        await once(store)
        if not robber.stolen:
            return
        yield number


@pytest.mark.parametrize(
    "verb", [asking_for_a_job, claiming, applying_a_report, settling_a_delivery]
)
async def test_fault_26_killed_between_any_two_statements(
    store: Store, database_url: str, verb: Verb
):
    places = [number async for number in deaths(store, database_url, verb)]

    assert len(places) >= FEWEST
