"""Wiring of the submitter, and its routing table."""

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from chassis import bus, health, lifecycle
from chassis.clock import SYSTEM
from chassis.loops import Periodic
from chassis.secrets import Secrets
from contracts import streams, subjects
from submitter import domain
from submitter.effects import Effects
from submitter.handlers import Handlers
from submitter.kie import Kie
from submitter.settings import Settings

__all__ = ["NAME", "Settings", "build", "main"]

NAME: Final = "submitter"
DEFAULT_ACCOUNT: Final = "default"  # whose key stands in the settings
# A call lasts seconds and KIE takes two starts a second: enough for several busy accounts.
WORKERS: Final = 50
# A call of 30 s begun just before the stop, and its outcome told.
LONGEST_HANDLING: Final = timedelta(seconds=36)
CREDITS_EVERY: Final = timedelta(minutes=1)
STOP_GRACE: Final = 40.0  # seconds; what deploys this service must grant more
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


async def build(settings: Settings, stack: AsyncExitStack, /) -> Sequence[lifecycle.Part]:
    """Wire the service: `submissions.requested` → one createTask → `submissions.outcome`."""
    connected = bus.connected(
        settings.nats_url,
        name=NAME,
        creds=settings.nats_creds,
        graceful_timeout=LONGEST_HANDLING,
    )
    broker = await stack.enter_async_context(connected)
    client = broker.connection
    await bus.checked(
        client.jetstream(),
        bus.StreamSpec.among(streams.STREAMS, REQUESTS.stream, streams.OUTCOMES),
        [bus.ConsumerSpec.of(REQUESTS)],
        absent=False,  # job-store makes it; the consumer waits for it
    )

    keys = Secrets({DEFAULT_ACCOUNT: settings.kie_api_key}, directory=settings.secrets_dir)
    kie = await stack.enter_async_context(
        Kie.connected(settings.kie_api_url, keys=keys, clock=SYSTEM)
    )
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

    checks = {"consumer": consumer.check}
    return (
        *health.health_parts(settings, checks),
        Submissions(consumer, handlers),
        Periodic("credits", kie.look_at_credits, every=CREDITS_EVERY),
    )


def main() -> int:
    """Run the submitter as this process."""
    return lifecycle.run(build, Settings, name=NAME)
