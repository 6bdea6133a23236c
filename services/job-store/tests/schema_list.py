"""Write `schema_objects.txt` anew, from the migrations on a Postgres of its own: `python schema_list.py`."""

import asyncio
import tempfile
from pathlib import Path

import asyncpg

from job_store.migrate import migrate_database
from job_store.store import schema
from testkit.servers import PostgresServer


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="schema-") as room:
        Path(room).chmod(0o755)  # Postgres may run as a lesser account
        async with PostgresServer(Path(room) / "postgres") as server:
            await migrate_database(server.url)
            connection = await asyncpg.connect(server.url)
            made = sorted(row["what"] for row in await connection.fetch(schema.sql.objects))
            await connection.close()
    Path(schema.__file__).with_name(schema.OBJECTS).write_text("\n".join(made) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
