"""The world around one reconciler: what job-store asks and hears, over a real NATS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx
import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from pydantic import SecretStr

from chassis import bus, lifecycle
from contracts import streams, subjects
from contracts.message import Attempt
from contracts.polls import PollRequested
from contracts.reports import ReportReceived
from reconciler import app
from testkit.kie import FakeKie
from testkit.servers import NatsServer

WITHIN = 10.0


def requested(
    task_id: str,
    *,
    account: str = "default",
    family: str = "market",
    operation: str = "generate",
    valid_for: timedelta = timedelta(minutes=1),
) -> PollRequested:
    """Build a valid question about one task."""
    now = datetime.now(UTC)  # noqa: TID251 - the world's clock, the service reads the same
    attempt = Attempt(id=uuid4(), no=1, lease=30.0, not_after=now + valid_for)
    return PollRequested(
        id=f"poll:{attempt.id}",
        at=now,
        attempt=attempt,
        job_id=uuid4(),
        bot="shop",
        account=account,
        family=family,
        operation=operation,
        task_id=task_id,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class JobStore:
    """Asks and listens."""

    client: Client
    js: JetStreamContext
    reports: JetStreamContext.PullSubscription

    @classmethod
    @asynccontextmanager
    async def on(cls, url: str) -> AsyncIterator[Self]:
        """Make the streams and listen."""
        client = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
        js = client.jetstream()
        await bus.ensure_streams(js, stream_specs(), consumer_specs())
        reports = await js.pull_subscribe(subjects.REPORT_RECEIVED, durable="bench")
        yield cls(client=client, js=js, reports=reports)
        await client.close()

    async def ask(self, request: PollRequested) -> None:
        """Put a question on the stream."""
        await self.put(request.wire(), msg_id=request.id)

    async def put(self, data: bytes, *, msg_id: str) -> None:
        """Put anything on the stream."""
        headers = {"Nats-Msg-Id": msg_id}
        await self.js.publish(subjects.POLL_REQUESTED, data, headers=headers)

    async def report(self) -> ReportReceived:
        """Wait for the next report."""
        (message,) = await self.reports.fetch(1, timeout=WITHIN)
        await message.ack()
        return ReportReceived.read(message.data)

    async def answer(self, request: PollRequested) -> ReportReceived:
        """Ask and wait for the report."""
        await self.ask(request)
        return await self.report()

    async def count_reports(self) -> int:
        """Count what the stream ever took."""
        return (await self.js.stream_info(streams.REPORTS)).state.messages

    async def until_acked(self, count: int) -> None:
        """Wait until the reconciler has settled so many messages, in order."""
        async with asyncio.timeout(WITHIN):
            while await self._floor() < count:
                await asyncio.sleep(0.02)  # noqa: TID251 - the server tells no one about acks

    async def _floor(self) -> int:
        info = await self.js.consumer_info(streams.POLLS, app.NAME)
        return info.ack_floor.stream_seq if info.ack_floor else 0


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Everything one test needs."""

    nats: NatsServer
    kie: FakeKie
    store: JobStore
    secrets: Path

    async def created(self, *, key: str | None = None, input: dict[str, str] | None = None) -> str:  # noqa: A002 - KIE's word
        """Have KIE make a market task; return its id."""
        async with httpx.AsyncClient(base_url=self.kie.url) as http:
            answer = await http.post(
                "/api/v1/jobs/createTask",
                json={"model": "google/nano-banana", "input": input or {"prompt": "a lake"}},
                headers={"Authorization": f"Bearer {key or self.kie.api_key}"},
            )
        task_id = answer.json()["data"]["taskId"]
        assert isinstance(task_id, str)
        return task_id

    @asynccontextmanager
    async def reconciler(self, *, url: str | None = None) -> AsyncIterator[None]:
        """Run the whole service inside this event loop."""
        settings = app.Settings(
            nats_url=self.nats.url,
            kie_api_url=url or self.kie.url,
            kie_api_key=SecretStr(self.kie.api_key),
            secrets_dir=self.secrets,
        )
        async with lifecycle.service(app.build, settings, name=app.NAME):
            yield


def stream_specs() -> list[bus.StreamSpec]:
    """All streams of the contracts."""
    return [bus.StreamSpec.of(stream) for stream in streams.STREAMS]


def consumer_specs() -> list[bus.ConsumerSpec]:
    """All durables of the contracts."""
    return [bus.ConsumerSpec.of(consumer) for consumer in streams.CONSUMERS]
