"""Databases for tests: migrated once as a template, cloned for each test, dropped after."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from testkit.servers.protocol import DatabaseServer

Migrate = Callable[[str], Awaitable[None]]


class TemplateDatabases:
    """One template for each way to migrate; cloning it is far cheaper than migrating again."""

    def __init__(self, server: DatabaseServer) -> None:
        self._server = server
        self._templates: dict[Migrate, str] = {}

    @asynccontextmanager
    async def clone(self, migrate: Migrate) -> AsyncIterator[str]:
        """The address of a database nobody else sees."""
        template = await self._template(migrate)
        name = f"test_{secrets.token_hex(6)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self._server.url_of(name)
        finally:
            await self._drop(name)

    async def close(self) -> None:
        """Drop the templates."""
        for name in self._templates.values():
            await self._drop(name)
        self._templates.clear()

    async def _template(self, migrate: Migrate) -> str:
        if migrate not in self._templates:
            name = f"template_{secrets.token_hex(6)}"
            await self._execute(f"CREATE DATABASE {name}")
            self._templates[migrate] = name
            await migrate(self._server.url_of(name))
        return self._templates[migrate]

    async def _drop(self, name: str) -> None:
        await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
