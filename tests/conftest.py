"""The whole system in one event loop, on real servers and honest doubles."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deployment import Deployment, deployed
from job_store.migrate import migrate_database as migrate
from testkit.servers.databases import Migrate


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    async def up(url: str) -> None:
        await migrate(url)

    return up


@pytest_asyncio.fixture
async def deployment(database_url: str, nats_url: str) -> AsyncIterator[Deployment]:
    async with deployed(database_url=database_url, nats_url=nats_url) as running:
        yield running
