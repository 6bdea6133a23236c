"""The life of a job on real Postgres, verb by verb."""

from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.deliveries import RefusalCode, Shown
from contracts.effects import Go, Stop
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.reports import ReportState
from contracts.submissions import TaskCreated
from contracts.values import FailureClass, JobState, MoneyState, PartState
from job_store.store import (
    creation,
    durations,
    effects,
    forgetting,
    inbox,
    intake,
    ledger,
    ops,
    outbox,
    pacing,
    requests,
    schema,
    unit,
    users,
)
from store_kit import Store, callback, create, images, polled


@pytest.mark.postgres
async def test_every_query_is_valid_on_the_migrated_schema(store: Store):
    stores = (
        *(creation, durations, effects, forgetting, inbox, intake, ledger, ops, outbox, pacing),
        *(requests, schema, unit, users),
    )
    for module in stores:
        for name in module.sql:
            async with store.database.connection() as connection:
                await connection.prepare(module.sql[name])


async def test_a_job_goes_from_request_to_chat(store: Store):
    await store.topup(1_000)
    job_id = await store.made(create(price=300, status="auto"))
    assert await store.wallet() == (700, 300)

    ask = await store.submission()
    assert isinstance(await store.begin(ask.attempt.id), Go)
    await store.submitted(ask, TaskCreated(task_id="task-1"))
    await store.report(callback(job_id, task_id="task-1"))
    assert await store.show_all() == 1

    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.CAPTURED)
    assert await store.wallet() == (700, 0)
    assert [part.state for part in job.parts] == [PartState.SHOWN]


async def test_a_failure_gives_the_money_back_and_is_said(store: Store):
    await store.topup(300)
    job_id = await store.running(create(price=300))
    await store.report(
        callback(job_id, state=ReportState.FAILED, error_class=FailureClass.MODERATED)
    )

    asks = await store.deliveries("show")

    assert (await store.job(job_id)).state is JobState.FAILED
    assert await store.wallet() == (300, 0)
    assert "content rules" in asks[0].action.content.text
    assert "3.00 RUB" in asks[0].action.content.text


async def test_several_media_are_released_one_after_the_other(store: Store):
    job_id = await store.succeeded(media=3)

    first = await store.deliveries("show")
    assert len(first) == 1
    assert first[0].action.carrier.silent is False
    await store.carried(first[0].attempt.id, 101)
    second = await store.deliveries("show")
    assert len(second) == 1
    assert second[0].action.carrier.silent is True
    await store.carried(second[0].attempt.id, 102)
    await store.delivered(first[0], Shown(message_id=101))
    await store.delivered(second[0], Shown(message_id=102))
    assert await store.show_all(first_message=200) == 1

    job = await store.job(job_id)
    assert job.state is JobState.DELIVERED
    assert len({part.message_id for part in job.parts}) == 3


async def test_a_fresh_status_is_edited_in_place_and_an_old_one_points(store: Store):
    young = await store.running(create(status=50))
    await store.report(callback(young))
    (ask,) = await store.deliveries("show")
    assert ask.action.carrier.message_id == 50
    await store.delivered(ask, Shown(message_id=50))

    old = await store.running(create(status=51))
    await store.run("UPDATE jobs SET status_at = now() - interval '1 minute' WHERE id = $1", old)
    await store.report(callback(old))
    (ask,) = await store.deliveries("show")
    assert ask.action.carrier.kind == "fresh"
    await store.carried(ask.attempt.id, 60)
    await store.delivered(ask, Shown(message_id=60))
    (pointer,) = await store.deliveries("rewrite")
    assert pointer.action.message_id == 51


async def test_a_result_waits_for_the_status_being_posted(store: Store):
    job_id = await store.made(create(status="auto"))
    claimed = await store.claimed()
    status = next(a for a in claimed if getattr(a, "action", None) is not None)
    submit = next(a for a in claimed if getattr(a, "action", None) is None)
    await store.submitted(submit, TaskCreated(task_id="t"))
    await store.report(callback(job_id, task_id="t"))
    assert await store.deliveries("show") == []

    await store.delivered(status, Shown(message_id=40))
    (show,) = await store.deliveries("show")

    assert show.action.carrier.message_id == 40


async def test_not_sent_and_later_are_tried_again_ambiguous_is_not(store: Store):
    job_id = await store.made()
    ask = await store.submission()
    await store.submitted(ask, NotSent(reason="refused"))
    again = await store.submission()
    assert again.attempt.no == 2
    await store.submitted(again, Later(reason="429", after=10))
    third = await store.submission()
    await store.begin(third.attempt.id)
    await store.submitted(third, Ambiguous(reason="timeout"))

    assert await store.claimed() == []
    assert (await store.job(job_id)).state is JobState.SUBMITTING
    await store.report(callback(job_id))
    assert (await store.job(job_id)).state is JobState.SUCCEEDED


async def test_a_refused_submission_fails_the_job(store: Store):
    await store.topup(10)
    job_id = await store.made(create(price=10))
    ask = await store.submission()

    await store.submitted(
        ask, Refused(code="422", reason="bad prompt", failure=FailureClass.BAD_INPUT)
    )

    job = await store.job(job_id)
    assert (job.state, job.failure) == (JobState.FAILED, FailureClass.BAD_INPUT)
    assert await store.wallet() == (10, 0)


async def test_polling_alone_delivers(store: Store):
    job_id = await store.running()
    (poll,) = await store.claimed()
    await store.report(polled(poll, state=ReportState.PROGRESS))
    (poll,) = await store.claimed()
    await store.report(polled(poll, media=images(2)))

    assert await store.show_all() == 2
    assert (await store.job(job_id)).state is JobState.DELIVERED
    assert await store.claimed() == []


async def test_an_unknown_state_holds_and_polls(store: Store):
    job_id = await store.running()

    await store.report(callback(job_id, state=ReportState.UNKNOWN))

    assert (await store.job(job_id)).state is JobState.RUNNING
    due = await store.value("SELECT due_at - now() FROM effects WHERE kind = 'poll'")
    assert due < timedelta(seconds=2)


async def test_a_blocked_user_parks_the_part_until_they_are_back(store: Store):
    await store.topup(10)
    job_id = await store.succeeded(create(price=10))
    (ask,) = await store.deliveries("show")
    await store.delivered(ask, Refused(code=RefusalCode.BLOCKED, reason="bot was blocked"))

    job = await store.job(job_id)
    assert (job.state, job.parts[0].state) == (JobState.SUCCEEDED, PartState.PARKED)
    assert await store.deliveries() == []

    assert await store.effects.returned(bot="shop", chat_id=7) == 1
    assert await store.show_all() == 1
    assert await store.wallet() == (0, 0)


async def test_fault_47_a_dead_result_is_undeliverable_refunded_and_said(store: Store):
    await store.topup(10)
    job_id = await store.succeeded(create(price=10))
    (ask,) = await store.deliveries("show")
    await store.delivered(ask, Refused(code=RefusalCode.MEDIA_GONE, reason="404"))

    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.UNDELIVERABLE, MoneyState.REFUNDED)
    assert await store.wallet() == (10, 0)
    (notice,) = await store.deliveries("show")
    assert "0.10 RUB was returned" in notice.action.content.text


async def test_begin_lets_one_holder_act(store: Store):
    await store.made()
    ask = await store.submission()
    assert isinstance(await store.begin(ask.attempt.id, uuid4()), Go)
    assert isinstance(await store.begin(ask.attempt.id, uuid4()), Stop)


async def test_what_shows_nothing_is_not_open_after_its_end(store: Store):
    job_id = await store.running(create(deliver=False))
    (before,) = (await store.ops.status()).bots
    await store.report(callback(job_id))

    (after,) = (await store.ops.status()).bots

    assert (before.open_jobs, before.by_state) == (1, {"running": 1})
    assert before.oldest_open_seconds is not None
    assert (after.open_jobs, after.by_state) == (0, {"succeeded": 1})
    assert after.oldest_open_seconds is None
