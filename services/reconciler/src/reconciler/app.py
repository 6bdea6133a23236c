"""Wiring of the reconciler, and its routing table."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from chassis import bus, health, lifecycle
from chassis.clock import SYSTEM
from chassis.secrets import Secrets
from contracts import streams, subjects
from reconciler.handlers import Handlers
from reconciler.kie import Kie
from reconciler.settings import Settings

__all__ = ["NAME", "Settings", "build", "main"]

NAME: Final = "reconciler"
DEFAULT_ACCOUNT: Final = "default"  # whose key stands in the settings
# A poll takes below a second and KIE takes ten a second per key: enough for several accounts.
WORKERS: Final = 50
REQUESTS: Final = streams.CONSUMER[NAME]


async def build(settings: Settings, stack: AsyncExitStack, /) -> Sequence[lifecycle.Part]:
    """Wire the service: `polls.requested` → one call → `reports.received`."""
    connected = bus.connected(settings.nats_url, name=NAME, creds=settings.nats_creds)
    broker = await stack.enter_async_context(connected)
    client = broker.connection
    await bus.checked(
        client.jetstream(),
        bus.StreamSpec.among(streams.STREAMS, REQUESTS.stream, streams.REPORTS),
        [bus.ConsumerSpec.of(REQUESTS)],
        absent=False,  # job-store makes it; the consumer waits for it
    )

    keys = Secrets({DEFAULT_ACCOUNT: settings.kie_api_key}, directory=settings.secrets_dir)
    kie = await stack.enter_async_context(Kie.connected(settings.kie_api_url, keys=keys))
    publisher = bus.Publisher(client, stream_of=streams.stream_of)
    handlers = Handlers(kie=kie, publisher=publisher, clock=SYSTEM)
    consumer = bus.consume(
        broker,
        stream=REQUESTS.stream,
        durable=REQUESTS.durable,
        subject=subjects.POLL_REQUESTED,
        handler=handlers.on_poll_requested,
        batch=WORKERS,
        max_workers=WORKERS,
    )

    return (*health.health_parts(settings, {"consumer": consumer.check}), consumer)


def main() -> int:
    """Run the reconciler as this process."""
    return lifecycle.run(build, Settings, name=NAME)
