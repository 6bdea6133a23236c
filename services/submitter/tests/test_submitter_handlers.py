"""The submitter between a real NATS and a fake KIE: one call, one outcome, whatever happens."""

import asyncio
from datetime import timedelta

import pytest

from chassis import lifecycle
from chassis.metrics import REGISTRY
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.submissions import TaskCreated
from contracts.values import FailureClass
from submitter import app
from submitter.kie import UNREACHED_DELAY
from submitter_bench import WITHIN, World, requested
from testkit.kie import CreateAnswer, Outage, Plan
from testkit.processes import holds


async def test_a_request_becomes_one_task_and_one_outcome(world: World) -> None:
    request = requested()

    async with world.submitter():
        await world.store.ask(request)
        outcome = await world.store.outcome()
        await world.store.until_acked(1)

    (task,) = world.kie.tasks()
    assert outcome.attempt_id == request.attempt.id
    assert outcome.job_id == request.job_id
    assert outcome.result == TaskCreated(task_id=task.task_id)
    assert len(world.store.questions) == 1


async def test_who_is_told_to_stop_does_not_act_and_says_nothing(world: World) -> None:
    request = requested()
    world.store.holders[request.attempt.id] = requested().attempt.id

    async with world.submitter():
        await world.store.ask(request)
        await world.store.until_acked(1)

    assert world.kie.counts()["creates"] == 0
    assert await world.store.count_outcomes() == 0


async def test_a_lost_go_is_asked_for_again_by_the_same_holder(world: World) -> None:
    world.store.lost_replies = 1

    async with world.submitter():
        await world.store.ask(requested())
        outcome = await world.store.outcome()

    assert outcome.result.kind == "done"
    assert len(world.store.questions) == 2
    assert len({question.holder for question in world.store.questions}) == 1


async def test_without_an_answer_in_time_nothing_is_sent_and_that_is_said(world: World) -> None:
    world.store.lost_replies = 100

    async with world.submitter():
        await world.store.ask(requested(valid_for=timedelta(seconds=1)))
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, NotSent)
    assert world.kie.counts()["creates"] == 0


async def test_a_request_that_comes_too_late_is_not_sent(world: World) -> None:
    async with world.submitter():
        await world.store.ask(requested(valid_for=timedelta(seconds=-1)))
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, NotSent)
    assert world.store.questions == []


async def test_a_late_redelivery_never_vouches_for_its_first_receiver(world: World) -> None:
    await world.store.ask(requested(valid_for=timedelta(seconds=-1)))
    await world.store.deliver_once_elsewhere()

    async with world.submitter():
        await world.store.until_acked(1)

    assert await world.store.count_outcomes() == 0


async def test_a_second_copy_repeats_the_outcome_and_not_the_call(world: World) -> None:
    request = requested()

    async with world.submitter():
        await world.store.ask(request)
        await world.store.until_acked(1)
        await world.store.ask(request, copy=1)
        await world.store.until_acked(2)

    assert world.kie.counts()["creates"] == 1
    assert len(world.store.questions) == 1
    assert await world.store.count_outcomes() == 1


async def test_a_copy_beside_the_running_call_waits_for_it(world: World) -> None:
    world.kie.plan_next(Plan(create_delay=0.5))
    request = requested()

    async with world.submitter():
        await world.store.ask(request)
        await world.store.ask(request, copy=1)
        outcome = await world.store.outcome()

    assert outcome.result.kind == "done"
    assert world.kie.counts()["creates"] == 1


async def test_another_process_does_not_act_on_a_redelivery(world: World) -> None:
    request = requested()

    async with world.submitter():
        await world.store.ask(request)
        await world.store.until_acked(1)
    async with world.submitter():
        await world.store.ask(request, copy=1)
        await world.store.until_acked(2)

    assert world.kie.counts()["creates"] == 1
    assert len(world.store.questions) == 2


@pytest.mark.parametrize(
    "answer",
    [
        CreateAnswer.CLOSED,
        CreateAnswer.HANGS,
        CreateAnswer.HTTP_502,
        CreateAnswer.ENVELOPE_500,
        CreateAnswer.TRUNCATED,
    ],
)
async def test_a_lost_answer_is_ambiguous_and_never_repeated(
    world: World, answer: CreateAnswer
) -> None:
    world.kie.plan_next(Plan(create_answer=answer))

    async with world.submitter():
        await world.store.ask(requested(call_timeout=1.0))
        outcome = await world.store.outcome()
        await world.store.until_acked(1)

    assert isinstance(outcome.result, Ambiguous)
    assert world.kie.counts()["creates"] == 1


async def test_fault_54_a_rate_limit_makes_the_account_wait(world: World) -> None:
    world.kie.plan_next(Plan(reject_creates=1, reject_code=429))

    async with world.submitter():
        await world.store.ask(requested())
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, Later)
    assert outcome.result.scope == "account"
    assert outcome.result.after >= 3
    assert not outcome.result.needs_owner


@pytest.mark.parametrize("code", [401, 402, 433])
async def test_trouble_with_the_account_calls_its_owner(world: World, code: int) -> None:
    world.kie.switches.account_code = code

    async with world.submitter():
        await world.store.ask(requested())
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, Later)
    assert outcome.result.scope == "account"
    assert outcome.result.needs_owner


async def test_a_refusal_names_its_class(world: World) -> None:
    refusal = Plan(reject_creates=1, reject_code=422, reject_message="flagged as sensitive")
    world.kie.plan_next(refusal)

    async with world.submitter():
        await world.store.ask(requested())
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, Refused)
    assert outcome.result.code == "422"
    assert outcome.result.failure is FailureClass.MODERATED


async def test_a_kie_that_cannot_be_reached_got_nothing(world: World) -> None:
    unreachable = world.settings(url="http://127.0.0.1:1")

    async with world.submitter(unreachable):
        await world.store.ask(requested())
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, NotSent)
    assert outcome.result.after > 0


async def test_an_outage_behind_the_connection_is_ambiguous(world: World) -> None:
    world.kie.switches.outage = Outage.HTTP_503

    async with world.submitter():
        await world.store.ask(requested())
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, Ambiguous)


@pytest.mark.parametrize("outage", [Outage.REFUSE, Outage.HTTP_503])
async def test_fault_54_a_kie_that_is_away_is_given_one_job_and_the_others_wait(
    world: World, outage: Outage
) -> None:
    world.kie.switches.outage = outage

    async with world.submitter():
        first, *others = [await world.lived(requested()) for _ in range(4)]
        world.kie.switches.outage = Outage.NONE
        back = await world.lived(requested())

    silent = Later(reason="KIE does not answer", after=UNREACHED_DELAY, scope="account")
    assert isinstance(first, Ambiguous)
    assert others == [silent] * 3
    assert back.kind == "done"


async def test_a_lease_shorter_than_the_call_is_not_used(world: World) -> None:
    world.store.lease = 20.0

    async with world.submitter():
        await world.store.ask(requested(call_timeout=30.0))
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, NotSent)
    assert world.kie.counts()["creates"] == 0


async def test_an_account_gets_no_more_starts_than_kie_takes(world: World) -> None:
    # Two seconds of slack: nobody waits for the next window of ten.
    world.store.lease = 35.0

    async with world.submitter():
        for _ in range(25):
            await world.store.ask(requested())
        outcomes = [await world.store.outcome() for _ in range(25)]

    kinds = [outcome.result.kind for outcome in outcomes]
    assert kinds.count("done") == 20
    assert kinds.count("not_sent") == 5
    assert world.kie.counts()["creates"] == 20


async def test_each_account_is_called_with_its_own_key_as_it_stands_now(world: World) -> None:
    key = world.secrets / "shop"

    async with world.submitter():
        key.write_text("key-of-shop\n")
        await world.store.ask(requested(account="shop"))
        await world.store.outcome()
        key.write_text("newer-key-of-shop\n")
        await world.store.ask(requested(account="shop"))
        await world.store.outcome()

    # The fake numbers its accounts; the first is `default`.
    assert [task.account for task in world.kie.tasks()] == ["account-2", "account-3"]


@pytest.mark.parametrize("account", ["nobody", "../secrets/shop", "default/.."])
async def test_an_account_without_a_key_calls_its_owner(world: World, account: str) -> None:
    (world.secrets / "shop").write_text("key-of-shop")

    async with world.submitter():
        await world.store.ask(requested(account=account))
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, Later)
    assert outcome.result.needs_owner
    assert world.kie.counts()["creates"] == 0


async def test_a_malformed_request_costs_only_itself(world: World) -> None:
    async with world.submitter():
        await world.store.put(b'{"prompt": "not a request"', msg_id="malformed")
        await world.store.ask(requested())
        outcome = await world.store.outcome()
        await world.store.until_acked(2)

    assert outcome.result.kind == "done"


async def test_an_outcome_survives_a_killed_nats_and_the_call_is_not_repeated(
    world: World,
) -> None:
    world.kie.plan_next(Plan(create_delay=0.5))

    async with world.submitter():
        await world.store.ask(requested())
        await world.kie.until(lambda kie: kie.counts()["tasks"] == 1)
        await world.nats.kill()
        assert await holds(lambda: _untold() == 1, within=WITHIN)
        await world.nats.start()
        outcome = await world.store.outcome()

    (task,) = world.kie.tasks()
    assert outcome.result == TaskCreated(task_id=task.task_id)
    assert world.kie.counts()["creates"] == 1


async def test_a_stop_waits_for_the_running_call_and_tells_its_outcome(world: World) -> None:
    world.kie.plan_next(Plan(create_delay=1.0))

    async with world.submitter():
        await world.store.ask(requested())
        await world.kie.until(lambda kie: kie.counts()["tasks"] == 1)

    outcome = await world.store.outcome(within=0.5)
    assert outcome.result.kind == "done"


async def test_a_call_longer_than_most_parts_may_take_to_stop_is_finished(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "STOP_GRACE", 0.05)
    world.kie.plan_next(Plan(create_delay=1.0))

    async with world.submitter():
        await world.store.ask(requested())
        await world.kie.until(lambda kie: kie.counts()["tasks"] == 1)

    outcome = await world.store.outcome(within=0.5)
    assert outcome.result.kind == "done"
    assert app.STOP_GRACE > app.LONGEST_HANDLING.total_seconds() > requested().call_timeout + 5


async def test_a_call_gets_as_long_at_a_stop_as_was_reckoned_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "LONGEST_HANDLING", timedelta(seconds=0.05))
    world.kie.plan_next(Plan(create_delay=5.0))

    async with world.submitter() as submitter:
        await world.store.ask(requested())
        await world.kie.until(lambda kie: kie.counts()["tasks"] == 1)
        async with asyncio.timeout(3):
            await submitter.stop()


async def test_who_waits_for_the_pace_gives_its_turn_back_at_a_stop(world: World) -> None:
    chosen = world.settings().model_copy(update={"kie_creates_per_10s": 1})
    waiting = requested()

    async with world.submitter(chosen):
        await world.store.ask(requested())
        await world.store.outcome()
        await world.store.ask(waiting)
        assert await holds(lambda: len(world.store.questions) == 2, within=WITHIN)

    outcome = await world.store.outcome(within=0.5)
    assert outcome.attempt_id == waiting.attempt.id
    assert outcome.result == NotSent(reason="this process is leaving")
    assert world.kie.counts()["creates"] == 1


async def test_work_that_comes_during_a_stop_is_left_to_others(world: World) -> None:
    world.kie.plan_next(Plan(create_delay=1.5))

    async with world.submitter() as submitter:
        await world.store.ask(requested())
        await world.kie.until(lambda kie: kie.counts()["tasks"] == 1)
        stopping = asyncio.create_task(submitter.stop())
        await world.store.ask(requested())
        await stopping

    assert (await world.store.outcome(within=0.5)).result.kind == "done"
    assert world.kie.counts()["creates"] == 1
    assert len(world.store.questions) == 1


@pytest.mark.parametrize(
    "family, operation, code",
    [
        ("hologram", "generate", "unknown_family"),
        ("veo", "8k", "unknown_operation"),
        ("luma_modify", "generate", "retired"),
        ("suno", "style", "synchronous"),
        ("veo", "1080p", "input_unfit"),
    ],
)
async def test_what_kie_makes_no_task_of_is_bad_input(
    world: World, family: str, operation: str, code: str
) -> None:
    async with world.submitter():
        await world.store.ask(requested(family=family, operation=operation))
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, Refused)
    assert (outcome.result.code, outcome.result.failure) == (code, FailureClass.BAD_INPUT)
    assert world.kie.counts()["creates"] == 0


async def test_music_without_a_callback_address_is_the_owners_to_mend(world: World) -> None:
    async with world.submitter():
        await world.store.ask(requested(family="suno", operation="generate"))
        outcome = await world.store.outcome()

    assert isinstance(outcome.result, Refused)
    assert outcome.result.code == "callback_url_missing"
    assert outcome.result.failure is FailureClass.OWNER_ACCOUNT
    assert "public URL" in outcome.result.reason
    assert world.kie.counts()["creates"] == 0


async def test_an_operation_goes_to_its_own_page(world: World) -> None:
    async with world.submitter():
        await world.store.ask(requested(family="suno", operation="lyrics"))
        await world.store.ask(requested(family="veo", operation="extend"))
        outcomes = [await world.store.outcome() for _ in range(2)]

    (task,) = world.kie.tasks()
    assert task.family == "suno_lyrics"
    # The sandbox misses the video that is to be extended, as KIE would.
    (refused,) = [one.result for one in outcomes if isinstance(one.result, Refused)]
    assert (refused.code, refused.failure) == ("422", FailureClass.BAD_INPUT)


def _untold() -> float | None:
    return REGISTRY.get_sample_value("sendonce_submission_outcomes_untold")
