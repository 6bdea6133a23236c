"""One child process: its log in a file, its end with ours, stopped, frozen, killed as a tree."""

import asyncio
import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol

import psutil

from testkit.processes.account import Account
from testkit.processes.waiting import POLL, holds

TETHER = Path(__file__).with_name("tether.py")
STOP_WITHIN = 15.0
TAIL_LINES = 40


class ChildFailed(RuntimeError):
    """A child ended, or never became ready; the message carries the end of its log."""


class Handle(Protocol):
    """A process that was begun; ``subprocess.Popen`` is one."""

    @property
    def pid(self) -> int:
        """The process id."""

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""

    def send_signal(self, sig: int) -> None:
        """Send a signal; nothing to one that has ended."""


class Child:
    """A command that can be started again after it ended.

    Start it from a thread that outlives it, in practice the main thread: Linux ends a tethered
    child together with the thread that started it.
    """

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        account: Account | None = None,
        reach: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._env = dict(env)
        self._cwd = cwd
        self._account = account
        self._reach = reach
        self._running: Handle | None = None

    @property
    def pid(self) -> int:
        """The process id of the running or last run."""
        if self._running is None:
            raise ChildFailed(f"{self.name} was never started")
        return self._running.pid

    @property
    def running(self) -> bool:
        """True from spawn until the process has ended, frozen or not."""
        return self._running is not None and self._running.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The last run's exit code; negative for a signal."""
        return None if self._running is None else self._running.poll()

    def spawn(self) -> None:
        """Start the process; says nothing about readiness."""
        if self.running:
            raise ChildFailed(f"{self.name} is already running as {self.pid}")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._running = self._begun()
        atexit.register(self.kill_now)

    def _begun(self) -> Handle:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._tethered(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                # Ctrl-C in a terminal reaches only us; we decide who stops first.
                start_new_session=True,
            )

    def _tethered(self) -> list[str]:
        uid, gid = (self._account.uid, self._account.gid) if self._account else ("-", "-")
        tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid())]
        return [*tether, str(uid), str(gid), "1" if self._reach else "0", *self._command]

    async def ready(self, is_ready: Callable[[], Awaitable[bool]], *, within: float) -> None:
        """Wait until the fact holds, or fail with the log's tail."""
        deadline = monotonic() + within
        while not await is_ready():
            if not self.running:
                raise ChildFailed(f"{self.name} ended with {self.exit_code}\n{self.log_tail()}")
            if monotonic() > deadline:
                await self.kill()
                raise ChildFailed(f"{self.name} not ready in {within:g} s\n{self.log_tail()}")
            await asyncio.sleep(POLL)

    async def ended(self, *, within: float) -> int | None:
        """Wait until it ends by itself and return the exit code; kill it at the deadline."""
        await holds(lambda: not self.running, within=within)
        await self.kill()
        return self.exit_code

    async def stop(
        self, *, by: signal.Signals = signal.SIGTERM, within: float = STOP_WITHIN
    ) -> None:
        """Ask it to end and wait; kill what does not end in time. Idempotent."""
        if not self.running:
            return
        self.resume()
        self.send(by)
        await self.ended(within=within)

    async def kill(self) -> None:
        """SIGKILL to the whole tree at once, as when a machine dies; returns when it is gone."""
        tree = self._tree()
        self.kill_now()
        if not await holds(lambda: not any(map(is_alive, tree)), within=STOP_WITHIN):
            raise ChildFailed(f"{self.name} survived SIGKILL for {STOP_WITHIN:g} s")

    def kill_now(self) -> None:
        """Kill without an event loop; the last resort at exit."""
        atexit.unregister(self.kill_now)
        for process in self._tree():
            signal_process(process, signal.SIGKILL)
        if self._running is not None:
            self._running.wait(STOP_WITHIN)

    def pause(self) -> None:
        """SIGSTOP to the whole tree: alive, silent, connections open. Returns when all stand."""
        tree = self._tree()
        for process in tree:
            signal_process(process, signal.SIGSTOP)
        deadline = monotonic() + STOP_WITHIN
        while any(map(is_moving, tree)):
            if monotonic() > deadline:
                raise ChildFailed(f"{self.name} did not freeze in {STOP_WITHIN:g} s")
            # The kernel stops a busy process at its next step: a matter of microseconds.
            sleep(0.001)

    def resume(self) -> None:
        """SIGCONT to the whole tree, parents last, so that nobody misses a child."""
        for process in reversed(self._tree()):
            signal_process(process, signal.SIGCONT)

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return "(no log)"
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:]) or "(empty log)"

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing to one that has ended."""
        if self._running is not None:
            self._running.send_signal(number)

    def _tree(self) -> list[psutil.Process]:
        if not self.running:
            return []
        try:
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def is_alive(process: psutil.Process) -> bool:
    """True while the process can still act; a zombie cannot."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_moving(process: psutil.Process) -> bool:
    """True while the process neither stands still nor is gone."""
    try:
        return is_alive(process) and process.status() != psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def signal_process(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal to a process that may end meanwhile."""
    if is_alive(process):
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            return
