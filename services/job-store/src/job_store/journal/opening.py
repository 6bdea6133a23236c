"""A journal opened: locked, read, kept, closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from chassis.clock import SYSTEM, Clock
from job_store.journal import files
from job_store.journal.database import Database
from job_store.journal.disk import CONDENSED_AT, Journal, Keeper
from job_store.journal.tables import Tables

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """What the store speaks to, and the part that must run beside it."""

    database: Database
    keeper: Keeper


@asynccontextmanager
async def opened(
    directory: Path, *, clock: Clock = SYSTEM, condensed_at: int = CONDENSED_AT
) -> AsyncIterator[Opened]:
    """Have a journal to itself; ``JournalError`` when another process has it, or when it is damaged."""
    tables = Tables(clock)
    began = clock.monotonic()
    with files.locked(directory):
        tail = await asyncio.to_thread(files.restored, directory, tables)
        rows = sum(len(table.rows) for table in tables.by_name.values())
        took = round(clock.monotonic() - began, 3)
        log.info("journal.opened", directory=str(directory), seq=tail.seq, rows=rows, seconds=took)
        journal = Journal(directory, tail, condensed_at=condensed_at)
        try:
            database = Database(tables, journal)
            yield Opened(database, Keeper(journal, database))
        finally:
            await journal.close()
