"""The kit's store on the journal, where tests say plain SQL about its rows as they do to Postgres."""

from typing import Any

from chassis.clock import SYSTEM, Clock
from job_store.journal.database import Database
from job_store.journal.table import Key
from job_store.journal.tables import Tables
from job_store.journal.values import Row
from spoken_sql import Speech
from store_kit import Store


class Memory:
    """A disk that keeps nothing: for what statements do."""

    def append(self, changes: list[list[Any]]) -> None:
        """Forget it."""

    async def settled(self) -> None:
        """There is nothing to wait for."""


class JournalStore(Store):
    """Every verb of the store, without a database."""

    def __init__(self, engine: Database | None = None, clock: Clock = SYSTEM) -> None:
        self.engine = engine or Database(Tables(clock), Memory())
        self.tables = self.engine.tables
        super().__init__(self.engine)

    async def fetch(self, query: str, *args: object) -> list[Any]:
        async with self.engine.commit():
            return Speech(self.tables, args).run(query)

    async def value(self, query: str, *args: object) -> Any:
        rows = await self.fetch(query, *args)
        return next(iter(rows[0].values())) if rows else None

    async def table_names(self) -> set[str]:
        return set(self.tables.by_name)

    async def run(self, query: str, *args: object) -> None:
        await self.fetch(query, *args)


Held = dict[str, tuple[dict[Key, Row], int]]


def held(tables: Tables) -> Held:
    """Return everything that tables hold, to be compared."""
    return {name: (dict(table.rows), table.given) for name, table in tables.by_name.items()}
