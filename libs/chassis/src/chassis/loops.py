"""A loop that does its work when woken or due, and outlives every error of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from chassis import clock
from chassis.coalesce import Outage
from chassis.metrics import counter, histogram
from chassis.postgres import is_outage

log = structlog.get_logger()

JITTER = 0.1  # of the interval, so that replicas do not march in step
FIRST_PAUSE = timedelta(seconds=0.2)
LONGEST_PAUSE = timedelta(seconds=5)

_ROUNDS = histogram("loop_round_seconds", "One round of a periodic loop.", ["loop"])
_FAILURES = counter("loop_failures_total", "Rounds of a periodic loop that raised.", ["loop"])


class Periodic:
    """A part: runs `fn` at once when woken, else every interval; `fn` returns "more work now".

    An error is logged (an outage of the bus or of Postgres without traceback) and answered with a
    growing pause, which a wake does not shorten; the loop itself never dies.
    """

    def __init__(
        self,
        name: str,
        fn: Callable[[], Awaitable[bool]],
        *,
        every: timedelta,
        wake: asyncio.Event | None = None,
        longest_pause: timedelta = LONGEST_PAUSE,
    ) -> None:
        """`wake` may be shared with whoever knows of new work; `wake()` sets it too."""
        self.name = name
        self._fn = fn
        self._every = every
        self._wake = wake or asyncio.Event()
        self._longest_pause = longest_pause.total_seconds()
        self._failures = 0
        _FAILURES.labels(name)

    def wake(self) -> None:
        """Ask for a round as soon as the running one has ended."""
        self._wake.set()

    async def run(self, ready: asyncio.Event) -> None:
        """Run rounds until cancelled."""
        ready.set()
        while True:
            clock.honour_cancellation()
            self._wake.clear()
            try:
                with _ROUNDS.labels(self.name).time():
                    more = await self._fn()
            except Outage as outage:
                await self._pause(reason=str(outage))
            except Exception as problem:
                if is_outage(problem):
                    await self._pause(reason=repr(problem))
                    continue
                log.exception("loop.failed", loop=self.name)
                await self._pause(reason="a bug or an unforeseen outage")
            else:
                self._failures = 0
                # Even a loop that always has work lets the others run.
                await (clock.SYSTEM.sleep(0) if more else self._rest())

    async def _rest(self) -> None:
        seconds = self._every.total_seconds() * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _pause(self, *, reason: str) -> None:
        self._failures += 1
        _FAILURES.labels(self.name).inc()
        grown = FIRST_PAUSE.total_seconds() * 2.0 ** min(self._failures - 1, 16)
        seconds = min(self._longest_pause, grown) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        log.warning("loop.paused", loop=self.name, reason=reason, failures=self._failures)
        await clock.SYSTEM.sleep(seconds)
