"""How callbacks are delivered: timeout, retries, what counts as taken, and the global switches."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from testkit.kie import CallbackReceiver, FakeKie, Outage, Plan, read_truth

CREATE = "/api/v1/jobs/createTask"
QUICK = Plan(seconds=0.0)


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    delays = (0.01, 0.01, 0.01)
    async with FakeKie(retry_delays=delays, receiver_timeout=0.2, create_rate=None) as kie:
        kie.plan_next(QUICK, count=100)
        yield kie


@pytest.fixture
async def http(kie: FakeKie) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {kie.api_key}"}
    async with httpx.AsyncClient(base_url=kie.url, headers=headers, timeout=5) as http:
        yield http


async def create(http: httpx.AsyncClient, callback_url: str | None) -> httpx.Response:
    body: dict[str, object] = {"model": "nano-banana-2", "input": {"prompt": "a cat"}}
    if callback_url is not None:
        body["callBackUrl"] = callback_url
    return await http.post(CREATE, json=body)


async def test_no_callback_url_no_callback(kie: FakeKie, http: httpx.AsyncClient) -> None:
    await create(http, None)
    await kie.until_settled(tasks=1)

    assert kie.tasks()[0].callbacks == ()


async def test_whoever_asks_over_http_reads_the_same_truth(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    receiver.answers.extend([500])
    await create(http, receiver.url)
    await create(http, None)
    await kie.until_settled(tasks=2)

    summary = (await http.get(f"{kie.url}/sim")).json()
    everything = (await http.get(f"{kie.url}/sim/tasks")).json()["tasks"]
    called_back = (await http.get(f"{kie.url}/sim/tasks", params={"text": receiver.url})).json()

    assert (summary["counts"], summary["unsettled"]) == (dict(kie.counts()), 0)
    assert tuple(map(read_truth, everything)) == kie.tasks()
    assert [task["task_id"] for task in called_back["tasks"]] == [kie.tasks()[0].task_id]


async def test_delivery_stops_at_the_first_200(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    receiver.answers.extend([500, 503])

    await create(http, receiver.url)
    await kie.until_settled(tasks=1)

    attempts = kie.tasks()[0].callbacks
    assert [attempt.status for attempt in attempts] == [500, 503, 200]
    assert [attempt.attempt for attempt in attempts] == [1, 2, 3]
    assert kie.tasks()[0].acknowledged
    assert kie.counts()["callbacks_sent"] == 3
    assert kie.counts()["callbacks_accepted"] == 1


async def test_after_three_retries_kie_gives_up(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    receiver.answers.extend([500] * 10)

    await create(http, receiver.url)
    await kie.until_settled(tasks=1)

    assert len(receiver.received) == 4
    assert not kie.tasks()[0].acknowledged


@pytest.mark.parametrize("status", [201, 204, 302, 400])
async def test_anything_but_200_is_tried_again(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver, status: int
) -> None:
    receiver.answers.append(status)

    await create(http, receiver.url)
    await kie.until_settled(tasks=1)

    assert [attempt.status for attempt in kie.tasks()[0].callbacks] == [status, 200]


async def test_a_receiver_that_is_silent_too_long_is_tried_again(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    receiver.gate.clear()

    await create(http, receiver.url)
    await receiver.until(lambda it: len(it.received) == 2)
    receiver.gate.set()
    await kie.until_settled(tasks=1)

    first, second = kie.tasks()[0].callbacks
    assert first.status is None
    assert first.error is not None
    assert first.error.startswith("TimeoutError")
    assert second.status == 200


async def test_nobody_listening_is_written_down(kie: FakeKie, http: httpx.AsyncClient) -> None:
    await create(http, "http://127.0.0.1:9/nobody")
    await kie.until_settled(tasks=1)

    attempts = kie.tasks()[0].callbacks
    assert [attempt.status for attempt in attempts] == [None] * 4


async def test_an_unusable_callback_url_is_accepted_and_never_called(
    kie: FakeKie, http: httpx.AsyncClient
) -> None:
    answer = await create(http, "not a url")
    await kie.until_settled(tasks=1)

    assert answer.json()["code"] == 200
    assert all(attempt.error for attempt in kie.tasks()[0].callbacks)


async def test_suppressed_callbacks_can_be_sent_later(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    kie.switches.suppress_all_callbacks = True
    await create(http, receiver.url)
    await kie.until_settled(tasks=1)
    assert receiver.received == []

    taken = await kie.call_back_again(kie.tasks()[0].task_id)

    assert taken
    assert len(receiver.received) == 1


async def test_all_callbacks_may_be_doubled_at_once(
    kie: FakeKie, http: httpx.AsyncClient, receiver: CallbackReceiver
) -> None:
    kie.switches.duplicate_all(3, parallel=True)
    receiver.gate.clear()

    await create(http, receiver.url)
    await receiver.until(lambda it: len(it.received) == 3, within=0.15)
    receiver.gate.set()
    await kie.until_settled(tasks=1)

    assert len(receiver.received) == 3


@pytest.mark.parametrize("code,polled", [(401, 401), (402, 422), (433, 422), (455, 455)])
async def test_an_account_state_answers_creates_and_some_answer_polls_too(
    kie: FakeKie, http: httpx.AsyncClient, code: int, polled: int
) -> None:
    kie.switches.account_code = code

    answer = await create(http, None)
    poll = await http.get("/api/v1/jobs/recordInfo", params={"taskId": "nobody"})

    assert answer.status_code == 200
    assert answer.json()["code"] == code
    assert poll.json()["code"] == polled
    assert kie.tasks() == ()


async def test_an_outage_may_refuse(kie: FakeKie, http: httpx.AsyncClient) -> None:
    kie.switches.outage = Outage.REFUSE

    with pytest.raises(httpx.TransportError):
        await create(http, None)


async def test_an_outage_may_answer_503(kie: FakeKie, http: httpx.AsyncClient) -> None:
    kie.switches.outage = Outage.HTTP_503

    assert (await create(http, None)).status_code == 503


async def test_an_outage_may_hang(kie: FakeKie, http: httpx.AsyncClient) -> None:
    kie.switches.outage = Outage.HANG
    http.timeout = httpx.Timeout(0.1)

    with pytest.raises(httpx.TimeoutException):
        await create(http, None)


async def test_leaving_cancels_what_still_runs() -> None:
    before = asyncio.all_tasks()

    async with CallbackReceiver() as receiver, FakeKie(create_rate=None) as kie:
        kie.plan_next(Plan(seconds=3600.0), count=20)
        kie.plan_next(Plan(seconds=0.0, callback_delay=3600.0), count=20)
        headers = {"Authorization": f"Bearer {kie.api_key}"}
        async with httpx.AsyncClient(base_url=kie.url, headers=headers) as http:
            for _ in range(40):
                await create(http, receiver.url)

    assert asyncio.all_tasks() == before
