"""Is this the database whose commits were acknowledged? If it is an older one, everything is held."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog

from chassis.queries import load
from chassis.storage import Connection, Database
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
class Testimony:
    """What the bus knows of one durable: ``acked`` for certain, and of ``handed`` all but ``pending``."""

    acked: tuple[Acked, ...] = ()
    handed: tuple[Acked, ...] = ()
    pending: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """An open one: since when, and how far."""

    id: int
    found_at: datetime
    phase: Phase
    durable: str
    missing: str


# The newest messages of a durable, above a sequence.
Newest = Callable[[str, int], Awaitable[Testimony]]


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
        told = await self._newest(durable, floor)
        missing = await self._missing(connection, durable, told)
        if missing is not None and await connection.fetchval(sql.hold, durable, missing):
            log.error(
                "database.older_than_bus",
                durable=durable,
                missing=missing,
                effect="nothing is handed out",
                do="sendonce resume --after-restore",
            )

    async def _missing(self, connection: Connection, durable: str, told: Testimony) -> str | None:
        """Name a message that was acknowledged and is not known here; None when there is none."""
        both = (*told.acked, *told.handed)
        if not both:
            return None
        rows = await connection.fetch(
            sql.known, [one.id for one in both], [one.seq for one in both], durable
        )
        known = {row["id"] for row in rows}
        for one in told.acked:
            if one.id not in known:
                return one.id
        # Which of these are still pending the bus does not tell; that more are unknown than pending says it all.
        unknown = [one.id for one in told.handed if one.id not in known]
        return unknown[-1] if len(unknown) > told.pending else None

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
