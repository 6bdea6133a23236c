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

__all__ = ["NAME", "Settings", "StreamDrift", "build", "main"]

NAME: Final = "reconciler"
DEFAULT_ACCOUNT: Final = "default"  # whose key stands in the settings
# A poll takes below a second and KIE takes ten a second per key: enough for several accounts.
WORKERS: Final = 50
INFO_TIMEOUT: Final = 1.5  # seconds; a readiness check gets two
REQUESTS: Final = streams.CONSUMER[NAME]


class StreamDrift(Exception):
    """The streams are not what the migration makes; nothing is read from them or written."""


async def build(settings: Settings, stack: AsyncExitStack, /) -> Sequence[lifecycle.Part]:
    """Wire the service: `polls.requested` → one call → `reports.received`."""
    connected = bus.connected(settings.nats_url, name=NAME, creds=settings.nats_creds)
    broker = await stack.enter_async_context(connected)
    client = broker.connection
    js = client.jetstream()
    if drift := await bus.check_streams(js, _streams(), _consumers()):
        raise StreamDrift("; ".join(drift))

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

    async def consumer_answers() -> None:
        # Also fails while NATS is away.
        await js.consumer_info(REQUESTS.stream, REQUESTS.durable, timeout=INFO_TIMEOUT)

    return (*health.health_parts(settings, {"consumer": consumer_answers}), consumer)


def _streams() -> list[bus.StreamSpec]:
    return [
        bus.StreamSpec.of(stream)
        for stream in streams.STREAMS
        if stream.name in (REQUESTS.stream, streams.REPORTS)
    ]


def _consumers() -> list[bus.ConsumerSpec]:
    return [bus.ConsumerSpec.of(REQUESTS)]


def main() -> int:
    """Run the reconciler as this process."""
    return lifecycle.run(build, Settings, name=NAME)
