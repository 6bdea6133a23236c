"""What a stranger's hand may change under a running system: the bus, and the clocks of its machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

import deliverer.app
from chassis import bus, clock, lifecycle
from contracts import streams
from contracts.api import JobView
from contracts.values import JobState, MoneyState
from deployment import TOKEN, Deployment
from job_store.migrate import migrate_bus
from sendonce import DeadlinePassed
from testkit.kie import Plan

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PRICE = 10


async def paid(deployment: Deployment, **fields: Any) -> JobView:
    await deployment.sendonce.topup(7, currency="RUB", amount=PRICE, reference=str(uuid4()))
    return await deployment.sendonce.create(
        key=str(uuid4()),
        chat_id=7,
        user_id=7,
        model="nano-banana-2",
        input={"prompt": "a cat"},
        price=PRICE,
        **fields,
    )


async def assert_delivered_once(deployment: Deployment, *jobs: JobView) -> None:
    for job in await deployment.until_final(*jobs, within=60):
        assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.CAPTURED)
        assert deployment.showings(job) == [1]
    wallet = await deployment.sendonce.wallet(7, currency="RUB")
    assert (wallet.balance, wallet.held) == (0, 0)


async def test_fault_21_limits_that_another_service_set_are_refused_at_the_start_and_mended(
    deployment: Deployment,
):
    """Who runs goes on; who starts says what differs; the migration puts it back, with every message."""
    js = deployment.client.jetstream()
    for stream in (streams.REPORTS, streams.DELIVERIES, streams.OUTCOMES):
        found = (await js.stream_info(stream)).config
        await js.update_stream(found.evolve(max_age=3_600.0, max_msgs=100_000))
    job = await paid(deployment)
    await assert_delivered_once(deployment, job)
    kept = (await js.stream_info(streams.REPORTS)).state.messages

    chosen = deliverer.app.Settings(nats_url=deployment.nats_url, bot_token=SecretStr(TOKEN))
    with pytest.raises(bus.StreamDrift, match="stream OUTCOMES: max_age is 3600"):
        async with lifecycle.service(deliverer.app.build, chosen, name="deliverer"):
            pytest.fail("it started")
    assert len(await migrate_bus(deployment.nats_url)) == 3

    async with lifecycle.service(deliverer.app.build, chosen, name="deliverer"):
        assert (await js.stream_info(streams.REPORTS)).state.messages == kept


async def test_fault_21_a_subject_taken_away_stops_callbacks_with_503_until_it_is_back(
    deployment: Deployment,
):
    deployment.kie.plan_next(Plan(held=True))
    job = await paid(deployment)
    running = await deployment.until_state(job, JobState.RUNNING)
    js = deployment.client.jetstream()
    found = (await js.stream_info(streams.REPORTS)).config
    await js.update_stream(found.evolve(subjects=["elsewhere"]))

    async with httpx.AsyncClient(timeout=30) as http:
        body = {"code": 200, "data": {"taskId": "stranger", "state": "waiting"}}
        refused = await http.post(f"{deployment.gateway_url}/callbacks/kie", json=body)
        deployment.kie.finish(running.task_ids[0])
        assert (await migrate_bus(deployment.nats_url)) != []
        taken = await http.post(f"{deployment.gateway_url}/callbacks/kie", json=body)

    assert (refused.status_code, taken.status_code) == (503, 200)
    await assert_delivered_once(deployment, job)


@contextmanager
def clocks_off_by(by: timedelta) -> Iterator[None]:
    """The services' machines have another time than Postgres' and KIE's."""
    patched = pytest.MonkeyPatch()

    def off(_clock: clock.SystemClock) -> datetime:
        return datetime.now(UTC) + by  # noqa: TID251 - the wall clock of a machine that is off

    patched.setattr(clock.SystemClock, "now", off)
    try:
        yield
    finally:
        patched.undo()


async def signatures(deployment: Deployment) -> list[str]:
    """What the gateway thought of the signatures of what was called back."""
    connection = await asyncpg.connect(deployment.database_url)
    try:
        rows = await connection.fetch("SELECT hmac FROM sendonce.reports WHERE origin = 'callback'")
    finally:
        await connection.close()
    return [row["hmac"] for row in rows]


@pytest.mark.parametrize("hours", [1, -1], ids=["ahead", "behind"])
async def test_fault_52_services_whose_clocks_are_off_by_an_hour_do_nothing_twice(
    deployment: Deployment, hours: int, monkeypatch: pytest.MonkeyPatch
):
    """Signatures look old, so KIE is asked; ahead, questions look late too and are not answered."""
    monkeypatch.setattr("job_store.domain.lifecycle.POLL_LEASE", timedelta(seconds=2))
    deployment.kie.plan_next(Plan(held=True), count=3)
    jobs = [await paid(deployment, status="none") for _ in range(3)]
    jobs = [await deployment.until_state(job, JobState.RUNNING) for job in jobs]

    with clocks_off_by(timedelta(hours=hours)):
        for job in jobs:
            deployment.kie.finish(job.task_ids[0])

        async def heard() -> bool:
            return await signatures(deployment) == ["stale"] * len(jobs)

        await deployment.eventually(heard)
        if hours > 0:
            with pytest.raises(DeadlinePassed):
                await deployment.sendonce.get(job_id=jobs[0].id)
        else:
            await assert_delivered_once(deployment, *jobs)
    await assert_delivered_once(deployment, *jobs)

    findings = (await deployment.ops("doctor"))["findings"]
    assert [one["check"] for one in findings if not one["ok"]] == []
