"""What the README promises, each under the fault that would break it."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contracts.api import JobView
from contracts.values import JobState, MoneyState
from deployment import Deployment, deployed
from testkit.kie import Plan
from testkit.telegram import ChatKind, FaultPlan, Mode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def create(deployment: Deployment, prompt: str = "a cat", **fields: Any) -> JobView:
    base = {
        "key": str(uuid4()),
        "chat_id": 7,
        "user_id": 7,
        "model": "nano-banana-2",
        "input": {"prompt": prompt},
    }
    return await deployment.sendonce.create(**base | fields)


async def many(deployment: Deployment, count: int, **fields: Any) -> Sequence[JobView]:
    return await asyncio.gather(
        *(create(deployment, chat_id=1_000 + n, **fields) for n in range(count))
    )


async def test_fault_09_without_any_callback_everything_is_delivered_by_polling(
    deployment: Deployment,
):
    deployment.kie.switches.suppress_all_callbacks = True

    done = await deployment.until_final(*await many(deployment, 30), within=60)

    assert {job.state for job in done} == {JobState.DELIVERED}
    assert [deployment.showings(job) for job in done] == [[1]] * 30


async def test_without_a_public_url_everything_is_delivered_by_polling(
    database_url: str, nats_url: str
):
    async with deployed(database_url=database_url, nats_url=nats_url, public=False) as deployment:
        done = await deployment.until_final(*await many(deployment, 10), within=60)
        assert [deployment.showings(job) for job in done] == [[1]] * 10


async def test_every_callback_five_times_in_parallel_charges_and_shows_once(
    deployment: Deployment,
):
    deployment.kie.switches.duplicate_all(5, parallel=True)
    await deployment.sendonce.topup(user_id=7, currency="RUB", amount=3_000, reference="r")

    done = await deployment.until_final(*await many(deployment, 30, price=100), within=60)

    assert [deployment.showings(job) for job in done] == [[1]] * 30
    wallet = await deployment.sendonce.wallet(user_id=7, currency="RUB")
    assert (wallet.balance, wallet.held) == (0, 0)


@pytest.mark.alone
async def test_fault_07_an_orphan_is_matched_within_100_ms_of_its_task_id(deployment: Deployment):
    """The callback came first; 99 of 100 attaches answer with the matched job within 100 ms."""
    seconds = []
    for n in range(100):
        job = await deployment.sendonce.expect(key=f"o{n}", chat_id=2_000 + n, user_id=7)
        task_id = await own_task(deployment, f"{deployment.gateway_url}/callbacks/kie")
        await deployment.kie.until(lambda kie, t=task_id: kie.task(t).callbacks, within=10)
        await waiting_orphan(deployment, task_id)
        began = time.monotonic()
        matched = await deployment.sendonce.attach(job_id=job.id, task_id=task_id)
        seconds.append(time.monotonic() - began)
        assert matched.state is JobState.SUCCEEDED

    assert sorted(seconds)[98] < 0.1, sorted(seconds)[90:]


async def own_task(deployment: Deployment, callback_url: str) -> str:
    """Create a task as a bot that keeps its own KIE call."""
    deployment.kie.plan_next(Plan(seconds=0.0))
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{deployment.kie.url}/api/v1/jobs/createTask",
            headers={"Authorization": f"Bearer {deployment.kie.api_key}"},
            json={
                "model": "nano-banana-2",
                "input": {"prompt": "mine"},
                "callBackUrl": callback_url,
            },
        )
    task_id: str = answer.json()["data"]["taskId"]
    return task_id


async def waiting_orphan(deployment: Deployment, task_id: str) -> None:
    async def stored() -> bool:
        orphans = await deployment.ops("orphans.list", limit=500)
        return any(orphan["task_id"] == task_id for orphan in orphans["orphans"])

    await deployment.eventually(stored)


@pytest.mark.parametrize(
    "plan", ["early", "lost", "twice", "burst", "silent", "garbage", "late", "unsigned", "busy"]
)
async def test_whatever_kie_does_the_result_is_shown_once(deployment: Deployment, plan: str):
    (done,) = await deployment.until_final(await create(deployment, f"plan:{plan}"), within=60)
    assert done.state is JobState.DELIVERED
    assert deployment.showings(done) == [1]


@pytest.mark.parametrize(
    "mode",
    [
        Mode.CLOSE_BEFORE_COMMIT,
        Mode.RST_BEFORE_COMMIT,
        Mode.HANG_BEFORE_COMMIT,
        Mode.REJECT_BEFORE_COMMIT,
        Mode.BAD_GATEWAY,
        Mode.TOO_MANY,
        Mode.COMMIT_THEN_CLOSE,
        Mode.COMMIT_THEN_RST,
        Mode.COMMIT_THEN_HANG,
        Mode.HANG_THEN_COMMIT,
        Mode.COMMIT_THEN_RESTART,
        Mode.COMMIT_THEN_FLOOD,
        Mode.COMMIT_THEN_HTML,
        Mode.COMMIT_THEN_TRUNCATED,
        Mode.COMMIT_UNDECODABLE,
    ],
)
async def test_fault_44_45_whatever_telegram_does_the_result_stands_once(
    deployment: Deployment, mode: Mode
):
    """Every call fails once this way: status, carrier and edit."""
    for method in ("sendMessage", "editMessageMedia"):
        deployment.telegram.faults.add(FaultPlan(mode=mode, methods=frozenset({method}), times=1))

    (done,) = await deployment.until_final(await create(deployment, notify="fresh"), within=60)

    assert done.state is JobState.DELIVERED
    assert deployment.showings(done) == [1]


async def test_a_failure_is_refunded_and_said_in_the_users_language(deployment: Deployment):
    await deployment.sendonce.topup(user_id=7, currency="RUB", amount=500, reference="r")

    job = await create(deployment, "plan:fail", price=500, language="ru")
    (done,) = await deployment.until_final(job)

    assert (done.state, done.money) == (JobState.FAILED, MoneyState.RELEASED)
    await deployment.telegram.until(
        lambda: any("5.00 RUB" in shown.text for shown in deployment.telegram.visible(7)),
        seconds=15,
    )


async def test_fault_46_a_blocked_user_gets_the_result_when_they_are_back(deployment: Deployment):
    deployment.telegram.add_chat(7, kind=ChatKind.PRIVATE)
    deployment.telegram.block(7)
    job = await create(deployment, status="none")
    await deployment.until_part(job, "parked")

    deployment.telegram.unblock(7)
    await deployment.sendonce.returned(chat_id=7)
    (done,) = await deployment.until_final(job)

    assert deployment.showings(done) == [1]


async def test_several_results_stand_in_order_each_in_its_own_message(deployment: Deployment):
    deployment.kie.plan_next(Plan(outputs=4))
    (done,) = await deployment.until_final(await create(deployment))
    assert deployment.showings(done) == [1, 1, 1, 1]
    ids = [part.message_id for part in sorted(done.parts, key=lambda part: part.ordinal)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 4


async def test_fault_12_garbage_at_the_public_door_changes_nothing(deployment: Deployment):
    bodies = [
        b"",
        b"\x00",
        b"[]",
        b"{" * 100_000,
        b"x" * 10_000_000,
        b'{"data":{"taskId":"\\u0000"}}',
    ]
    async with httpx.AsyncClient() as http:
        for path in ("/callbacks/kie", "/callbacks/kie/not-a-token"):
            for body in bodies:
                try:
                    answer = await http.post(
                        deployment.gateway_url + path,
                        content=body,
                        headers={"content-type": "application/json"},
                    )
                except httpx.WriteError:
                    continue  # refused before the upload ended
                assert answer.status_code in {400, 401, 413}, (path, body[:20])
                assert answer.headers["content-type"] == "application/problem+json"
    status = await deployment.ops("status")
    assert status.get("callbacks", 0) == 0
    assert status["dead_letters"] == 0
