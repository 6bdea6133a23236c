"""A store on a database of its own, and builders that are valid by default."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import settings

from chassis import postgres
from job_store.migrate import migrate_database as migrate
from job_store.privileges import STORE_ROLE, as_role
from store_kit import Store
from testkit.servers.databases import Migrate

settings.register_profile("long", max_examples=10 * settings.default.max_examples)


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    async def up(url: str) -> None:
        await migrate(url)

    return up


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """The store with the rights of job-store's role; what a test types by itself is typed by the owner."""
    own = as_role(database_url, STORE_ROLE)
    async with postgres.connected(
        own, application_name="tests", schema="sendonce", max_size=20
    ) as database:
        kit = Store(database)
        await kit.add_bot("shop")
        yield kit
        await kit.assert_legal()
