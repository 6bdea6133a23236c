"""Looks at five processes from outside while something is away: health, memory, words, and whether they live."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import psutil

from testkit.processes import ServiceProcess

EVERY: Final = 0.5  # seconds between two looks
LIVE_WITHIN: Final = 5.0  # seconds; an orchestrator is as patient
READY_WITHIN: Final = 3.0  # seconds; a check itself may take two
MIB: Final = 2**20


@dataclass(kw_only=True)
class Seen:
    """One service, as seen until now."""

    process: ServiceProcess
    pid: int
    rss: list[float] = field(default_factory=list)  # MiB
    ready: list[tuple[float, bool]] = field(default_factory=list)  # monotonic seconds
    dead: int = 0  # looks at /livez that were not answered 200
    lines_at: list[tuple[float, int]] = field(default_factory=list)  # of its log, so far

    @property
    def ended(self) -> bool:
        """Claim that it is not the process any more that it was."""
        return not self.process.running or self.process.pid != self.pid

    def unready_between(self, begin: float, end: float) -> list[float]:
        """When it said that it is not ready."""
        return [at for at, ready in self.ready if begin <= at <= end and not ready]

    def ready_between(self, begin: float, end: float) -> list[float]:
        """When it said that it is ready."""
        return [at for at, ready in self.ready if begin <= at <= end and ready]

    def lines_a_second(self, begin: float, end: float) -> float:
        """How much it wrote in a span."""
        span = [(at, lines) for at, lines in self.lines_at if begin <= at <= end]
        (began, first), (ended, last) = span[0], span[-1]
        return (last - first) / max(ended - began, 1.0)

    def rss_at_most(self) -> float:
        """The most memory it had, MiB."""
        return max(self.rss)


@asynccontextmanager
async def watched(services: Mapping[str, ServiceProcess]) -> AsyncIterator[dict[str, Seen]]:
    """Look at every service beside the block."""
    seen = {name: Seen(process=process, pid=process.pid) for name, process in services.items()}
    async with aiohttp.ClientSession() as session:
        looking = [asyncio.create_task(_watch(one, session)) for one in seen.values()]
        try:
            yield seen
        finally:
            for each in looking:
                each.cancel()
            await asyncio.gather(*looking, return_exceptions=True)


async def _watch(seen: Seen, session: aiohttp.ClientSession) -> None:
    ready_url = seen.process.spec.ready_url or ""
    live_url = ready_url.replace("/readyz", "/livez")
    log = seen.process.spec.log
    while True:
        asked = time.monotonic()
        ready = await _is_ok(session, ready_url, within=READY_WITHIN)
        seen.ready.append((asked, ready))
        if not await _is_ok(session, live_url, within=LIVE_WITHIN):
            seen.dead += 1
        if seen.process.running:
            seen.rss.append(psutil.Process(seen.process.pid).memory_info().rss / MIB)
        seen.lines_at.append((time.monotonic(), log.read_bytes().count(b"\n")))
        await asyncio.sleep(EVERY)  # noqa: TID251 - the rate of the looks


async def _is_ok(session: aiohttp.ClientSession, url: str, *, within: float) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=within)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
