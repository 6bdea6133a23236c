"""Facts that contradict each other or meet at one job: one of them wins, the money moves once."""

import asyncio
from datetime import timedelta
from itertools import count, permutations
from uuid import UUID

import pytest

from contracts.api import OneJob
from contracts.deliveries import RefusalCode, Shown
from contracts.outcomes import Refused
from contracts.polls import PollRequested
from contracts.refusals import Refusal, RefusalName
from contracts.reports import ReportState
from contracts.values import JobState, MoneyState
from job_store.store.creation import Creation
from store_hands import PRICE, assert_charged_and_shown_once, paid_and_running
from store_kit import LATER, Store, callback, create, images, polled

ROUNDS = 8  # of a race
ORDERS = tuple(permutations((ReportState.SUCCEEDED, ReportState.PROGRESS, ReportState.FAILED)))
_messages = count(20_000)


async def settlements(store: Store, job_id: UUID) -> list[str]:
    """What became of a job's money, in order."""
    rows = await store.fetch("SELECT kind FROM ledger WHERE job_id = $1 ORDER BY id", job_id)
    return [row["kind"] for row in rows]


@pytest.mark.parametrize("order", ORDERS)
async def test_fault_08_of_reports_in_any_order_the_first_end_stands(
    store: Store, order: tuple[ReportState, ...]
):
    job_id = await paid_and_running(store)

    for state in order:
        await store.report(callback(job_id, state=state))
    await store.show_all()

    job = await store.job(job_id)
    is_success = order.index(ReportState.SUCCEEDED) < order.index(ReportState.FAILED)
    assert job.state is (JobState.DELIVERED if is_success else JobState.FAILED)
    assert await settlements(store, job_id) == ["hold", "capture" if is_success else "release"]
    assert await store.wallet() == (0 if is_success else PRICE, 0)


async def test_fault_10_of_two_successes_with_other_results_the_first_is_shown(store: Store):
    job_id = await paid_and_running(store)
    one, two = (callback(job_id, media=images(1)) for _ in range(2))

    await store.report(one)
    await store.report(two)

    (part,) = (await store.job(job_id)).parts
    assert part.url == one.reading.media[0].url
    assert await store.value("SELECT count(*) FROM reports WHERE job_id = $1", job_id) == 2
    await assert_charged_and_shown_once(store, job_id)


async def test_fault_10_of_two_other_results_at_once_one_is_shown(store: Store):
    for _ in range(ROUNDS):
        job_id = await paid_and_running(store)
        both = [callback(job_id, media=images(1)) for _ in range(2)]

        await asyncio.gather(*(store.report(one) for one in both))

        (part,) = (await store.job(job_id)).parts
        assert part.url in [one.reading.media[0].url for one in both]
        await assert_charged_and_shown_once(store, job_id)


async def test_fault_36_of_success_and_expiry_at_once_one_settles_the_money(store: Store):
    for _ in range(ROUNDS):
        job_id = await paid_and_running(store)
        before = await store.wallet()
        await store.run("UPDATE jobs SET expires_at = now() WHERE id = $1", job_id)

        await asyncio.gather(store.effects.expire_jobs(10), store.report(callback(job_id)))
        await store.show_all(first_message=next(_messages))

        job, after = await store.job(job_id), await store.wallet()
        assert job.state is JobState.DELIVERED
        if job.money is MoneyState.CAPTURED:
            assert await settlements(store, job_id) == ["hold", "capture"]
            assert after == (before[0], before[1] - PRICE)
        else:
            assert job.money is MoneyState.WAIVED
            assert await settlements(store, job_id) == ["hold", "release"]
            assert after == (before[0] + PRICE, before[1] - PRICE)


async def test_fault_36_of_success_and_failure_at_once_one_settles_the_money(store: Store):
    for _ in range(ROUNDS):
        job_id = await paid_and_running(store)

        await asyncio.gather(
            store.report(callback(job_id)),
            store.report(callback(job_id, state=ReportState.FAILED)),
        )
        await store.show_all(first_message=next(_messages))

        kinds = await settlements(store, job_id)
        assert kinds in (["hold", "capture"], ["hold", "release"])
        state = (await store.job(job_id)).state
        assert state is (JobState.DELIVERED if kinds[1] == "capture" else JobState.FAILED)


async def test_fault_36_a_refund_that_races_the_proof_of_a_showing_is_made_at_most_once(
    store: Store,
):
    """A second worker finds the carrier gone for good while the first tells that it had shown it."""
    for _ in range(ROUNDS):
        job_id, message_id = await paid_and_running(store), next(_messages)
        await store.report(callback(job_id))
        (first,) = await store.deliveries("show")
        await store.carried(first.attempt.id, message_id)
        await store.end_leases()
        (second,) = await store.deliveries("show")
        gone = Refused(code=RefusalCode.CHAT_GONE, reason="chat not found")

        await asyncio.gather(
            store.delivered(second, gone, carrier_id=message_id),
            store.delivered(second, gone, carrier_id=message_id),
            store.delivered(first, Shown(message_id=message_id)),
        )

        kinds = await settlements(store, job_id)
        assert kinds[:2] == ["hold", "capture"]
        assert kinds[2:] in ([], ["refund"])
        assert (await store.job(job_id)).parts[0].state == "shown"


async def test_fault_36_a_balance_of_exactly_the_price_pays_once_and_then_is_nothing(store: Store):
    await store.topup(PRICE)
    job_id = await store.running(create(price=PRICE))
    assert await store.wallet() == (0, PRICE)

    for price in (PRICE, 1):
        (answer,) = await store.creations.create([Creation("shop", create(price=price))])
        assert isinstance(answer, Refusal)
        assert answer.code is RefusalName.INSUFFICIENT_FUNDS
    await store.report(callback(job_id))

    await assert_charged_and_shown_once(store, job_id)


async def test_fault_36_of_cancel_and_success_at_once_the_money_moves_once(store: Store):
    for _ in range(ROUNDS):
        await store.topup(PRICE)
        job_id = await store.made(create(price=PRICE))
        ask = OneJob(job_id=job_id, not_after=LATER)

        await asyncio.gather(store.requests.cancel("shop", ask), store.report(callback(job_id)))

        job, kinds = await store.job(job_id), await settlements(store, job_id)
        assert (job.state, kinds) in (
            (JobState.CANCELLED, ["hold", "release"]),
            (JobState.SUCCEEDED, ["hold", "capture"]),
        )
        await store.show_all(first_message=next(_messages))


async def test_fault_53_a_poll_and_a_callback_that_end_one_job_at_once_end_it_once(store: Store):
    for _ in range(ROUNDS):
        job_id = await paid_and_running(store)
        (poll,) = [ask for ask in await store.claimed() if isinstance(ask, PollRequested)]
        media = images(1)

        applied = await asyncio.gather(
            store.report(callback(job_id, media=media)), store.report(polled(poll, media=media))
        )

        assert sorted(one.did for (one,) in applied) == ["already_succeeded", "succeeded"]
        await assert_charged_and_shown_once(store, job_id)


async def test_fault_55_an_orphan_whose_job_never_appears_expires_once_and_is_told(store: Store):
    ttl = timedelta(hours=1)
    await store.report(callback(None, task_id="nobodys"))
    assert await store.orphans.expire(older_than=ttl, limit=10) == 0
    await store.run("UPDATE orphans SET seen_at = now() - interval '2 h'")

    expired = await asyncio.gather(
        *(store.orphans.expire(older_than=ttl, limit=10) for _ in range(3))
    )

    assert sorted(expired) == [0, 0, 1]
    assert await store.value("SELECT state FROM orphans") == "expired"
    told = [row.subject for row in store.offered if row.subject.startswith("orphans.")]
    assert told == ["orphans.waiting", "orphans.expired"]
    assert await store.claimed() == []
    assert all(finding.ok for finding in (await store.ops.doctor()).findings)
    assert await store.value("SELECT count(*) FROM jobs") == 0
