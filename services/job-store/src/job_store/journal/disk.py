"""Commits on their way to the disk: those that wait go together, one line and one fsync for all of them."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from chassis import clock
from chassis.metrics import counter, gauge, histogram
from job_store.journal import files
from job_store.journal.database import Database
from job_store.journal.files import Tail
from job_store.journal.lines import sealed

log = structlog.get_logger()

CONDENSED_AT: Final = (
    32 * 1024 * 1024
)  # bytes of commits; read again in a second or two at the next start
# The next snapshot is due when as many bytes of commits have come as this one has, so that all of them
# together cost no more than the commits did.
SHARE_OF_SNAPSHOT: Final = 1.0

_SECONDS: Final = histogram("journal_write_seconds", "Writing commits and waiting for the disk.")
_COMMITS: Final = counter("journal_commits_total", "Commits written.")
_BYTES: Final = gauge("journal_bytes", "Bytes of commits since the last snapshot.")


class JournalBrokenError(OSError):
    """A commit could not be kept: what is in memory is ahead of the disk, so nothing is said any more."""


class Journal:
    """Where commits are kept. After one write that failed it keeps none: a start reads what is on the disk."""

    def __init__(self, directory: Path, tail: Tail, *, condensed_at: int = CONDENSED_AT) -> None:
        self.directory = directory
        self.called = asyncio.Event()  # the keeper: it has grown, or it is broken
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="journal-snapshot")
        self._handle = _opened(tail.path)
        self._size = tail.size
        self._limit = self._least = condensed_at
        self._waiting: list[list[list[Any]]] = []
        self._taken = self._kept = tail.seq
        self._writing: asyncio.Task[None] | None = None
        self._problem: BaseException | None = None
        self._note_size()

    def append(self, changes: list[list[Any]]) -> None:
        """Take a commit."""
        self.raise_if_broken()
        self._waiting.append(changes)
        self._taken += 1

    async def settled(self) -> None:
        """Return once every commit taken so far is on the disk."""
        wanted = self._taken
        self.raise_if_broken()
        while self._kept < wanted:
            if self._writing is None:
                self._writing = asyncio.create_task(self._write(), name="journal:write")
            # Shielded: others wait for the same write.
            await asyncio.shield(self._writing)
            self.raise_if_broken()

    def raise_if_broken(self) -> None:
        """Raise if a commit was lost."""
        if self._problem is not None:
            raise JournalBrokenError(f"the journal is broken: {self._problem!r}") from self._problem

    async def _write(self) -> None:
        commits, self._waiting = self._waiting, []
        line = {"seq": self._kept + 1, "commits": commits}
        try:
            with _SECONDS.time():
                loop = asyncio.get_running_loop()
                self._size += await loop.run_in_executor(self._hand, _append, self._handle, line)
        except Exception as problem:
            self._problem = problem
            log.exception("journal.broken", directory=str(self.directory))
            self.called.set()
        else:
            self._kept += len(commits)
            _COMMITS.inc(len(commits))
            self._note_size()
        finally:
            self._writing = None

    def _note_size(self) -> None:
        _BYTES.set(self._size)
        if self._size > self._limit:
            self.called.set()

    async def condense(self, database: Database) -> None:
        """Write a snapshot, and forget the commits that it holds; commits go on meanwhile."""
        async with database.alone() as tables:
            await self.settled()
            seq, dump = self._kept, list(tables.dump())
            begin = partial(files.begun, self.directory, after=seq)
            path = await asyncio.get_running_loop().run_in_executor(self._hand, begin)
            os.close(self._handle)
            self._handle, self._size = _opened(path), path.stat().st_size
        self._limit = self._least
        write = partial(files.condense, self.directory, dump, seq=seq)
        try:
            size = await asyncio.get_running_loop().run_in_executor(self._clerk, write)
        except OSError:
            # The commits are all there: it is tried again when as many more have come.
            log.exception("journal.condense_failed", directory=str(self.directory))
        else:
            self._limit = max(self._least, int(size * SHARE_OF_SNAPSHOT))
            log.info("journal.condensed", seq=seq, bytes=size)

    async def close(self) -> None:
        """Keep what was taken, and let go of the file."""
        try:
            await self.settled()
        finally:
            # A snapshot that is being written ends before the lock goes.
            for hand in (self._hand, self._clerk):
                await asyncio.to_thread(hand.shutdown)
            os.close(self._handle)


class Keeper:
    """A part: keeps the journal short, and ends the service when a commit could not be kept."""

    name = "journal"

    def __init__(self, journal: Journal, database: Database) -> None:
        self._journal = journal
        self._database = database

    async def run(self, ready: asyncio.Event) -> None:
        """Condense whenever it has grown, until cancelled."""
        ready.set()
        while True:
            clock.honour_cancellation()
            await self._journal.called.wait()
            self._journal.called.clear()
            self._journal.raise_if_broken()
            await self._journal.condense(self._database)


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND)


def _append(handle: int, line: object) -> int:
    """Write one line and wait for the disk; returns its bytes."""
    data = memoryview(sealed(line))
    size = len(data)
    while data:
        data = data[os.write(handle, data) :]
    os.fsync(handle)
    return size
