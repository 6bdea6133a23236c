"""A server's data directory: one owner at a time, and no survivor of an earlier owner in it."""

import fcntl
import os
import shutil
import signal
from pathlib import Path

import psutil

from testkit.processes.child import is_alive, signal_process
from testkit.processes.waiting import holds

GONE_WITHIN = 10.0


class DirectoryInUse(RuntimeError):
    """Another live process of ours runs a server here."""


class DataDirectory:
    """Held by a lock the system itself drops when its holder dies, so nothing stale can be left."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None

    async def claim(self) -> None:
        """Take the directory, or refuse when a living owner has it; end what a dead owner left."""
        if self._lock is not None:
            return
        fresh = not self.path.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(lock)
            raise DirectoryInUse(f"{self.path} is in use by another process") from taken
        self._lock = lock
        if not fresh:
            await self.evict()

    async def evict(self) -> None:
        """Kill every process that still works inside the directory."""
        left = [process for process in psutil.process_iter() if self._works_here(process)]
        for process in left:
            signal_process(process, signal.SIGKILL)
        if not await holds(lambda: not any(map(is_alive, left)), within=GONE_WITHIN):
            raise DirectoryInUse(f"processes in {self.path} survived SIGKILL")

    def release(self) -> None:
        """Let the next owner in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove(self) -> None:
        """Delete everything in it, and let go."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    def _works_here(self, process: psutil.Process) -> bool:
        # Our servers work inside their directory; so may a person's shell, which is left alone.
        try:
            inside = Path(process.cwd()).is_relative_to(self.path)
            return inside and process.name() in SERVER_PROGRAMS
        except (psutil.Error, OSError):
            return False


SERVER_PROGRAMS = ("postgres", "nats-server")
