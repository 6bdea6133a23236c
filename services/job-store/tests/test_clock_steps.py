"""Postgres' clock jumps by an hour: all that was written moves the other way, as seen from now."""

from datetime import timedelta

import pytest

from contracts.deliveries import Shown
from contracts.effects import Go
from contracts.values import JobState, MoneyState, PartState
from store_hands import PRICE, assert_charged_and_shown_once, paid_and_running
from store_kit import Store, callback, create, sent

HOUR = timedelta(hours=1)
FORWARD, BACK = HOUR, -HOUR
MOMENTS = {
    "effects": ("due_at", "claimed_at", "lease_until"),
    "jobs": ("expires_at", "status_at", "status_unclear_until", "progress_at", "created_at"),
    "parts": ("made_at",),
    "pacing": ("tat", "tail", "parked_until"),
    "outbox": ("leased_until", "at"),
    "orphans": ("seen_at",),
}


async def jump(store: Store, by: timedelta) -> None:
    """What a clock that is set forward makes of rows: they are older than they were."""
    for table, columns in MOMENTS.items():
        moved = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
        await store.run(f"UPDATE {table} SET {moved}", by)


async def tick(store: Store) -> int:
    """One round of every clock of job-store; returns how many messages it made."""
    before = len(store.offered)
    await store.effects.end_leases(100)
    await store.effects.expire_jobs(100)
    await store.effects.claim_due(100)
    return len(store.offered) - before


@pytest.mark.parametrize("by", [FORWARD, BACK], ids=["forward", "back"])
async def test_fault_52_a_result_on_its_way_is_shown_once(store: Store, by: timedelta):
    """Forward its lease is over at once and another worker begins; what the first one did is heard."""
    job_id = await paid_and_running(store)
    await store.report(callback(job_id))
    (ask,) = await store.deliveries("show")
    assert isinstance(await store.carried(ask.attempt.id, 100), Go)

    await jump(store, by)
    await tick(store)
    again = await store.deliveries("show")
    assert len(again) == (by is FORWARD)
    for one in (*again, ask):
        await store.delivered(one, Shown(message_id=100))

    assert await store.value("SELECT showings FROM parts") == 1
    assert await store.value("SELECT state FROM parts") == PartState.SHOWN
    assert (await store.job(job_id)).state is JobState.DELIVERED
    assert await store.wallet() == (0, 0)


async def test_fault_52_forward_what_may_have_been_sent_is_never_sent_again(store: Store):
    job_id = await store.running(create(mode="send"))
    await store.report(callback(job_id))
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)

    await jump(store, FORWARD)
    await tick(store)
    assert await store.deliveries("send") == []
    await store.delivered(ask, sent(ask, 500), holder=ask.attempt.id)

    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_fault_52_forward_an_expired_job_whose_result_comes_is_a_gift(store: Store):
    job_id = await paid_and_running(store)
    await store.run("UPDATE jobs SET expires_at = now() + interval '30 min'")

    await jump(store, FORWARD)
    await tick(store)
    assert (await store.job(job_id)).state is JobState.EXPIRED
    assert await store.wallet() == (PRICE, 0)
    await jump(store, BACK)
    await store.report(callback(job_id))
    await store.show_all()

    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.WAIVED)
    assert await store.wallet() == (PRICE, 0)


async def test_fault_52_back_what_was_due_waits_for_the_hour_and_then_goes(store: Store):
    job_id = await store.made(create())

    await jump(store, BACK)
    assert await tick(store) == 0
    await jump(store, FORWARD)  # the hour has passed
    assert await tick(store) == 1

    assert (await store.job(job_id)).state is JobState.SUBMITTING


async def test_fault_52_back_what_is_new_does_not_wait_for_the_hour(store: Store):
    """In a chat and for a bot to which something was shown a moment ago."""
    await store.topup(PRICE)
    jobs = [await store.running(create(price=price)) for price in (0, PRICE)]
    await store.report(callback(jobs[0]))

    await jump(store, BACK)
    await store.report(callback(jobs[1]))

    wait = await store.value(
        "SELECT due_at - now() FROM effects WHERE job_id = $1 AND kind = 'show'", jobs[1]
    )
    assert wait < timedelta(seconds=10)
    await assert_charged_and_shown_once(store, jobs[1])
