"""Wiring of the submitter, and its routing table."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from chassis import bus, health, lifecycle
from chassis.clock import SYSTEM
from contracts import streams, subjects
from submitter import domain
from submitter.effects import Effects
from submitter.handlers import Handlers
from submitter.kie import Accounts, Kie
from submitter.settings import Settings

__all__ = ["NAME", "Settings", "StreamDrift", "build", "main"]

NAME: Final = "submitter"
# A call lasts seconds and KIE takes two starts a second: enough for several busy accounts.
WORKERS: Final = 50
INFO_TIMEOUT: Final = 1.5  # seconds; a readiness check gets two
REQUESTS: Final = streams.CONSUMER[NAME]


class StreamDrift(Exception):
    """The streams are not what the migration makes; nothing is read from them or written."""


async def build(settings: Settings, stack: AsyncExitStack, /) -> Sequence[lifecycle.Part]:
    """Wire the service: `submissions.requested` → one createTask → `submissions.outcome`."""
    connected = bus.connected(settings.nats_url, name=NAME, creds=settings.nats_creds)
    broker = await stack.enter_async_context(connected)
    client = broker.connection
    js = client.jetstream()
    if drift := await bus.check_streams(js, _streams(), _consumers()):
        raise StreamDrift("; ".join(drift))

    accounts = Accounts(default=settings.kie_api_key, directory=settings.secrets_dir)
    kie = await stack.enter_async_context(Kie.connected(settings.kie_api_url, accounts=accounts))
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

    return (*health.health_parts(settings, {"consumer": consumer_answers}), consumer)


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
