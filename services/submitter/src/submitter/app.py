"""Wiring of the submitter, and its routing table."""

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from chassis import bus, health, lifecycle
from chassis.clock import SYSTEM
from chassis.secrets import Secrets
from contracts import streams, subjects
from submitter import domain
from submitter.effects import Effects
from submitter.handlers import Handlers
from submitter.kie import Kie
from submitter.settings import Settings

__all__ = ["NAME", "Settings", "StreamDrift", "build", "main"]

NAME: Final = "submitter"
DEFAULT_ACCOUNT: Final = "default"  # whose key stands in the settings
# A call lasts seconds and KIE takes two starts a second: enough for several busy accounts.
WORKERS: Final = 50
# Seconds: a call of 30 begun just before the stop, and its outcome told.
LONGEST_HANDLING: Final = 36.0
STOP_GRACE: Final = 40.0  # seconds; what deploys this service must grant more
INFO_TIMEOUT: Final = 1.5  # seconds; a readiness check gets two
REQUESTS: Final = streams.CONSUMER[NAME]


class Submissions:
    """The consumer as a part that takes no new work once told to stop and finishes what it began."""

    stop_grace = STOP_GRACE

    def __init__(self, consumer: bus.Consumer, handlers: Handlers) -> None:
        self.name = consumer.name
        self._consumer = consumer
        self._handlers = handlers

    async def run(self, ready: asyncio.Event) -> None:
        consuming = asyncio.create_task(self._consumer.run(ready))
        try:
            await asyncio.shield(consuming)
        except asyncio.CancelledError:
            # Before the consumer stops: what it has fetched and not begun is given back.
            self._handlers.leave()
            consuming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await consuming
            raise


class StreamDrift(Exception):
    """The streams are not what the migration makes; nothing is read from them or written."""


async def build(settings: Settings, stack: AsyncExitStack, /) -> Sequence[lifecycle.Part]:
    """Wire the service: `submissions.requested` → one createTask → `submissions.outcome`."""
    connected = bus.connected(settings.nats_url, name=NAME, creds=settings.nats_creds)
    broker = await stack.enter_async_context(connected)
    # FastStream gives a handler 15 s, and a call may take twice that.
    broker.config.broker_config.graceful_timeout = LONGEST_HANDLING
    client = broker.connection
    js = client.jetstream()
    if drift := await bus.check_streams(js, _streams(), _consumers()):
        raise StreamDrift("; ".join(drift))

    keys = Secrets({DEFAULT_ACCOUNT: settings.kie_api_key}, directory=settings.secrets_dir)
    kie = await stack.enter_async_context(Kie.connected(settings.kie_api_url, keys=keys))
    publisher = bus.Publisher(client, stream_of=streams.stream_of)
    effects = Effects(client, publisher, SYSTEM)
    handlers = Handlers(
        effects=effects,
        kie=kie,
        pace=domain.Pace(limit=settings.kie_creates_per_10s),
        clock=SYSTEM,
    )
    consumer = bus.consume(
        broker,
        stream=REQUESTS.stream,
        durable=REQUESTS.durable,
        subject=subjects.SUBMISSION_REQUESTED,
        handler=handlers.on_submission_requested,
        batch=WORKERS,
        max_workers=WORKERS,
    )

    async def consumer_answers() -> None:
        # Also fails while NATS is away.
        await js.consumer_info(REQUESTS.stream, REQUESTS.durable, timeout=INFO_TIMEOUT)

    checks = {"consumer": consumer_answers}
    return (*health.health_parts(settings, checks), Submissions(consumer, handlers))


def _streams() -> list[bus.StreamSpec]:
    return [
        bus.StreamSpec.of(stream)
        for stream in streams.STREAMS
        if stream.name in (REQUESTS.stream, streams.OUTCOMES)
    ]


def _consumers() -> list[bus.ConsumerSpec]:
    return [bus.ConsumerSpec.of(REQUESTS)]


def main() -> int:
    """Run the submitter as this process."""
    return lifecycle.run(build, Settings, name=NAME)
