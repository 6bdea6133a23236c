"""Is this the database whose commits were acknowledged? If it is an older one, everything is held."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog

from chassis.postgres import Connection, Database
from chassis.queries import load
from job_store.store.inbox import floor_of

log = structlog.get_logger()

sql = load("job_store.store", "lineage.sql")

NAMED: Final = 50  # jobs that are named to an operator


class Phase(StrEnum):
    """How far the way back is."""

    FOUND = "found"  # held, nobody has begun
    REPORTS = "reports"  # reports are applied again
    OUTCOMES = "outcomes"  # then outcomes, for the parts they name exist now
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acked:
    """A message that job-store has acknowledged."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """An open one: since when, and how far."""

    id: int
    found_at: datetime
    phase: Phase
    durable: str
    missing: str


# Some of the newest acknowledged messages of a durable, above a sequence.
Newest = Callable[[str, int], Awaitable[Sequence[Acked]]]


class Lineage:
    """Looks whenever a connection was made: a database cannot be exchanged under an old one."""

    def __init__(self, database: Database, durables: Sequence[str], newest: Newest) -> None:
        self._database = database
        self._durables = durables
        self._newest = newest
        self._looked_at = -1
        self._looking = asyncio.Lock()

    async def confirm(self, connection: Connection) -> None:
        """Return once it is known; the hold is committed before anything else can be."""
        if self._looked_at == self._database.births:
            return
        async with self._looking:
            births = self._database.births
            if self._looked_at == births:
                return
            if not await connection.fetchval(sql.held):
                for durable in self._durables:
                    await self._look(connection, durable)
            self._looked_at = births

    async def _look(self, connection: Connection, durable: str) -> None:
        floor = await floor_of(connection, durable) or 0
        acked = await self._newest(durable, floor)
        if not acked:
            return
        ids, seqs = [one.id for one in acked], [one.seq for one in acked]
        known = {row["id"] for row in await connection.fetch(sql.known, ids, seqs, durable)}
        missing = next((one for one in ids if one not in known), None)
        if missing is not None and await connection.fetchval(sql.hold, durable, missing):
            log.error(
                "database.older_than_bus",
                durable=durable,
                missing=missing,
                effect="nothing is handed out",
                do="sendonce resume --after-restore",
            )

    # -- the way back --------------------------------------------------------------------------------

    async def restore(self) -> Restore | None:
        """Return the open one, if there is one."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(sql.open_restore)
        if row is None:
            return None
        return Restore(**{**dict(row), "phase": Phase(row["phase"])})

    async def move_on(self, restore: Restore, phase: Phase) -> None:
        """Write down that the next phase has begun."""
        async with self._database.connection() as connection:
            await connection.execute(sql.move_on, restore.id, phase)

    async def may_repeat(self, restore: Restore) -> list[str]:
        """Name jobs of which something may be done a second time: nobody told of a first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql.may_repeat, restore.found_at, NAMED)
        return [str(row["id"]) for row in rows]

    async def unknown_jobs(self) -> list[str]:
        """Name jobs of which only callbacks are known."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql.unknown_jobs, NAMED)
        return [row["id"] for row in rows]
