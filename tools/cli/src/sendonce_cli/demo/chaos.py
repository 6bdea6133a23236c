"""Kills the services by turn while work is going, and starts them again."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from sendonce_cli.settings import DELIVERER, GATEWAY, RECONCILER, STORE, SUBMITTER
from testkit.processes import ChildFailed, ServiceProcess

ORDER: Final = (DELIVERER, STORE, GATEWAY, SUBMITTER, RECONCILER)
EVERY: Final = 2.0  # seconds between a restart and the next kill


class Killer:
    """Takes turns; `kills` counts what it did."""

    def __init__(self, services: dict[str, ServiceProcess]) -> None:
        self._services = services
        self.kills: Counter[str] = Counter()

    async def run(self, *, while_working: Callable[[], bool]) -> None:
        """Kill by turn until the work is nearly done."""
        while True:
            for name in ORDER:
                await asyncio.sleep(EVERY)
                if not while_working():
                    return
                await self._kill(self._services[name])

    async def _kill(self, service: ServiceProcess) -> None:
        await service.kill()
        self.kills[service.name] += 1
        try:
            await service.start()
        except ChildFailed:
            # Once more: a start may lose to the machine's load.
            await service.start()

    @property
    def total(self) -> int:
        """How many processes died by our hand."""
        return self.kills.total()
