"""Each field of a plan does what it says, over real HTTP, whatever the other fields are."""

import time
from collections.abc import AsyncIterator
from typing import Protocol

import httpx
import pytest

from testkit.kie import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    CallbackKind,
    CallbackReceiver,
    CreateAnswer,
    FakeKie,
    Garbage,
    Plan,
    State,
    signature,
)

CREATE = "/api/v1/jobs/createTask"
POLL = "/api/v1/jobs/recordInfo"
HMAC_KEY = "the account's webhook key"


class Create(Protocol):
    async def __call__(self, prompt: str = "a cat") -> httpx.Response: ...


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie(
        retry_delays=(0.01, 0.01, 0.01),
        receiver_timeout=0.3,
        create_rate=None,
        hmac_key=HMAC_KEY,
    ) as kie:
        yield kie


@pytest.fixture
async def http(kie: FakeKie) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {kie.api_key}"}
    async with httpx.AsyncClient(base_url=kie.url, headers=headers, timeout=5) as http:
        yield http


@pytest.fixture
def create(http: httpx.AsyncClient, receiver: CallbackReceiver) -> Create:
    async def create(prompt: str = "a cat") -> httpx.Response:
        body = {
            "model": "nano-banana-2",
            "input": {"prompt": prompt},
            "callBackUrl": receiver.url,
        }
        return await http.post(CREATE, json=body)

    return create


def task_id_of(answer: httpx.Response) -> str:
    return str(answer.json()["data"]["taskId"])


async def test_a_marker_in_the_prompt_chooses_the_plan(kie: FakeKie, create: Create) -> None:
    kie.plan_marked("doomed", Plan(seconds=0.0, fails=True))

    marked = task_id_of(await create("a cat, plan:doomed."))
    other = task_id_of(await create("a cat, plan:nobody-knows"))
    await kie.until_settled(tasks=2)

    assert kie.task(marked).state is State.FAILED
    assert kie.task(other).state is State.SUCCEEDED


async def test_queued_plans_are_taken_in_turn(kie: FakeKie, create: Create) -> None:
    kie.plan_next(Plan(seconds=0.0, fails=True), count=2)

    ids = [task_id_of(await create()) for _ in range(3)]
    await kie.until_settled(tasks=3)

    assert [kie.task(task_id).plan.fails for task_id in ids] == [True, True, False]


@pytest.mark.parametrize("code", [429, 455, 500])
async def test_a_rejected_create_makes_no_task_and_is_accepted_when_repeated(
    kie: FakeKie, create: Create, code: int
) -> None:
    kie.plan_next(Plan(name="late-ok", seconds=0.0, reject_creates=2, reject_code=code))

    answers = [await create() for _ in range(3)]
    await kie.until_settled(tasks=1)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["code"] for answer in answers] == [code, code, 200]
    assert [truth.plan.name for truth in kie.tasks()] == ["late-ok"]


async def test_a_rejection_may_be_an_http_status_too(kie: FakeKie, create: Create) -> None:
    kie.plan_next(Plan(reject_creates=1, reject_code=429, reject_status=429))

    assert (await create()).status_code == 429


@pytest.mark.parametrize("lost", [answer for answer in CreateAnswer if answer != CreateAnswer.OK])
async def test_a_lost_answer_leaves_a_task_that_calls_back(
    kie: FakeKie,
    http: httpx.AsyncClient,
    create: Create,
    receiver: CallbackReceiver,
    lost: CreateAnswer,
) -> None:
    kie.plan_next(Plan(seconds=0.0, create_answer=lost))
    http.timeout = httpx.Timeout(0.2)

    with pytest.raises((httpx.HTTPError, ValueError, TypeError)):
        task_id_of(await create())

    await receiver.until(lambda it: bool(it.received))
    (truth,) = kie.tasks()
    assert truth.task_id.encode() in receiver.received[0].body


async def test_the_callback_may_arrive_before_the_answer(
    kie: FakeKie, create: Create, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(callback_before_answer=True))

    answer = await create()

    assert task_id_of(answer).encode() in receiver.received[0].body


async def test_a_held_task_ends_only_when_told(kie: FakeKie, create: Create) -> None:
    kie.plan_next(Plan(seconds=0.0, held=True))
    task_id = task_id_of(await create())
    await kie.until(lambda it: it.task(task_id).state is State.GENERATING)

    kie.finish(task_id)
    await kie.until_settled(tasks=1)

    assert kie.task(task_id).state is State.SUCCEEDED


async def test_durations_are_kept(kie: FakeKie, create: Create) -> None:
    kie.plan_next(Plan(seconds=0.4))

    task_id = task_id_of(await create())
    await kie.until_settled(tasks=1)

    truth = kie.task(task_id)
    assert truth.ended_at is not None
    assert truth.ended_at - truth.created_at >= 0.39


async def test_a_silent_task_is_known_to_polls_only(
    kie: FakeKie, http: httpx.AsyncClient, create: Create, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0, calls_back=False))

    task_id = task_id_of(await create())
    await kie.until_settled(tasks=1)
    poll = await http.get(POLL, params={"taskId": task_id})

    assert poll.json()["data"]["state"] == "success"
    assert receiver.received == []


async def test_a_late_callback_waits_for_its_delay(kie: FakeKie, create: Create) -> None:
    kie.plan_next(Plan(seconds=0.0, callback_delay=0.3))

    task_id = task_id_of(await create())
    await kie.until_settled(tasks=1)

    truth = kie.task(task_id)
    assert truth.ended_at is not None
    assert truth.callbacks[0].at - truth.ended_at >= 0.29


async def test_copies_come_one_after_the_other(
    kie: FakeKie, create: Create, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0, copies=3))
    receiver.gate.clear()

    await create()
    await receiver.until(lambda it: bool(it.received))
    seen_unanswered = len(receiver.received)
    receiver.gate.set()
    await kie.until_settled(tasks=1)

    assert seen_unanswered == 1
    assert len({it.body for it in receiver.received}) == 1
    assert len(receiver.received) == 3


async def test_parallel_copies_come_at_once(
    kie: FakeKie, create: Create, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0, copies=5, parallel=True))
    receiver.gate.clear()

    await create()
    await receiver.until(lambda it: len(it.received) == 5, within=0.25)
    receiver.gate.set()
    await kie.until_settled(tasks=1)

    assert len(kie.tasks()[0].callbacks) == 5


async def test_progress_may_come_after_the_end(
    kie: FakeKie, create: Create, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0, out_of_order=True))

    await create()
    await kie.until_settled(tasks=1)

    told = [it.json()["data"] for it in receiver.received]
    assert [it["state"] for it in told if isinstance(it, dict)] == ["success", "generating"]


async def test_suno_stages_may_come_after_the_end(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0, out_of_order=True))

    await http.post("/api/v1/generate", json={"prompt": "x", "callBackUrl": receiver.url})
    await kie.until_settled(tasks=1)

    told = [it.json()["data"] for it in receiver.received]
    kinds = [it["callbackType"] for it in told if isinstance(it, dict)]
    assert kinds == ["complete", "first", "text"]


@pytest.mark.parametrize("garbage", list(Garbage))
async def test_garbage_comes_once_and_before_the_real_callback(
    kie: FakeKie, create: Create, receiver: CallbackReceiver, garbage: Garbage
) -> None:
    kie.plan_next(Plan(seconds=0.0, garbage=garbage))
    receiver.answers.append(400)

    task_id = task_id_of(await create())
    await kie.until_settled(tasks=1)

    attempts = kie.task(task_id).callbacks
    assert [attempt.kind for attempt in attempts] == [CallbackKind.GARBAGE, CallbackKind.FINAL]
    assert attempts[0].body != attempts[1].body
    assert receiver.received[1].json()["code"] == 200


async def test_callbacks_are_signed_over_task_and_time(
    kie: FakeKie, create: Create, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0))

    task_id = task_id_of(await create())
    await kie.until_settled(tasks=1)

    headers = receiver.received[0].headers
    timestamp = headers[TIMESTAMP_HEADER]
    assert abs(int(timestamp) - time.time()) < 5
    assert headers[SIGNATURE_HEADER] == signature(
        key=HMAC_KEY, task_id=task_id, timestamp=timestamp
    )


async def test_a_wrong_signature_comes_only_as_often_as_planned(
    kie: FakeKie, create: Create, receiver: CallbackReceiver
) -> None:
    kie.plan_next(Plan(seconds=0.0, wrong_signatures=1))
    receiver.answers.append(401)

    task_id = task_id_of(await create())
    await kie.until_settled(tasks=1)

    attempts = kie.task(task_id).callbacks
    assert [attempt.rightly_signed for attempt in attempts] == [False, True]
    first, second = (it.headers[SIGNATURE_HEADER] for it in receiver.received)
    assert first != second


async def test_fresh_tasks_may_be_unseen_and_polls_may_err(
    kie: FakeKie, http: httpx.AsyncClient, create: Create
) -> None:
    kie.plan_next(Plan(seconds=0.0, unseen_polls=2, poll_errors=1, poll_error_code=455))
    task_id = task_id_of(await create())

    codes = [(await http.get(POLL, params={"taskId": task_id})).json()["code"] for _ in range(4)]

    assert codes == [422, 422, 455, 200]
