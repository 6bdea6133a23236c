"""The engine: named statements in transactions, one at a time, each on disk before it is over."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, Final, Protocol

import asyncpg

from job_store.journal import registry
from job_store.journal.registry import Statement
from job_store.journal.tables import Tables
from job_store.journal.values import Row

PATIENCE: Final = timedelta(
    seconds=10
)  # for the transactions before: each is a matter of milliseconds


class Disk(Protocol):
    """Where commits are kept."""

    def append(self, changes: list[list[Any]]) -> None:
        """Take a commit; they are kept in this order."""
        ...

    async def settled(self) -> None:
        """Return once everything taken so far is kept; ``OSError`` when it cannot be."""
        ...


class Database:
    """What the store takes for its database; see ``chassis.storage.Database``."""

    def __init__(
        self, tables: Tables, disk: Disk, statements: dict[str, Statement] | None = None
    ) -> None:
        self.tables = tables
        self.disk = disk
        self.births = 1  # nobody can exchange the files under an open journal
        self._statements = registry.registry() if statements is None else statements
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Connection"]:
        """Lend a way in."""
        yield Connection(self)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Connection"]:
        """Lend a way in, in one transaction: committed on leaving, undone on raising."""
        connection = Connection(self)
        async with connection.transaction():
            yield connection

    async def ping(self) -> None:
        """Raise unless commits can be kept."""
        await self.disk.settled()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Tables]:
        """Have the tables while no transaction is open; commits leave nothing to wait for."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await self._turn.acquire()
        try:
            yield self.tables
        finally:
            self._turn.release()

    @asynccontextmanager
    async def commit(self) -> AsyncIterator[None]:
        """One transaction over the tables; on disk when it is left."""
        async with self.alone() as tables:
            tables.begin()
            try:
                yield
            except BaseException:
                tables.undo()
                raise
            changes = tables.taken()
            if changes:
                self.disk.append(changes)
        # Others go on meanwhile: they wait for the same write, or for one that comes after it.
        # Who only read waits too, for what was read may be another's commit on its way to the disk.
        await self.disk.settled()

    def answer(self, query: str, args: tuple[object, ...]) -> list[Row]:
        return registry.run(self._statements, self.tables, query, args)


class Connection:
    """What the store takes for a connection: statements by their text, alone or in a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_open = False
        self._is_broken = False

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        if self._is_open:
            raise asyncpg.InterfaceError("a transaction is open on this connection")
        async with self._database.commit():
            self._is_open, self._is_broken = True, False
            try:
                yield
                if self._is_broken:
                    raise asyncpg.InFailedSQLTransactionError("a statement of it has failed")
            finally:
                self._is_open = False

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False
    ) -> AbstractAsyncContextManager[None]:
        """Open a transaction; every one sees one state, so no isolation has to be asked for."""
        del isolation, readonly
        return self._transaction()

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """Run a statement and return its rows."""
        if not self._is_open:
            async with self._database.commit():
                return self._database.answer(query, args)
        if self._is_broken:
            raise asyncpg.InFailedSQLTransactionError("an earlier statement has failed")
        try:
            return self._database.answer(query, args)
        except BaseException:
            self._is_broken = True
            raise

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """Run a statement and return its first row."""
        return next(iter(await self.fetch(query, *args)), None)

    async def fetchval(self, query: str, *args: object) -> Any:  # noqa: ANN401 - typed by the schema
        """Run a statement and return the first value of its first row."""
        row = await self.fetchrow(query, *args)
        return None if row is None else next(iter(row.values()))

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement for what it changes."""
        await self.fetch(query, *args)
        return ""

    async def executemany(self, query: str, args: Sequence[Sequence[object]]) -> None:
        """Run a statement for each of these."""
        if self._is_open:
            for each in args:
                await self.fetch(query, *each)
            return
        async with self._transaction():
            for each in args:
                await self.fetch(query, *each)
