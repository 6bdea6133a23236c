"""What others see of the system: the $SRV service, typed refusals at every door, events in order."""

import asyncio
import json
from typing import Any

import pytest

from contracts import subjects
from contracts.events import JobEvent
from deployment import Deployment
from sendonce import InsufficientFunds, InvalidRequest, UnknownJob

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def asked(deployment: Deployment, subject: str, body: bytes) -> dict[str, Any]:
    reply = await deployment.client.request(subject, body, timeout=10)
    answer: dict[str, Any] = json.loads(reply.data)
    return answer


async def test_job_store_is_visible_as_a_service(deployment: Deployment):
    found = await asked(deployment, "$SRV.PING.job-store", b"")
    assert (found["name"], found["type"]) == ("job-store", "io.nats.micro.v1.ping_response")
    info = await asked(deployment, "$SRV.INFO.job-store", b"")
    served = {endpoint["subject"] for endpoint in info["endpoints"]}
    assert served >= {subjects.api("*", verb) for verb in subjects.API_VERBS}
    assert served >= {subjects.ops(verb) for verb in subjects.OPS_VERBS}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\x00\xff",
        b'{"key": 5}',
        b'{"key": "k", "chat_id": 99999999999999999999}',
        b"[" * 100_000,
        json.dumps(
            {"key": "a\x00b", "chat_id": 1, "user_id": 1, "model": "m", "input": {}}
        ).encode(),
        json.dumps({"key": "k", "chat_id": 1, "user_id": 1, "price": -5}).encode(),
        json.dumps({"key": "k", "chat_id": 1, "user_id": 1, "price": 1.5}).encode(),
    ],
)
async def test_garbage_at_the_api_is_refused_typed_and_changes_nothing(
    deployment: Deployment, body: bytes
):
    for verb in ("jobs.create", "jobs.get", "wallets.topup", "changes"):
        answer = await asked(deployment, subjects.api("default", verb), body)
        assert answer["error"]["code"] == "invalid_request", (verb, answer)
    status = await deployment.ops("status")
    assert status["bots"][0]["open_jobs"] == 0


async def test_garbage_on_the_bus_becomes_a_dead_letter_and_blocks_nobody(deployment: Deployment):
    js = deployment.client.jetstream()
    for subject in ("reports.received", "submissions.outcome", "deliveries.outcome"):
        for body in (b"", b"\x00", b"{}", b"[1]", b'{"id": "12345678"}'):
            await js.publish(subject, body)
    for subject in ("submissions.requested", "deliveries.requested", "polls.requested"):
        await js.publish(subject, b"garbage")

    async def kept() -> bool:
        return (await deployment.ops("status"))["dead_letters"] == 15

    await deployment.eventually(kept)
    job = await deployment.sendonce.create(
        key="after", chat_id=1, user_id=1, model="nano-banana-2", input={"prompt": "x"}
    )
    (done,) = await deployment.until_final(job)
    assert deployment.showings(done) == [1]


async def test_refusals_say_what_happened(deployment: Deployment):
    with pytest.raises(InsufficientFunds, match="balance is 0"):
        await deployment.sendonce.create(
            key="k", chat_id=1, user_id=1, model="m", input={"prompt": "x"}, price=5
        )
    with pytest.raises(UnknownJob):
        await deployment.sendonce.get(key="nobody")
    with pytest.raises(InvalidRequest):
        await deployment.sendonce.create(key="k", chat_id=1, user_id=1, model="", input={})


async def test_a_bots_events_come_in_order_without_gaps(deployment: Deployment):
    jobs = await asyncio.gather(
        *(
            deployment.sendonce.create(
                key=f"k{n}", chat_id=n + 1, user_id=1, model="m", input={"prompt": "x"}
            )
            for n in range(10)
        )
    )
    await deployment.until_final(*jobs)

    events: list[JobEvent] = []
    async with asyncio.timeout(10):
        async for event in deployment.sendonce.events():
            events.append(event)
            if sum(e.event == "delivered" for e in events) == len(jobs):
                break

    seqs = [event.seq for event in events]
    assert seqs == sorted(seqs)
    for job in jobs:
        told = [str(event.event) for event in events if event.job_id == job.id]
        assert told == ["created", "running", "succeeded", "delivered"]


async def test_a_deleted_durable_is_made_again_and_nothing_is_lost(deployment: Deployment):
    js = deployment.client.jetstream()
    await js.delete_consumer("REPORTS", "job-store-reports")
    await js.delete_consumer("DELIVERIES", "deliverer")
    job = await deployment.sendonce.create(
        key="k", chat_id=1, user_id=1, model="m", input={"prompt": "x"}
    )
    (done,) = await deployment.until_final(job)
    assert deployment.showings(done) == [1]


async def test_a_job_is_known_to_its_own_bot_only(deployment: Deployment):
    await deployment.ops("bots.add", slug="other")
    job = await deployment.sendonce.create(
        key="k", chat_id=1, user_id=1, model="m", input={"prompt": "x"}
    )
    body = {"job_id": str(job.id), "not_after": "2100-01-01T00:00:00Z"}
    answer = await asked(deployment, subjects.api("other", "jobs.get"), json.dumps(body).encode())
    assert answer["error"]["code"] == "unknown_job"
