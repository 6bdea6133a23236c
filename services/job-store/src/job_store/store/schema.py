"""Which migrations a database has, whichever version applied them."""

from typing import Final

import asyncpg

from chassis.queries import load

sql = load("job_store.store", "schema.sql")

CONNECT_WITHIN: Final = 30  # seconds


async def applied(url: str) -> list[str]:
    """Return their numbers, the oldest first; ``OSError`` when Postgres is away or does not let us in."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_WITHIN)
        try:
            return [row["version"] for row in await connection.fetch(sql.applied)]
        finally:
            await connection.close()
    except asyncpg.UndefinedTableError:
        return []
    except asyncpg.PostgresError as refusal:
        raise OSError(str(refusal)) from refusal
