"""Watches child processes: one that dies is said loudly and started again, a little later each time."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from sendonce_cli.stack.services import BAD_SETTINGS
from testkit.processes import ChildFailed, ServiceProcess

LOOK_EVERY: Final = 0.25  # seconds
LONGEST_WAIT: Final = 30.0  # seconds before another start
SETTLED_AFTER: Final = 30.0  # seconds of life that make earlier deaths forgotten

Say = Callable[[str], None]


class Hopeless(Exception):
    """A child that no restart will help."""


class Supervisor:
    """Keeps one child alive until it is cancelled."""

    def __init__(self, child: ServiceProcess, say: Say) -> None:
        self._child = child
        self._say = say
        self._deaths = 0

    async def run(self) -> None:
        """Watch, and start again whatever dies; raises `Hopeless` when that is pointless."""
        began = monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._child.running:
                continue
            if self._child.exit_code == BAD_SETTINGS:
                last = self._child.log_tail(1).strip()
                raise Hopeless(f"{self._child.name} refuses its settings: {last}")
            self._deaths = 1 if monotonic() - began > SETTLED_AFTER else self._deaths + 1
            await self._start_again()
            began = monotonic()

    async def _start_again(self) -> None:
        wait = min(0.5 * 2**self._deaths, LONGEST_WAIT)
        self._say(
            f"[bad]{self._child.name} died[/] ({_how(self._child.exit_code)}); starting it again in {wait:g} s"
        )
        await asyncio.sleep(wait)
        try:
            await self._child.start()
        except ChildFailed as failed:
            last = str(failed).splitlines()[-1]
            self._say(f"[warn]{self._child.name} did not come back:[/] {last}")
        else:
            self._say(f"[good]{self._child.name} is back[/]")


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return "it is gone"
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
