"""Consuming an existing durable; the one place where messages are acked, delayed or given up."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.subscriber.usecases import LogicSubscriber
from nats.aio.msg import Msg

from chassis import clock, tracing
from chassis.bus.pull import open_pull
from chassis.bus.traced import handling
from chassis.metrics import counter, histogram
from chassis.verdicts import Hopeless, TryLater

log = structlog.get_logger()

FETCH_TIMEOUT = 1.0  # seconds; also bounds how long a restarted server goes unnoticed
# FastStream asks again and again until a batch is full or this time is over: once is enough, the
# pull itself waits for a first message and takes what is there.
AT_ONCE = 0.001
INFO_TIMEOUT = 1.5  # seconds to look at a durable; a readiness check gets two
FIRST_DELAY = 0.5  # seconds before a message that met a bug comes again
LONGEST_DELAY = 30.0
DURABLE_DEADLINE = 15.0  # seconds for the watchdog to bring back a durable lost before the start

OUTCOMES = ("acked", "try_later", "failed", "hopeless")
_HANDLED = counter("messages_handled_total", "Messages by verdict.", ["durable", "outcome"])
_SECONDS = histogram("message_handling_seconds", "Handling of one message.", ["durable"])


class DurableMissing(Exception):
    """The durable does not stand; the migration step makes it."""

    def __init__(self, durable: str, *, stream: str) -> None:
        """Name both."""
        super().__init__(f"durable {durable} on stream {stream} does not answer")
        self.durable = durable


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One message as a handler sees it; `num_delivered` is 1 the first time."""

    subject: str
    data: bytes
    headers: Mapping[str, str]
    num_delivered: int
    stream_seq: int
    timestamp: datetime


Handler = Callable[[Delivered], Awaitable[None]]
OnHopeless = Callable[[Delivered, str], Awaitable[None]]


def consume(  # noqa: PLR0913 - all by keyword; the routing line of a service
    broker: NatsBroker,
    *,
    stream: str,
    durable: str,
    subject: str,
    handler: Handler,
    on_hopeless: OnHopeless | None = None,
    batch: int = 200,
    max_workers: int | None = None,
) -> "Consumer":
    """Return the part that pulls an existing durable; every message gets its own handler call.

    The handler's end is the verdict: return → ack; `TryLater` → again after its time;
    `Hopeless` → `on_hopeless`, then ack; anything else → error log and again, ever later;
    cancellation → left alone, so that it comes again after ack_wait. `max_workers` lets the next
    fetch begin before the slowest handler of this one has ended.
    """
    judge = _Judge(durable, handler, on_hopeless, max_workers=max_workers)
    subscriber = broker.subscriber(
        subject,
        stream=JStream(stream, declare=False),
        durable=durable,
        # In batches: FastStream's way to a handler costs as much as handling one message.
        pull_sub=PullSub(batch_size=batch, timeout=AT_ONCE, batch=True),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
        persistent=False,
        decoder=_raw,
        # Not taken from the connection by itself; the bytes end in a dot.
        inbox_prefix=broker.connection.new_inbox().rpartition(".")[0].encode() + b".",
    )
    subscriber(judge.on_messages)
    return Consumer(broker, subscriber, judge, stream=stream, durable=durable)


class Consumer:
    """A part: pulls one durable while it runs; on stop lets running handlers finish."""

    def __init__(
        self,
        broker: NatsBroker,
        subscriber: LogicSubscriber[list[Msg]],
        judge: "_Judge",
        *,
        stream: str,
        durable: str,
    ) -> None:
        """Made by `consume`."""
        self.name = f"consumer:{durable}"
        self._broker = broker
        self._subscriber = subscriber
        self._judge = judge
        self._stream = stream
        self._durable = durable

    async def run(self, ready: asyncio.Event) -> None:
        """Pull until cancelled; a durable that does not appear in time is a crash."""
        await self._await_durable()
        client = self._broker.connection
        pull = await open_pull(
            client, stream=self._stream, durable=self._durable, patience=FETCH_TIMEOUT
        )
        await self._subscriber.start()
        # Before the consume loop's first turn: nothing has been awaited since it was made.
        pull.replaces(self._subscriber.subscription)
        self._subscriber.subscription = pull
        ready.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            # First of all no new messages: FastStream drops what comes while it stops.
            pull.close()
            await self._stop()

    async def check(self) -> None:
        """Raise when the durable does not answer, as while NATS is away; for readiness."""
        js = self._broker.connection.jetstream()
        await js.consumer_info(self._stream, self._durable, timeout=INFO_TIMEOUT)

    async def _await_durable(self) -> None:
        # nats-py makes a durable it does not find, with defaults; ours must stand before.
        js = self._broker.connection.jetstream()
        deadline = time.monotonic() + DURABLE_DEADLINE
        while True:
            clock.honour_cancellation()
            try:
                await js.consumer_info(self._stream, self._durable)
            except (nats.errors.Error, TimeoutError) as problem:
                if time.monotonic() > deadline:
                    raise DurableMissing(self._durable, stream=self._stream) from problem
                await clock.SYSTEM.sleep(FIRST_DELAY)
            else:
                return

    async def _stop(self) -> None:
        try:
            await self._subscriber.stop()
            await self._judge.drain(self._broker.config.graceful_timeout)
        except (nats.errors.Error, OSError) as problem:
            log.warning("consumer.stop_failed", durable=self._durable, problem=repr(problem))


class _Judge:
    """Turns the end of a handler into the verdict on its message."""

    def __init__(
        self,
        durable: str,
        handler: Handler,
        on_hopeless: OnHopeless | None,
        *,
        max_workers: int | None,
    ) -> None:
        self._durable = durable
        self._handler = handler
        self._on_hopeless = on_hopeless
        self._workers = asyncio.Semaphore(max_workers) if max_workers is not None else None
        self._running: set[asyncio.Task[None]] = set()
        for outcome in OUTCOMES:
            _HANDLED.labels(durable, outcome)

    async def on_messages(self, messages: list[Msg]) -> None:
        """Handle all side by side; with workers return as soon as each message has one."""
        workers = self._workers
        if workers is None:
            await asyncio.gather(*map(self.on_message, messages))
            return
        for msg in messages:
            await workers.acquire()
            handling = asyncio.create_task(self.on_message(msg))
            self._running.add(handling)
            handling.add_done_callback(self._running.discard)
            handling.add_done_callback(lambda _done: workers.release())

    async def drain(self, seconds: float | None) -> None:
        """Let workers finish; who takes longer is cancelled, and its message comes again."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for handling in late:
                handling.cancel()

    async def on_message(self, msg: Msg) -> None:
        """Handle one message and settle it; raises only cancellation."""
        delivered = _delivered(msg)
        with handling(delivered.subject, delivered.headers, durable=self._durable):
            started = time.monotonic()
            outcome = await self._settle(msg, delivered)
            seconds = time.monotonic() - started
            _HANDLED.labels(self._durable, outcome).inc()
            _SECONDS.labels(self._durable).observe(seconds)
            tracing.note(verdict=outcome, num_delivered=delivered.num_delivered)
            log.debug(
                "message.handled",
                durable=self._durable,
                outcome=outcome,
                subject=delivered.subject,
                stream_seq=delivered.stream_seq,
                num_delivered=delivered.num_delivered,
                seconds=round(seconds, 4),
            )

    async def _settle(self, msg: Msg, delivered: Delivered) -> str:
        try:
            outcome = await self._attempt(delivered)
        except TryLater as verdict:
            await self._tell(msg.nak(delay=_jittered(verdict.after.total_seconds())))
            return "try_later"
        except Exception:
            log.exception(
                "message.failed",
                durable=self._durable,
                subject=delivered.subject,
                stream_seq=delivered.stream_seq,
                num_delivered=delivered.num_delivered,
            )
            await self._tell(msg.nak(delay=_growing(delivered.num_delivered)))
            return "failed"
        await self._tell(msg.ack())
        return outcome

    async def _attempt(self, delivered: Delivered) -> str:
        try:
            await self._handler(delivered)
        except Hopeless as verdict:
            log.error(  # noqa: TRY400 - a verdict needs no traceback
                "message.given_up",
                durable=self._durable,
                subject=delivered.subject,
                stream_seq=delivered.stream_seq,
                reason=verdict.reason,
            )
            if self._on_hopeless is not None:
                await self._on_hopeless(delivered, verdict.reason)
            return "hopeless"
        return "acked"

    async def _tell(self, verdict: Awaitable[None]) -> None:
        try:
            await verdict
        except (nats.errors.Error, OSError) as problem:
            # Untold, the message comes again after ack_wait; handlers are idempotent.
            log.warning("message.verdict_untold", durable=self._durable, problem=repr(problem))


async def _raw(message: StreamMessage[list[Msg]]) -> list[Msg]:
    return message.raw_message


def _delivered(msg: Msg) -> Delivered:
    metadata = msg.metadata
    return Delivered(
        subject=msg.subject,
        data=msg.data,
        headers=msg.headers or {},
        num_delivered=metadata.num_delivered,
        stream_seq=metadata.sequence.stream,
        timestamp=metadata.timestamp,
    )


def _jittered(seconds: float) -> float:
    # Never earlier than asked: the wait may be another system's demand.
    return seconds * random.uniform(1.0, 1.1)  # noqa: S311 - jitter, not a secret


def _growing(num_delivered: int) -> float:
    longest = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(num_delivered - 1, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
