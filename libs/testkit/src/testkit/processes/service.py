"""One of our services as a child process: ready when it says so over HTTP."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from testkit.processes.child import Child

READY_WITHIN = 20.0
STOP_WITHIN = 15.0
# One probe may hang when the service is frozen; the deadline is kept by asking again.
PROBE_WITHIN = 1.0
OURS = "SENDONCE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """What to run and how to know that it runs."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    ready_url: str | None = None
    ready_within: float = READY_WITHIN


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """The command `python -m module arguments`, with this very Python."""
    return (sys.executable, "-m", module, *arguments)


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """This process' environment without any setting of ours, and then the given ones."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**inherited, "PYTHONUNBUFFERED": "1", **own}


class ServiceProcess:
    """Starts, stops, kills and freezes one service; ``child`` begins it in another way than by its command."""

    def __init__(self, spec: ServiceSpec, child: Child | None = None) -> None:
        self.spec = spec
        self._child = child or Child(
            name=spec.name, command=spec.command, log=spec.log, env=environment(spec.env)
        )

    @property
    def name(self) -> str:
        """The service's name."""
        return self.spec.name

    @property
    def pid(self) -> int:
        """The process id of the running or last run."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """True until the process has ended, frozen or not."""
        return self._child.running

    @property
    def exit_code(self) -> int | None:
        """The last run's exit code; negative for a signal."""
        return self._child.exit_code

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.spawn()
        await self.wait_ready()

    def spawn(self) -> None:
        """Start it without waiting."""
        self._child.spawn()

    async def wait_ready(self) -> None:
        """Wait for 200 from the ready address; fail with the log's tail."""
        if self.spec.ready_url is None:
            return
        url = self.spec.ready_url
        patience = aiohttp.ClientTimeout(total=PROBE_WITHIN)
        async with aiohttp.ClientSession(timeout=patience) as client:
            await self._child.ready(lambda: answers_ok(client, url), within=self.spec.ready_within)

    async def stop(self, *, within: float = STOP_WITHIN) -> None:
        """SIGTERM, then SIGKILL for one that does not listen."""
        await self._child.stop(within=within)

    async def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        await self._child.kill()

    async def restart(self) -> None:
        """Stop and start."""
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """SIGSTOP: the process hangs, its connections stay open."""
        self._child.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self._child.resume()

    def log_tail(self, lines: int = 40) -> str:
        """The last lines it wrote."""
        return self._child.log_tail(lines)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


async def answers_ok(client: aiohttp.ClientSession, url: str) -> bool:
    """True when the address answers 200 within a probe's time."""
    try:
        async with client.get(url) as answer:
            return answer.status == 200  # noqa: PLR2004  # HTTP's own number
    except (aiohttp.ClientError, TimeoutError):
        return False
