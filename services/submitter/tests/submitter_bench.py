"""The world around one submitter: a job-store played over a real NATS, and the service itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from pydantic import SecretStr

from chassis import bus, lifecycle
from contracts import streams, subjects
from contracts.effects import Begin, Go, Stop
from contracts.message import Attempt
from contracts.submissions import SubmissionOutcome, SubmissionRequested, SubmissionResult
from submitter import app
from testkit.kie import FakeKie
from testkit.servers import NatsServer

WITHIN = 10.0


def requested(
    *,
    attempt_id: UUID | None = None,
    account: str = "default",
    family: str = "market",
    operation: str = "generate",
    prompt: str = "a lake",
    call_timeout: float = 30.0,
    valid_for: timedelta = timedelta(minutes=1),
) -> SubmissionRequested:
    """Build a valid request for one createTask."""
    now = datetime.now(UTC)  # noqa: TID251 - the world's clock, the service reads the same
    attempt = Attempt(id=attempt_id or uuid4(), no=1, lease=45.0, not_after=now + valid_for)
    return SubmissionRequested(
        id=f"submission:{attempt.id}",
        at=now,
        attempt=attempt,
        job_id=uuid4(),
        bot="shop",
        account=account,
        family=family,
        operation=operation,
        model="google/nano-banana",
        input={"prompt": prompt},
        call_timeout=call_timeout,
    )


@dataclass(kw_only=True, eq=False)
class JobStore:
    """Answers `effects.begin` as job-store does: one holder per attempt, who may ask again."""

    client: Client
    js: JetStreamContext
    outcomes: JetStreamContext.PullSubscription
    lease: float = 45.0
    lost_replies: int = 0  # so many questions are granted and the reply never arrives
    questions: list[Begin] = field(default_factory=list)
    holders: dict[UUID, UUID] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def on(cls, url: str) -> AsyncIterator[Self]:
        """Make the streams and serve."""
        client = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
        js = client.jetstream()
        await bus.ensure_streams(js, stream_specs(), consumer_specs())
        outcomes = await js.pull_subscribe(subjects.SUBMISSION_OUTCOME, durable="bench")
        store = cls(client=client, js=js, outcomes=outcomes)
        await client.subscribe(subjects.EFFECT_BEGIN, cb=store.on_begin)
        yield store
        await client.close()

    async def on_begin(self, message: Msg) -> None:
        """Grant the attempt to its first holder."""
        question = Begin.model_validate_json(message.data)
        self.questions.append(question)
        holder = self.holders.setdefault(question.attempt_id, question.holder)
        if self.lost_replies:
            self.lost_replies -= 1
            return
        is_holder = holder == question.holder
        answer = Go(lease=self.lease) if is_holder else Stop(reason="held_by_another")
        await message.respond(answer.model_dump_json(exclude_none=True).encode())

    async def ask(self, request: SubmissionRequested, *, copy: int = 0) -> None:
        """Put a request on the stream; another copy is another message about the same attempt."""
        await self.put(request.wire(), msg_id=f"{request.id}:{copy}")

    async def put(self, data: bytes, *, msg_id: str) -> None:
        """Put anything on the stream."""
        headers = {"Nats-Msg-Id": msg_id}
        await self.js.publish(subjects.SUBMISSION_REQUESTED, data, headers=headers)

    async def outcome(self, *, within: float = WITHIN) -> SubmissionOutcome:
        """Wait for the next outcome."""
        (message,) = await self.outcomes.fetch(1, timeout=within)
        await message.ack()
        return SubmissionOutcome.read(message.data)

    async def count_outcomes(self) -> int:
        """Count what the stream ever took."""
        return (await self.js.stream_info(streams.OUTCOMES)).state.messages

    async def until_acked(self, count: int) -> None:
        """Wait until the submitter has settled so many messages, in order."""
        async with asyncio.timeout(WITHIN):
            while _floor(await self._requests()) < count:
                await asyncio.sleep(0.02)  # noqa: TID251 - the server tells no one about acks

    async def until_left(self, unacked: int, *, of: int) -> None:
        """Wait until so many of the delivered messages are left unacked, as a dead process does."""
        async with asyncio.timeout(WITHIN):
            while not _leaves(await self._requests(), unacked, of=of):
                await asyncio.sleep(0.02)  # noqa: TID251 - the server tells no one about acks

    async def deliver_once_elsewhere(self) -> None:
        """Receive the next request as another process would, and give it back unhandled."""
        pull = await self.js.pull_subscribe_bind(durable=app.NAME, stream=streams.SUBMISSIONS)
        (message,) = await pull.fetch(1, timeout=WITHIN)
        await message.nak()
        await pull.unsubscribe()

    async def _requests(self) -> ConsumerInfo:
        info: ConsumerInfo = await self.js.consumer_info(streams.SUBMISSIONS, app.NAME)
        return info


def _floor(info: ConsumerInfo) -> int:
    return info.ack_floor.stream_seq if info.ack_floor else 0


def _leaves(info: ConsumerInfo, unacked: int, *, of: int) -> bool:
    delivered = info.delivered.stream_seq if info.delivered else 0
    return delivered == of and info.num_ack_pending == unacked


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Everything one test needs."""

    nats: NatsServer
    kie: FakeKie
    store: JobStore
    secrets: Path

    def settings(self, *, key: str | None = None, url: str | None = None) -> app.Settings:
        """Settings of a submitter in this world."""
        return app.Settings(
            nats_url=self.nats.url,
            kie_api_url=url or self.kie.url,
            kie_api_key=SecretStr(self.kie.api_key if key is None else key),
            secrets_dir=self.secrets,
        )

    async def lived(self, request: SubmissionRequested) -> SubmissionResult:
        """Ask for a submission, and return what came of it."""
        await self.store.ask(request)
        return (await self.store.outcome()).result

    @asynccontextmanager
    async def submitter(
        self, settings: app.Settings | None = None
    ) -> AsyncIterator[lifecycle.Running]:
        """Run the whole service inside this event loop."""
        chosen = settings or self.settings()
        async with lifecycle.service(app.build, chosen, name=app.NAME) as running:
            yield running


def stream_specs() -> list[bus.StreamSpec]:
    """All streams of the contracts."""
    return [bus.StreamSpec.of(stream) for stream in streams.STREAMS]


def consumer_specs() -> list[bus.ConsumerSpec]:
    """All durables of the contracts."""
    return [bus.ConsumerSpec.of(consumer) for consumer in streams.CONSUMERS]
