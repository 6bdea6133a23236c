"""What a user wrote stands in no log and no metric, whatever goes wrong with it on the way."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY, generate_latest

from chassis import clock, logs
from contracts import subjects
from contracts.values import JobState
from deployment import Deployment, deployed
from sendonce import Button, SendOnce
from testkit.kie import Plan
from testkit.logging_kept import logging_kept
from testkit.telegram import FaultPlan, Mode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PROMPT = "a zebra and a lamp at dusk"
IN_BASE64 = base64.b64encode(PROMPT.encode()).decode().rstrip("=")[:-2]
UNLUCKY = 13  # a user whom Postgres refuses
SOON = (clock.SYSTEM.now() + timedelta(hours=1)).isoformat()


@pytest_asyncio.fixture
async def deployment(
    database_url: str, nats_url: str, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Deployment]:
    """The five services, which log all they have to say."""
    with logging_kept():
        logs.configure(output="json", level="debug")
        async with deployed(database_url=database_url, nats_url=nats_url) as running:
            yield running


async def lives(sendonce: SendOnce, running: Deployment) -> None:
    """Jobs that end in every way, each with the words wherever they may stand."""
    running.kie.plan_marked("fails", Plan(fails=True, fail_message=f"flagged: {PROMPT}"))
    running.kie.plan_marked(
        "refused", Plan(reject_creates=99, reject_code=422, reject_message=f"no: {PROMPT}")
    )
    running.kie.plan_marked("silent", Plan(calls_back=False))
    running.telegram.faults.add(FaultPlan(mode=Mode.REJECT_BEFORE_COMMIT, status=400, times=1))
    running.telegram.faults.add(FaultPlan(mode=Mode.COMMIT_THEN_CLOSE, nth=3, times=2))
    jobs = [
        await sendonce.create(
            key=plan,
            chat_id=5,
            user_id=5,
            model="nano-banana-2",
            input={"prompt": f"{PROMPT} plan:{plan}"},
            caption=PROMPT,
            buttons=[[Button(text=PROMPT, url="https://e.example/more")]],
        )
        for plan in ("ok", "fails", "refused", "silent")
    ]
    ended = await running.until_final(*jobs, within=60)
    assert {job.state for job in ended} >= {JobState.DELIVERED, JobState.FAILED}


async def nonsense(running: Deployment) -> None:
    """The words in requests, messages and callbacks that nobody can read."""
    for body in (
        {"key": 5, "prompt": PROMPT},
        {"key": "k", "model": [PROMPT], "chat_id": 1, "user_id": 1, "input": {}},
        {"key": "k", "model": "m", "chat_id": 1, "user_id": 1, "input": PROMPT, "not_after": SOON},
    ):
        await running.client.request(
            subjects.api("default", "jobs.create"), json.dumps(body).encode(), timeout=10
        )
    js = running.client.jetstream()
    for subject in (
        *(subjects.REPORT_RECEIVED, subjects.SUBMISSION_OUTCOME, subjects.DELIVERY_OUTCOME),
        *(subjects.SUBMISSION_REQUESTED, subjects.DELIVERY_REQUESTED, subjects.POLL_REQUESTED),
    ):
        await js.publish(subject, json.dumps({"id": "12345678", "input": PROMPT}).encode())
        await js.publish(subject, PROMPT.encode())
    async with httpx.AsyncClient() as http:
        for path in ("", "/k1.of.nobody"):
            url = f"{running.gateway_url}/callbacks/kie{path}"
            await http.post(url, content=f'{{"data": "{PROMPT}"'.encode())

    async def given_up() -> bool:
        return bool((await running.ops("status"))["dead_letters"] == 6)

    await running.eventually(given_up)


async def refused_by_postgres(running: Deployment) -> None:
    """A row that breaks a law: Postgres quotes all of it."""
    connection = await asyncpg.connect(running.database_url)
    await connection.execute(
        f"ALTER TABLE sendonce.jobs ADD CHECK (user_id <> {UNLUCKY}) NOT VALID"
    )
    await connection.close()
    body = {"key": "k", "model": "m", "chat_id": 1, "user_id": UNLUCKY, "not_after": SOON}
    reply = await running.client.request(
        subjects.api("default", "jobs.create"),
        json.dumps(body | {"input": {"prompt": PROMPT}}).encode(),
        timeout=10,
    )
    assert b"unavailable" in reply.data


async def test_no_word_of_a_user_is_logged_or_counted(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    await lives(deployment.sendonce, deployment)
    await nonsense(deployment)
    await refused_by_postgres(deployment)

    said = "".join(capsys.readouterr())
    for line in ("[JOB_CREATE] job.created", "[KIE_CALLBACK] report.applied", "message.given_up"):
        assert line in said
    assert "violates check constraint" in said
    told = said + generate_latest(REGISTRY).decode()
    for words in (PROMPT, "zebra", "dusk", IN_BASE64):
        assert words not in told
