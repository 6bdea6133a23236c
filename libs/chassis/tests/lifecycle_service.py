"""A small service for the lifecycle tests, run as a process of its own."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from chassis import bus, health, lifecycle
from chassis.settings import ServiceSettings


class Speaker:
    """Says that it serves and that it stopped; crashes when told to."""

    name = "speaker"

    async def run(self, ready: asyncio.Event) -> None:
        if "crash" in sys.argv:
            raise RuntimeError("broken part")
        ready.set()
        print("serving", flush=True)  # noqa: T201 - read by the test
        try:
            await asyncio.Event().wait()
        finally:
            print("part stopped", flush=True)  # noqa: T201 - read by the test


async def build(settings: ServiceSettings, stack: AsyncExitStack) -> Sequence[lifecycle.Part]:
    stack.callback(print, "resource closed", flush=True)
    if "nats" in sys.argv:
        print("connecting", flush=True)  # noqa: T201 - read by the test
        await stack.enter_async_context(bus.connected(settings.nats_url, name="test"))
    return [*health.health_parts(settings, {}), Speaker()]


if __name__ == "__main__":
    os.environ.setdefault("SENDONCE_LOG_FORMAT", "json")  # noqa: TID251 - the test's own process
    raise SystemExit(lifecycle.run(build, ServiceSettings, name="test"))
