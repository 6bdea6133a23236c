"""The schema beside what this version ships: what is missing, edited afterwards or not applied is said."""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest
import pytest_asyncio

from contracts.ops import SchemaView
from job_store.migrate import migrate_database
from job_store.store import schema
from store_kit import Store

pytestmark = pytest.mark.postgres

NEWEST: Final = schema.shipped()[-1]


async def seen(store: Store) -> SchemaView:
    return await schema.Schema(store.database).view()


async def test_the_list_of_objects_is_what_the_migrations_make(store: Store):
    """A migration that makes or drops something brings its lines in `schema_objects.txt`."""
    async with store.database.connection() as connection:
        made = [row["what"] for row in await connection.fetch(schema.sql.objects)]

    assert sorted(schema.expected_objects()) == sorted(made)


async def test_a_migrated_schema_is_whole(store: Store):
    view = await seen(store)

    assert (view.missing, view.missing_count, view.unknown) == ((), 0, ())
    assert view.objects > 200
    assert {(one.applied, one.reversible) for one in view.migrations} == {(True, True)}
    assert [one.applied_sha256 for one in view.migrations] == [
        one.sha256 for one in schema.shipped()
    ]


@pytest.mark.parametrize(
    "harm, missing",
    [
        ("DROP TABLE durations", "table durations"),
        ("ALTER TABLE jobs DROP CONSTRAINT jobs_paid_for", "check jobs.jobs_paid_for"),
        ("ALTER TABLE jobs ALTER COLUMN digest DROP NOT NULL", "column jobs.digest text not null"),
        ("DROP INDEX ledger_one_hold", "unique index ledger_one_hold"),
        (
            "DROP INDEX ledger_one_hold; CREATE INDEX ledger_one_hold ON ledger (job_id)",
            "unique index ledger_one_hold",
        ),
        ("ALTER TABLE ledger DISABLE TRIGGER ledger_insert_only", "trigger ledger.ledger_insert_only"),
    ],
)  # fmt: skip
async def test_what_is_missing_is_named(store: Store, harm: str, missing: str):
    await store.run(harm)

    assert missing in (await seen(store)).missing


async def test_an_edited_migration_and_one_of_a_newer_version_are_told_apart(store: Store):
    await store.run(
        "UPDATE migration_checksums SET sha256 = repeat('0', 64) WHERE version = $1", NEWEST.version
    )
    await store.run("INSERT INTO public.sendonce_migrations (version) VALUES ('29991231000000')")

    view = await seen(store)

    assert view.unknown == ("29991231000000",)
    assert [one.version for one in view.migrations if one.applied_sha256 != one.sha256] == [
        NEWEST.version
    ]


@pytest_asyncio.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(database_url)
    yield made
    await made.close()


async def test_checksums_are_kept_when_applied_and_forgotten_when_taken_back(
    database_url: str, connection: asyncpg.Connection
):
    """Also when the table of checksums itself is among what is taken back."""
    kept = "SELECT array_agg(version ORDER BY version) FROM sendonce.migration_checksums"
    versions = [one.version for one in schema.shipped()]
    assert await connection.fetchval(kept) == versions

    since = versions.index("20261130170000")
    for _ in versions[since:]:
        await migrate_database(database_url, "down")
    assert not await connection.fetchval(schema.sql.has_checksums)

    await migrate_database(database_url)
    assert await connection.fetchval(kept) == versions
