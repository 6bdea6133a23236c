"""Commands an operator types on servers that nothing else runs on: killed where they come to, then typed again."""

import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import nats
from nats.js import JetStreamContext

from chassis import postgres
from contracts import streams
from contracts.ops import SchemaView
from crash.book import OrderBook
from crash.child import ORDERS
from job_store.app import JOURNAL, InJournal, InPostgres, Tally, export, restore
from job_store.migrate import migrate_bus, migrate_database
from job_store.privileges import READER_ROLE, STORE_ROLE
from job_store.store.schema import Schema
from testkit.processes import python_module
from testkit.processes.nursery import Nursery
from testkit.processes.waiting import holds
from testkit.servers import PostgresServer

COMMAND: Final = "command"  # who obeys
ENDS_WITHIN: Final = 60.0  # seconds for one command
DATABASE, MADE, FULL = "bench", "made", "filled"
RIGHTS: Final = """
    SELECT grantee, table_name, column_name, privilege_type FROM information_schema.column_privileges
    WHERE grantee = ANY($1::text[]) ORDER BY 1, 2, 3, 4
"""
Rights = list[tuple[str, ...]]


@dataclass(kw_only=True)
class Bench:
    """Two servers, a data directory, and everything a deployment that has lived has kept, as a file."""

    postgres: PostgresServer
    nats_url: str
    directory: Path
    whole: Path
    held: Tally
    book: OrderBook
    js: JetStreamContext
    _nursery: Nursery
    rights: Rights = field(default_factory=list)  # of the roles, once everything is made

    @property
    def url(self) -> str:
        """The database that commands work on."""
        return self.postgres.url_of(DATABASE)

    @property
    def data(self) -> Path:
        """Where commands have a journal."""
        return self.directory / "data"

    @property
    def file(self) -> Path:
        """What is exported into."""
        return self.directory / "exported"

    async def typed(self, *words: str, storage: str) -> bool:
        """Type a command and wait for its end; False when it does not come."""
        process = self._nursery.born(
            command=python_module("crash.command", *words),
            log=self.directory / "commands.log",
            env={ORDERS: str(self.book.of(COMMAND)), **self._settings(storage)},
        )
        if await holds(lambda: process.poll() is not None, within=ENDS_WITHIN):
            return True
        process.send_signal(signal.SIGKILL)
        return False

    def _settings(self, storage: str) -> Mapping[str, str]:
        told = {"STORAGE": storage, "DATA_DIR": str(self.data), "NATS_URL": self.nats_url}
        return {f"SENDONCE_{name}": value for name, value in told.items()} | {
            "SENDONCE_DATABASE_URL": self.url
        }

    # -- what stands before a command ----------------------------------------------------------------

    async def with_nothing(self) -> None:
        """Have an empty database, no roles and no streams."""
        # Roles are the server's: they go when nothing is granted to them any more.
        for name in (MADE, FULL):
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await self._database("template1")
        await self._execute(*(f"DROP ROLE IF EXISTS {role}" for role in (STORE_ROLE, READER_ROLE)))
        for info in await self.js.streams_info():
            await self.js.delete_stream(info.config.name or "")

    async def with_schema(self) -> None:
        """Have an empty database of this version, and its streams."""
        if not await self._has(MADE):
            await self._database("template1")
            await migrate_database(self.url)
            await self._execute(f"CREATE DATABASE {MADE} TEMPLATE {DATABASE}")
            self.rights = await self.rights_now()
        await migrate_bus(self.nats_url)
        await self._database(MADE)

    async def with_everything(self) -> None:
        """Have all that a deployment has kept, in the database."""
        if not await self._has(FULL):
            await self.with_schema()
            await restore(self.whole, InPostgres(self.url))
            await self._execute(f"CREATE DATABASE {FULL} TEMPLATE {DATABASE}")
        await self._database(FULL)
        self.file.unlink(missing_ok=True)

    async def with_drift(self) -> None:
        """Have streams and durables that somebody has changed."""
        await self.with_schema()
        for stream in streams.STREAMS:
            config = (await self.js.stream_info(stream.name)).config
            await self.js.update_stream(config.evolve(max_bytes=stream.max_bytes // 2))
        for row in streams.CONSUMERS:
            config_of = (await self.js.consumer_info(row.stream, row.durable)).config
            await self.js.add_consumer(row.stream, config_of.evolve(max_ack_pending=1))

    async def with_a_journal(self) -> None:
        """Have all that a deployment has kept, in a journal."""
        shutil.rmtree(self.data, ignore_errors=True)
        await restore(self.whole, InJournal(self.data / JOURNAL))
        self.file.unlink(missing_ok=True)

    async def _database(self, template: str) -> None:
        await self._execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)",
                            f"CREATE DATABASE {DATABASE} TEMPLATE {template}")  # fmt: skip

    async def _has(self, name: str) -> bool:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            return bool(
                await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
            )
        finally:
            await connection.close()

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    # -- what stands after it -------------------------------------------------------------------------

    async def rights_now(self) -> Rights:
        """Return what is granted to the roles."""
        connection = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch(RIGHTS, [STORE_ROLE, READER_ROLE])
        finally:
            await connection.close()
        return [tuple(row) for row in rows]

    async def schema(self) -> SchemaView:
        """Return how the schema stands beside what it should be."""
        async with postgres.connected(
            self.url, application_name="bench", schema="sendonce", max_size=1
        ) as database:
            return await Schema(database).view()


@asynccontextmanager
async def bench(
    *,
    postgres_server: PostgresServer,
    nats_url: str,
    directory: Path,
    nursery: Nursery,
    whole: Path,
) -> AsyncIterator[Bench]:
    """Set it up; ``whole`` is what a deployment has exported."""
    client = await nats.connect(nats_url)
    try:
        yield Bench(
            postgres=postgres_server,
            nats_url=nats_url,
            directory=directory,
            whole=whole,
            held=await in_file(whole, directory / "held"),
            book=OrderBook(directory),
            js=client.jetstream(),
            _nursery=nursery,
        )
    finally:
        await client.close()


async def in_file(file: Path, scratch: Path) -> Tally:
    """Return what a file holds: it is read to its end, into a journal."""
    shutil.rmtree(scratch, ignore_errors=True)
    return await restore(file, InJournal(scratch))


async def in_database(url: str, scratch: Path) -> Tally:
    """Return what a database holds."""
    return await export(InPostgres(url), scratch)
