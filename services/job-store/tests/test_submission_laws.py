"""Each law of the database about calls of createTask, by the workers it keeps apart."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from contracts.api import OneJob
from contracts.effects import Go, Stop
from contracts.outcomes import Ambiguous, Later, NotSent
from contracts.polls import PollRequested
from contracts.refusals import Refusal, RefusalName
from contracts.reports import ReportState
from contracts.submissions import TaskCreated
from contracts.values import JobState, MoneyState
from job_store.store.creation import Creation
from store_kit import LATER, Store, create, images, polled


async def test_begin_is_idempotent_for_its_holder_and_closed_to_others(store: Store):
    await store.made()
    ask = await store.submission()
    holder = uuid4()

    first = await store.begin(ask.attempt.id, holder)
    repeated = await store.begin(ask.attempt.id, holder)
    redelivered = await store.begin(ask.attempt.id, uuid4())

    assert isinstance(first, Go)
    assert isinstance(repeated, Go)
    assert isinstance(redelivered, Stop)


async def test_concurrent_begins_let_one_through(store: Store):
    await store.made()
    ask = await store.submission()
    answers = await asyncio.gather(*(store.begin(ask.attempt.id, uuid4()) for _ in range(10)))
    assert sum(isinstance(answer, Go) for answer in answers) == 1


async def test_not_sent_from_a_redelivery_does_not_reopen_what_the_holder_is_doing(store: Store):
    await store.made()
    ask = await store.submission()
    assert isinstance(await store.begin(ask.attempt.id, uuid4()), Go)

    settled = await store.submitted(ask, NotSent(reason="not allowed in time"))

    assert settled.moved is False
    assert await store.claimed() == []


async def test_a_submission_nobody_began_is_due_again_a_begun_one_is_uncertain(store: Store):
    job_id = await store.made()
    ask = await store.submission()
    await store.end_leases()
    again = await store.submission()
    assert isinstance(await store.begin(ask.attempt.id), Stop)
    assert isinstance(await store.begin(again.attempt.id), Go)
    await store.end_leases()

    assert await store.claimed() == []
    assert await store.value("SELECT state FROM effects WHERE kind = 'submit'") == "uncertain"
    await store.submitted(again, TaskCreated(task_id="found"))
    job = await store.job(job_id)
    assert (job.state, job.task_ids) == (JobState.RUNNING, ("found",))


async def test_an_uncertain_submission_ends_by_the_deadline(store: Store):
    await store.topup(10)
    job_id = await store.made(create(price=10))
    ask = await store.submission()
    await store.begin(ask.attempt.id)
    await store.submitted(ask, Ambiguous(reason="timeout"))
    await store.run("UPDATE jobs SET expires_at = now()")
    await store.effects.expire_jobs(10)
    assert (await store.job(job_id)).state is JobState.EXPIRED
    assert await store.wallet() == (10, 0)


async def test_a_task_nobody_would_wait_for_is_never_begun_and_its_price_goes_back(store: Store):
    await store.topup(20)
    await store.made(create(price=10))
    ask = await store.submission()
    waiting = await store.made(create(price=10))
    await store.run("UPDATE jobs SET expires_at = now() + interval '14 minutes'")

    answer = await store.begin(ask.attempt.id)
    await store.effects.expire_jobs(10)

    assert answer == Stop(reason="too_late_to_submit")
    assert {(await store.job(id_)).state for id_ in (ask.job_id, waiting)} == {JobState.EXPIRED}
    assert await store.wallet() == (20, 0)


async def test_a_result_whose_callback_is_lost_is_found_after_the_end_and_is_a_gift(
    store: Store,
) -> None:
    await store.topup(10)
    job_id = await store.running(create(price=10))
    await store.run("UPDATE jobs SET expires_at = now()")
    await store.effects.expire_jobs(10)
    planned = await store.value(
        "SELECT due_at - now() FROM effects WHERE kind = 'poll' AND state = 'pending'"
    )
    late = (await store.ops.status()).late_polls

    (poll,) = [ask for ask in await store.claimed() if isinstance(ask, PollRequested)]
    await store.report(polled(poll, media=images(1)))

    assert timedelta(minutes=14) < planned <= timedelta(minutes=15)
    assert late == 1
    assert await store.show_all() == 1
    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.WAIVED)
    assert await store.wallet() == (10, 0)


async def test_a_job_that_ended_is_asked_about_once_and_no_more(store: Store) -> None:
    await store.running()
    await store.run("UPDATE jobs SET expires_at = now()")
    await store.effects.expire_jobs(10)

    (poll,) = [ask for ask in await store.claimed() if isinstance(ask, PollRequested)]
    await store.report(polled(poll, state=ReportState.PROGRESS))

    assert [ask for ask in await store.claimed() if isinstance(ask, PollRequested)] == []


async def test_what_was_begun_has_the_whole_of_its_life(store: Store):
    job_id = await store.made()
    ask = await store.submission()
    await store.begin(ask.attempt.id)
    await store.run("UPDATE jobs SET expires_at = now() + interval '1 minute'")

    await store.effects.expire_jobs(10)

    assert (await store.job(job_id)).state is JobState.SUBMITTING


async def test_cancel_and_claim_exclude_each_other(store: Store):
    for _ in range(10):
        await store.topup(10)
        job_id = await store.made(create(price=10))
        ask = OneJob(job_id=job_id, not_after=LATER)
        answer, claimed = await asyncio.gather(store.requests.cancel("shop", ask), store.claimed())
        job = await store.job(job_id)
        if isinstance(answer, Refusal):
            assert answer.code is RefusalName.TOO_LATE
            assert job.state is JobState.SUBMITTING
        else:
            assert job.state is JobState.CANCELLED
            assert not [a for a in claimed if a.job_id == job_id]
        await store.submitted_all(claimed)


async def test_a_paused_account_refuses_before_any_hold(store: Store):
    await store.topup(10)
    await store.made()
    ask = await store.submission()
    await store.submitted(
        ask, Later(reason="402 no credits", after=60, scope="account", needs_owner=True)
    )

    (answer,) = await store.creations.create([Creation("shop", create(price=10))])

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.retryable) == (RefusalName.PAUSED, True)
    assert await store.wallet() == (10, 0)
