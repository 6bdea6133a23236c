"""The kit's store on the journal, where tests say plain SQL about its rows as they do to Postgres."""

from typing import Any

from chassis.clock import SYSTEM, Clock
from job_store.journal.database import Database, Disk, Memory
from job_store.journal.tables import Tables
from spoken_sql import Speech
from store_kit import Store


class JournalStore(Store):
    """Every verb of the store, without a database."""

    def __init__(self, disk: Disk | None = None, clock: Clock = SYSTEM) -> None:
        self.tables = Tables(clock)
        self.engine = Database(self.tables, disk or Memory())
        super().__init__(self.engine)

    async def fetch(self, query: str, *args: object) -> list[Any]:
        async with self.engine.commit():
            return Speech(self.tables, args).run(query)

    async def value(self, query: str, *args: object) -> Any:
        rows = await self.fetch(query, *args)
        return next(iter(rows[0].values())) if rows else None

    async def run(self, query: str, *args: object) -> None:
        await self.fetch(query, *args)
