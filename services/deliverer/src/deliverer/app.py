"""Wiring and the routing table of the deliverer."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from faststream.nats import NatsBroker

from chassis import bus, clock, health, lifecycle
from contracts import streams
from deliverer.effects import Effects
from deliverer.media.download import Downloader
from deliverer.media.shelf import Shelf
from deliverer.settings import Settings
from deliverer.telegram.aiogram_import import load_aiogram

if TYPE_CHECKING:
    from deliverer.handlers.requests import Deliveries

__all__ = ["NAME", "Settings", "build", "main"]

NAME: Final = "deliverer"
REQUESTS: Final = streams.CONSUMER[NAME]
WORKERS: Final = 100  # Telegram takes 30 calls a second of a bot and may hold each for 8 s


async def build(settings: Settings, stack: AsyncExitStack, /) -> Sequence[lifecycle.Part]:
    """Open what the service needs and return its parts in start order."""
    load_aiogram(fast=settings.aiogram_fast_import)
    broker = await stack.enter_async_context(
        bus.connected(settings.nats_url, name=NAME, creds=settings.nats_creds)
    )
    await bus.checked(
        broker.connection.jetstream(),
        bus.StreamSpec.among(streams.STREAMS, REQUESTS.stream, streams.OUTCOMES),
        [_consumer()],
        absent=False,  # the watchdog makes it
    )
    deliveries = _deliveries(settings, broker, stack)
    watchdog = _watchdog(broker)
    requests = bus.consume(
        broker,
        stream=REQUESTS.stream,
        durable=REQUESTS.durable,
        subject=REQUESTS.subject,
        handler=deliveries.on_delivery_requested,
        max_workers=WORKERS,
    )

    checks: dict[str, health.Check] = {
        "nats": partial(bus.check_connection, broker),
        "requests": watchdog.check,
    }
    # Stopped from the last on: no call is begun any more, then nothing more is taken.
    return *health.health_parts(settings, checks), watchdog, requests, deliveries


def _deliveries(settings: Settings, broker: NatsBroker, stack: AsyncExitStack) -> "Deliveries":
    # These rooms import aiogram, and how it is imported had to be decided first.
    from deliverer.handlers.acting import Acting  # noqa: PLC0415 - see above
    from deliverer.handlers.calling import Calling  # noqa: PLC0415 - see above
    from deliverer.handlers.editing import Editing  # noqa: PLC0415 - see above
    from deliverer.handlers.holding import Holding  # noqa: PLC0415 - see above
    from deliverer.handlers.posting import Posting  # noqa: PLC0415 - see above
    from deliverer.handlers.requests import Deliveries  # noqa: PLC0415 - see above
    from deliverer.handlers.sending import Sending  # noqa: PLC0415 - see above
    from deliverer.handlers.staging import Staging  # noqa: PLC0415 - see above
    from deliverer.telegram.calls import Telegram  # noqa: PLC0415 - see above
    from deliverer.telegram.tokens import Tokens  # noqa: PLC0415 - see above

    api_url = settings.telegram_api_url
    tokens = Tokens(default=settings.bot_token, secrets_dir=settings.secrets_dir)
    telegram = Telegram(tokens, api_url=api_url, clock=clock.SYSTEM)
    stack.push_async_callback(telegram.close)
    allow_loopback = settings.media_from_loopback
    shelf = Shelf(Downloader(allow_loopback=allow_loopback, own_hosts=settings.own_hosts))
    stack.push_async_callback(shelf.close)
    effects = Effects(broker.connection, clock.SYSTEM)
    calling = Calling(clock.SYSTEM)
    editing = Editing(telegram, shelf, calling, Holding(effects, clock.SYSTEM))
    sending = Sending(telegram, shelf, calling, effects)
    acting = Acting(
        Posting(telegram, calling),
        editing,
        effects,
        sending=sending,
        staging=Staging(sending, calling),
    )
    publisher = bus.Publisher(broker.connection, stream_of=streams.stream_of)
    deliveries = Deliveries(acting, publisher, calling, clock.SYSTEM)
    # After the parts have stopped, before the connections to Telegram and to the bus close.
    stack.push_async_callback(deliveries.drain)
    return deliveries


def _watchdog(broker: NatsBroker) -> bus.ConsumerWatchdog:
    # This service keeps nothing on disk; requests are released again by job-store's clock.
    floors: dict[str, int] = {}

    async def floor(durable: str) -> int | None:
        return floors.get(durable)

    async def on_floor(durable: str, seq: int) -> None:
        floors[durable] = seq

    js = broker.connection.jetstream()
    return bus.ConsumerWatchdog(js, [_consumer()], floor=floor, on_floor=on_floor)


def _consumer() -> bus.ConsumerSpec:
    return bus.ConsumerSpec.of(REQUESTS)


def main() -> int:
    """Run the deliverer as this process."""
    return lifecycle.run(build, Settings, name=NAME)
