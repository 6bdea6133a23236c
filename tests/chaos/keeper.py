"""Keeps processes running as an orchestrator does: whoever ends is started again, a moment later."""

import asyncio
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from chaos.moments import lasts
from testkit.processes import ChildFailed, ServiceProcess

LOOK_EVERY: Final = 0.1  # seconds
READY_WITHIN: Final = 90.0  # ten Pythons starting side by side on a small machine


class Keeper:
    """Every replica by its name; `own_ends` counts those that ended without being killed."""

    def __init__(self, processes: dict[str, ServiceProcess]) -> None:
        self.processes = processes
        self.kills: Counter[str] = Counter()
        self.own_ends: Counter[str] = Counter()
        self._expected: set[str] = set()
        self._watch: asyncio.Task[None] | None = None

    @property
    def total(self) -> int:
        """How many processes were killed."""
        return self.kills.total()

    async def kill(self, name: str) -> None:
        """SIGKILL; it is started again at once."""
        self._expected.add(name)
        await self.processes[name].kill()
        self.kills[name] += 1

    async def all_ready(self) -> None:
        """Wait until every replica says that it is ready."""
        async with asyncio.TaskGroup() as group:
            for process in self.processes.values():
                group.create_task(self._ready(process))

    async def _ready(self, process: ServiceProcess) -> None:
        async with asyncio.timeout(READY_WITHIN):
            while True:
                # One that ended meanwhile is started again by the watch.
                with suppress(ChildFailed):
                    await process.wait_ready()
                    return
                await lasts(LOOK_EVERY)

    async def _keep(self) -> None:
        while True:
            for name, process in self.processes.items():
                if not process.running:
                    if name not in self._expected:
                        self.own_ends[name] += 1
                    self._expected.discard(name)
                    process.spawn()
            await lasts(LOOK_EVERY)

    async def __aenter__(self) -> Self:
        for process in self.processes.values():
            process.spawn()
        self._watch = asyncio.create_task(self._keep())
        await self.all_ready()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
        # The judge of everything last: nothing is left half told.
        by_turn: dict[bool, list[ServiceProcess]] = {False: [], True: []}
        for name, process in self.processes.items():
            by_turn[name.startswith("job-store")].append(process)
        for processes in by_turn.values():
            await asyncio.gather(*(process.stop() for process in processes))
