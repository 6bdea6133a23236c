"""A store on a database of its own or on a journal, and builders that are valid by default."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import settings

from chassis import postgres
from job_store.migrate import migrate_database as migrate
from job_store.privileges import STORE_ROLE, as_role
from journal_kit import JournalStore
from store_kit import Store
from testkit.servers.databases import Migrate

settings.register_profile("long", max_examples=10 * settings.default.max_examples)


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    async def up(url: str) -> None:
        await migrate(url)

    return up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of the journal what is about Postgres."""
    items[:] = [
        item
        for item in items
        if "[journal" not in item.name or item.get_closest_marker("postgres") is None
    ]


@pytest_asyncio.fixture
async def store_on_postgres(database_url: str) -> AsyncIterator[Store]:
    """The store with the rights of job-store's role; what a test types by itself is typed by the owner."""
    own = as_role(database_url, STORE_ROLE)
    async with postgres.connected(
        own, application_name="tests", schema="sendonce", max_size=20
    ) as database:
        kit = Store(database)
        await kit.add_bot("shop")
        yield kit
        await kit.assert_legal()


@pytest_asyncio.fixture
async def store_on_journal() -> AsyncIterator[Store]:
    kit = JournalStore()
    await kit.add_bot("shop")
    yield kit
    await kit.assert_legal()


@pytest.fixture(params=["postgres", "journal"])
def store(request: pytest.FixtureRequest) -> Store:
    """The store on either storage."""
    kit: Store = request.getfixturevalue(f"store_on_{request.param}")
    return kit
