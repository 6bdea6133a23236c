"""What scenes do with streams and durables, as an administrator or as whoever reads them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from chassis import bus
from contracts import streams
from contracts.streams import Consumer
from deployment import eventually

WITHIN: Final = 20.0  # seconds for one fact


async def fact(holds: Callable[[], bool]) -> None:
    """Wait for it."""

    async def looked() -> bool:
        return holds()

    await eventually(looked, within=WITHIN)


async def floor(js: JetStreamContext, row: Consumer) -> int:
    """Return up to where a durable has acknowledged."""
    info = await js.consumer_info(row.stream, row.durable)
    return info.ack_floor.stream_seq if info.ack_floor else 0


async def moved(js: JetStreamContext, row: Consumer, before: int) -> None:
    """Wait until a durable has acknowledged more than before."""

    async def further() -> bool:
        return await floor(js, row) > before

    await eventually(further, within=WITHIN)


async def stands(js: JetStreamContext, spec: bus.ConsumerSpec) -> None:
    """Wait until there is such a durable."""

    async def found() -> bool:
        try:
            await js.consumer_info(spec.stream, spec.durable)
        except NotFoundError:
            return False
        return True

    await eventually(found, within=WITHIN)


async def read(js: JetStreamContext, row: Consumer) -> None:
    """Acknowledge all that waits for a durable."""
    reader = await js.pull_subscribe_bind(row.durable, row.stream)
    while (await reader.consumer_info()).num_pending:
        for message in await reader.fetch(100, timeout=1):
            await message.ack_sync()
    await reader.unsubscribe()


async def read_by_everybody(js: JetStreamContext) -> None:
    """Leave something in every stream that all its durables have read."""
    for row in streams.CONSUMERS:
        await js.publish(row.subject, b"{}")
    for row in streams.CONSUMERS:
        await read(js, row)


@asynccontextmanager
async def watched(js: JetStreamContext, specs: Sequence[bus.ConsumerSpec]) -> AsyncIterator[None]:
    """Run a watchdog meanwhile."""

    async def from_the_beginning(_durable: str) -> None:
        return None

    watchdog = bus.ConsumerWatchdog(js, specs, floor=from_the_beginning)
    async with running(watchdog):
        yield


@asynccontextmanager
async def running(*parts: bus.Consumer | bus.ConsumerWatchdog) -> AsyncIterator[None]:
    """Run parts of a service meanwhile."""
    async with asyncio.TaskGroup() as group:
        begun = []
        for part in parts:
            ready = asyncio.Event()
            begun.append(group.create_task(part.run(ready)))
            await ready.wait()
        yield
        for task in begun:
            task.cancel()


def specs_of(durables: Iterable[str]) -> list[bus.ConsumerSpec]:
    """Return durables as the bus makes them."""
    return [bus.ConsumerSpec.of(streams.CONSUMER[durable]) for durable in durables]
