"""Pytest fixtures: real servers, a database and a JetStream of its own for every test.

A package with a database overrides `migrate_database` in its conftest.py; the rest is ready.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from testkit.servers.databases import Migrate, TemplateDatabases
from testkit.servers.protocol import DatabaseServer, Server
from testkit.servers.sources import ServerSources

pytest_plugins = ["testkit.parallel"]

session = pytest_asyncio.fixture(scope="session", loop_scope="session")


@session
async def server_sources(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerSources]:
    """Where this session's servers come from; ends them with the session."""
    sources = ServerSources(tmp_path_factory.mktemp("servers"))
    yield sources
    await sources.close()


@session
async def postgres_server(server_sources: ServerSources) -> DatabaseServer:
    """The session's Postgres; a test that kills it must start it again."""
    return await server_sources.postgres()


@session
async def nats_server(server_sources: ServerSources) -> Server:
    """The session's shared NATS; most tests want `nats_url` instead."""
    return await server_sources.nats()


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    """How to bring an empty database to the current schema; to be overridden."""

    async def nobody_said(url: str) -> None:
        raise pytest.UsageError(
            f"nobody says how to migrate {url.rsplit('/', 1)[-1]}: define the session fixture "
            "`migrate_database` in conftest.py, returning an async function of a database URL"
        )

    return nobody_said


@session
async def template_databases(postgres_server: DatabaseServer) -> AsyncIterator[TemplateDatabases]:
    """Migrated templates, made once for each way to migrate."""
    templates = TemplateDatabases(postgres_server)
    yield templates
    await templates.close()


@pytest_asyncio.fixture
async def database_url(
    template_databases: TemplateDatabases, migrate_database: Migrate
) -> AsyncIterator[str]:
    """A migrated database of this test's own."""
    async with template_databases.clone(migrate_database) as url:
        yield url


@pytest_asyncio.fixture
async def nats_url(server_sources: ServerSources, tmp_path: Path) -> AsyncIterator[str]:
    """A JetStream without streams, of this test's own."""
    async with server_sources.empty_nats(tmp_path / "nats") as server:
        yield server.url
