"""The reconciler between a real NATS and a fake KIE: one question, one report."""

import hashlib
import json
from datetime import timedelta

import pytest

from contracts.reports import PollClaim, ReportState
from contracts.values import FailureClass
from reconciler_bench import World, requested
from testkit.kie import Outage, Plan


async def test_a_finished_task_is_reported_with_its_result_and_its_bytes(world: World) -> None:
    world.kie.plan_next(Plan(seconds=0.0))
    task_id = await world.created()
    await world.kie.until_settled(tasks=1)
    request = requested(task_id)

    async with world.reconciler():
        report = await world.store.answer(request)
        await world.store.until_acked(1)

    body = json.loads(report.body)
    assert report.reading.state is ReportState.SUCCEEDED
    assert [medium.url for medium in report.reading.media] == list(
        world.kie.task(task_id).media_urls
    )
    assert body["data"]["taskId"] == task_id
    assert report.body_digest == hashlib.sha256(report.body).hexdigest()
    assert report.origin == "poll"
    assert report.poll == PollClaim(
        attempt_id=request.attempt.id,
        job_id=request.job_id,
        account="default",
        family="market",
        operation="generate",
        task_id=task_id,
    )


async def test_a_running_task_is_progress(world: World) -> None:
    world.kie.plan_next(Plan(held=True))
    task_id = await world.created()

    async with world.reconciler():
        report = await world.store.answer(requested(task_id))

    assert report.reading.state is ReportState.PROGRESS
    assert report.reading.task_id == task_id


async def test_a_failed_task_is_reported_with_its_class(world: World) -> None:
    world.kie.plan_next(Plan(seconds=0.0, fails=True))
    task_id = await world.created()
    await world.kie.until_settled(tasks=1)

    async with world.reconciler():
        report = await world.store.answer(requested(task_id))

    assert report.reading.state is ReportState.FAILED
    assert report.reading.error_class is FailureClass.MODERATED


async def test_a_task_nobody_made_is_not_found(world: World) -> None:
    async with world.reconciler():
        report = await world.store.answer(requested("0" * 32))

    assert report.reading.state is ReportState.NOT_FOUND


async def test_a_task_of_another_family_is_asked_at_its_own_endpoint(world: World) -> None:
    task_id = await world.created()

    async with world.reconciler():
        report = await world.store.answer(requested(task_id, family="veo"))

    assert report.reading.state is ReportState.NOT_FOUND


async def test_an_operation_is_asked_at_its_own_page(world: World) -> None:
    task_id = await world.created()
    await world.kie.until_settled(tasks=1)

    async with world.reconciler():
        right = await world.store.answer(requested(task_id))
        other = await world.store.answer(requested(task_id, family="suno", operation="lyrics"))
        nowhere = await world.store.answer(requested(task_id, operation="extend"))

    assert right.reading.state is ReportState.SUCCEEDED
    assert (other.reading.state, other.reading.family) == (ReportState.NOT_FOUND, "suno_lyrics")
    assert nowhere.reading.state is ReportState.FATAL_ERROR
    assert nowhere.reading.anomalies == ("no_endpoint",)


@pytest.mark.parametrize("outage", [Outage.REFUSE, Outage.HTTP_503])
async def test_fault_54_trouble_on_the_way_is_a_report_too(world: World, outage: Outage) -> None:
    world.kie.switches.outage = outage

    async with world.reconciler():
        report = await world.store.answer(requested("0" * 32))

    assert report.reading.state is ReportState.TRANSIENT_ERROR


async def test_a_kie_that_cannot_be_reached_is_reported_without_a_body(world: World) -> None:
    async with world.reconciler(url="http://127.0.0.1:1"):
        report = await world.store.answer(requested("0" * 32))

    assert report.reading.state is ReportState.TRANSIENT_ERROR
    assert report.body == b""


@pytest.mark.parametrize("code", [401, 402, 433])
async def test_trouble_with_the_account_is_fatal(world: World, code: int) -> None:
    world.kie.plan_next(Plan(held=True, poll_errors=1, poll_error_code=code))
    task_id = await world.created()

    async with world.reconciler():
        report = await world.store.answer(requested(task_id))

    assert report.reading.state is ReportState.FATAL_ERROR
    assert report.reading.error_code == str(code)


@pytest.mark.parametrize("account", ["nobody", "../secrets/shop"])
async def test_an_account_without_a_key_is_fatal_and_not_asked(world: World, account: str) -> None:
    (world.secrets / "shop").write_text("key-of-shop")

    async with world.reconciler():
        report = await world.store.answer(requested("0" * 32, account=account))

    assert report.reading.state is ReportState.FATAL_ERROR
    assert world.kie.counts()["polls"] == 0


async def test_each_account_asks_with_its_own_key(world: World) -> None:
    (world.secrets / "shop").write_text("key-of-shop\n")
    world.kie.plan_next(Plan(held=True))
    task_id = await world.created(key="key-of-shop")

    async with world.reconciler():
        owner = await world.store.answer(requested(task_id, account="shop"))
        stranger = await world.store.answer(requested(task_id))

    assert owner.reading.state is ReportState.PROGRESS
    assert stranger.reading.state is ReportState.NOT_FOUND


async def test_an_unknown_family_is_reported_and_not_asked(world: World) -> None:
    async with world.reconciler():
        report = await world.store.answer(requested("0" * 32, family="hologram"))

    assert report.reading.state is ReportState.FATAL_ERROR
    assert world.kie.counts()["polls"] == 0


async def test_a_question_that_comes_too_late_is_dropped(world: World) -> None:
    async with world.reconciler():
        await world.store.ask(requested("0" * 32, valid_for=timedelta(seconds=-1)))
        await world.store.until_acked(1)

    assert world.kie.counts()["polls"] == 0
    assert await world.store.count_reports() == 0


async def test_many_questions_at_once_are_each_answered_once(world: World) -> None:
    requests = [requested(f"{number:032x}") for number in range(60)]

    async with world.reconciler():
        for request in requests:
            await world.store.ask(request)
        reports = [await world.store.report() for _ in requests]

    answered = [report.poll.attempt_id for report in reports if report.poll]
    assert sorted(answered) == sorted(request.attempt.id for request in requests)
    assert all(report.body_digest == hashlib.sha256(report.body).hexdigest() for report in reports)


async def test_a_malformed_question_costs_only_itself(world: World) -> None:
    async with world.reconciler():
        await world.store.put(b"\xff", msg_id="malformed")
        report = await world.store.answer(requested("0" * 32))
        await world.store.until_acked(2)

    assert report.reading.state is ReportState.NOT_FOUND


async def test_a_restarted_nats_loses_no_question(world: World) -> None:
    async with world.reconciler():
        await world.nats.kill()
        await world.nats.start()
        report = await world.store.answer(requested("0" * 32))

    assert report.reading.state is ReportState.NOT_FOUND


async def test_fault_51_two_reconcilers_answer_every_question_once(world: World) -> None:
    """Also one that comes to both: the same answer is the same fact, and stored once."""
    world.kie.plan_next(Plan(seconds=0.0))
    task_id = await world.created()
    await world.kie.until_settled(tasks=1)
    requests = [requested(task_id) for _ in range(60)]

    async with world.reconciler(), world.reconciler():
        for number, request in enumerate(requests):
            await world.store.put(request.wire(), msg_id=f"{number}")
            await world.store.put(request.wire(), msg_id=f"{number} again")
        await world.store.until_acked(2 * len(requests))
        reports = [await world.store.report() for _ in requests]

    answered = [report.poll.attempt_id for report in reports if report.poll]
    assert sorted(answered) == sorted(request.attempt.id for request in requests)
    assert {report.reading.state for report in reports} == {ReportState.SUCCEEDED}
    assert await world.store.count_reports() == len(requests)
