"""Wall clock, monotonic clock and sleep in one replaceable place."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What code that needs time asks for, so that a test can hand it another."""

    def now(self) -> datetime:
        """Return the wall clock in UTC; for people and rows, not for durations."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back; for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without holding the event loop."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)


def honour_cancellation() -> None:
    """Raise a cancellation that was swallowed; for the top of every endless loop.

    Python 3.11's `wait_for`, which the clients use inside, forgets a cancellation that comes in
    the same turn as its answer.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


SYSTEM: Clock = SystemClock()
