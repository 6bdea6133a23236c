"""The server as a whole: keys, limits, media, the /sim surface, the seed and the process."""

import json
import sys
from asyncio import create_subprocess_exec, wait_for
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from testkit.kie import (
    PRESETS,
    CallbackReceiver,
    FakeKie,
    Plan,
    Rate,
    State,
)

CREATE = "/api/v1/jobs/createTask"
QUICK = Plan(seconds=0.0)


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie(retry_delays=(), create_rate=None) as kie:
        yield kie


@pytest.fixture
async def http(kie: FakeKie) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(kie) as http:
        yield http


def client_of(kie: FakeKie, *, key: str | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key or kie.api_key}"}
    return httpx.AsyncClient(base_url=kie.url, headers=headers, timeout=10)


async def create(
    http: httpx.AsyncClient, prompt: str = "a cat", *, model: str = "nano-banana-2"
) -> dict[str, object]:
    answer = await http.post(CREATE, json={"model": model, "input": {"prompt": prompt}})
    assert answer.status_code == 200
    body: dict[str, object] = answer.json()
    return body


async def test_a_wrong_key_is_refused_within_http_200(kie: FakeKie) -> None:
    async with client_of(kie, key="wrong") as http:
        answer = await create(http)

    assert answer["code"] == 401


async def test_create_needs_a_model(http: httpx.AsyncClient) -> None:
    assert (await create(http, model=""))["code"] == 422


async def test_suno_needs_a_callback_url(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/v1/generate", json={"prompt": "x"})

    assert answer.json()["msg"] == "Please enter callBackUrl."


async def test_creates_beyond_the_rate_are_refused_and_not_queued() -> None:
    async with FakeKie(create_rate=Rate(calls=3, seconds=60.0)) as kie, client_of(kie) as http:
        codes = [(await create(http))["code"] for _ in range(5)]

    assert codes == [200, 200, 200, 429, 429]
    assert kie.counts()["tasks"] == 3


async def test_each_key_is_an_account_of_its_own() -> None:
    async with (
        FakeKie(create_rate=Rate(calls=1, seconds=60.0), more_api_keys=("other",)) as kie,
        client_of(kie) as http,
        client_of(kie, key="other") as other,
    ):
        kie.plan_next(QUICK, count=2)
        mine = await create(http)
        theirs = await create(other)
        task = mine["data"]
        assert isinstance(task, dict)
        poll = await other.get("/api/v1/jobs/recordInfo", params={"taskId": task["taskId"]})

    assert [mine["code"], theirs["code"]] == [200, 200]
    assert poll.json()["msg"] == "recordInfo is null"
    assert [truth.account for truth in kie.tasks()] == ["account-1", "account-2"]


async def test_polls_may_be_limited() -> None:
    async with FakeKie(poll_rate=Rate(calls=1, seconds=60.0)) as kie, client_of(kie) as http:
        polls = [
            (await http.get("/api/v1/jobs/recordInfo?taskId=x")).json()["code"] for _ in range(2)
        ]

    assert polls == [422, 429]


async def test_credits_are_spent_by_success_only(kie: FakeKie, http: httpx.AsyncClient) -> None:
    kie.plan_next(replace(QUICK, fails=True))
    kie.plan_next(QUICK)
    before = kie.credits_left()

    for _ in range(2):
        await create(http)
    await kie.until_settled(tasks=2)
    answer = await http.get("/api/v1/chat/credit")

    spent = sum(truth.credits_consumed for truth in kie.tasks())
    assert spent > 0
    assert answer.json()["data"] == kie.credits_left() == before - spent


async def test_an_empty_account_is_refused() -> None:
    async with FakeKie(credits_at_start=1.0) as kie, client_of(kie) as http:
        assert (await create(http))["code"] == 402


async def test_download_url_takes_only_our_own_urls(kie: FakeKie, http: httpx.AsyncClient) -> None:
    kie.plan_next(QUICK)
    await create(http)
    await kie.until_settled(tasks=1)
    path = "/api/v1/common/download-url"

    ours = (await http.post(path, json={"url": kie.tasks()[0].media_urls[0]})).json()
    foreign = (await http.post(path, json={"url": "https://example.com/a.png"})).json()

    assert (await http.get(ours["data"])).status_code == 200
    assert foreign == {"code": 422, "msg": "url is wrong", "data": None}


async def test_plans_are_ordered_over_http(kie: FakeKie, http: httpx.AsyncClient) -> None:
    plan = {"seconds": 0, "fails": True, "create_answer": "ok"}

    marked = await http.post("/sim/plans", json={"marker": "doomed", "plan": plan})
    queued = await http.post("/sim/plans", json={"next": 1, "plan": plan})
    for prompt in ("plan:doomed", "a cat"):
        await create(http, prompt)
    await kie.until_settled(tasks=2)

    assert [marked.status_code, queued.status_code] == [200, 200]
    assert [truth.state for truth in kie.tasks()] == [State.FAILED, State.FAILED]


@pytest.mark.parametrize(
    "order",
    [
        {"plan": {}},
        {"plan": {}, "marker": "a", "next": 1},
        {"plan": {"unheard_of": 1}, "next": 1},
        {"plan": {"create_answer": "sideways"}, "next": 1},
    ],
)
async def test_a_bad_order_is_refused(http: httpx.AsyncClient, order: dict[str, object]) -> None:
    assert (await http.post("/sim/plans", json=order)).status_code == 400


async def test_switches_are_turned_over_http(kie: FakeKie, http: httpx.AsyncClient) -> None:
    answer = await http.post("/sim/switches", json={"outage": "503", "copies": 2})
    refused = await http.post("/sim/switches", json={"outage": "sometimes"})

    assert answer.json()["outage"] == "503"
    assert refused.status_code == 400
    assert kie.switches.copies == 2
    assert (await http.post(CREATE, json={})).status_code == 503


async def test_the_truth_is_told_over_http(kie: FakeKie, http: httpx.AsyncClient) -> None:
    async with CallbackReceiver() as receiver:
        kie.plan_next(Plan(seconds=0.0, held=True))
        request = {"model": "m", "input": {"prompt": "x"}, "callBackUrl": receiver.url}
        task_id = (await http.post(CREATE, json=request)).json()["data"]["taskId"]
        early = await http.post(f"/sim/tasks/{task_id}/callback")
        await http.post(f"/sim/tasks/{task_id}/finish")
        await kie.until_settled(tasks=1)
        again = await http.post(f"/sim/tasks/{task_id}/callback")
        told = (await http.get("/sim/tasks")).json()

    (truth,) = told["tasks"]
    assert early.status_code == 409
    assert again.json() == {"accepted": True}
    assert told["counts"]["tasks"] == 1
    assert truth["request"] == request
    assert truth["state"] == "succeeded"
    assert [attempt["status"] for attempt in truth["callbacks"]] == [200, 200]
    assert json.loads(truth["callbacks"][0]["body"])["data"]["taskId"] == task_id


async def test_without_faults_everything_succeeds_once() -> None:
    async with CallbackReceiver() as receiver, FakeKie(create_rate=None) as kie:
        async with client_of(kie) as http:
            for number in range(20):
                body = {"model": "m", "input": {"prompt": str(number)}, "callBackUrl": receiver.url}
                assert (await http.post(CREATE, json=body)).json()["code"] == 200
        await kie.until_settled(tasks=20)

    assert {truth.state for truth in kie.tasks()} == {State.SUCCEEDED}
    assert len(receiver.received) == 20


async def test_settled_tasks_are_forgotten_in_the_end() -> None:
    async with FakeKie(create_rate=None, keep_tasks=5) as kie, client_of(kie) as http:
        kie.plan_next(Plan(seconds=3600.0))
        kie.plan_next(QUICK, count=20)
        for _ in range(20):
            await create(http)
            await kie.until(lambda it: sum(not truth.settled for truth in it.tasks()) == 1)

        assert len(kie.tasks()) == 5
        assert kie.counts()["tasks"] == 20
        assert kie.tasks()[0].seconds == 3600.0  # a running one is never forgotten


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_carry_their_own_name(preset: str) -> None:
    assert PRESETS[preset].name == preset


async def test_the_process_says_where_it_is_and_stops_when_told(tmp_path: Path) -> None:
    key_file = tmp_path / "hmac"
    key_file.write_text("secret\n")
    arguments = ("--port", "0", "--seed", "3", "--faults", "light", "--hmac-key-file", key_file)
    process = await create_subprocess_exec(
        sys.executable, "-m", "testkit.kie", *arguments, stdout=PIPE
    )
    assert process.stdout is not None

    try:
        ready = json.loads(await wait_for(process.stdout.readline(), timeout=20))
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{ready['url']}/sim/tasks")
    finally:
        process.terminate()
        code = await wait_for(process.wait(), timeout=10)

    assert answer.json() == {"tasks": [], "counts": {}}
    assert ready["seed"] == 3
    assert code == 0
