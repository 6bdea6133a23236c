"""The outbox rows: written by every decision, relayed by the chassis."""

from collections.abc import Sequence

from chassis.outbox import OutboxRow
from chassis.queries import load
from chassis.storage import Database
from job_store.store.rows import outbox_row

sql = load("job_store.store", "outbox.sql")


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_outbox(self, limit: int) -> list[OutboxRow]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql.claim_outbox, limit)
        return [outbox_row(row) for row in sorted(rows, key=lambda row: row["id"])]

    async def delete_outbox(self, ids: Sequence[int]) -> None:
        async with self._database.connection() as connection:
            await connection.execute(sql.delete_outbox, list(ids))

    async def release_outbox(self, ids: Sequence[int]) -> None:
        async with self._database.connection() as connection:
            await connection.execute(sql.release_outbox, list(ids))
