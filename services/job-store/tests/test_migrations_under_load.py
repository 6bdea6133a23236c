"""A migration meets transactions of running services: it gives way, and is tried again."""

import asyncio
import re
import shutil
from importlib import resources
from pathlib import Path

import asyncpg
import pytest

from chassis import clock
from job_store import migrate
from job_store.migrate import MET_OTHERS, MigrationError, _met_others, migrate_database
from job_store.store.schema import Shipped, shipped

pytestmark = pytest.mark.postgres

FOLDER = Path(str(resources.files("job_store") / "migrations"))
TWO = "29990101000000_two_tables.sql"
TRACES = "20261130170500_traces.sql"
ALONE = "20261130100001_jobs_of_user.sql"  # in no transaction


async def until_waited_for(watch: "asyncpg.Connection[asyncpg.Record]", table: str) -> None:
    """Wait until somebody waits for this table as a whole."""
    while not await watch.fetchval(
        "SELECT true FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted", table
    ):
        await clock.SYSTEM.sleep(0.005)


@pytest.fixture
def a_newer_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose newest migration changes two tables, which none of ours may."""
    shutil.copytree(FOLDER, tmp_path / "migrations")
    (tmp_path / "migrations" / TWO).write_text(
        """-- migrate:up
ALTER TABLE sendonce.outbox ADD COLUMN of_two int;
ALTER TABLE sendonce.effects ADD COLUMN of_two int;

-- migrate:down
ALTER TABLE sendonce.effects DROP COLUMN of_two;
ALTER TABLE sendonce.outbox DROP COLUMN of_two;
""",
        "utf-8",
    )
    monkeypatch.setattr(resources, "files", lambda _package: tmp_path)


async def said_while_a_service_is_in_the_way(database_url: str) -> str:
    """Migrate up: the outbox is changed first and effects then; a service takes them the other way round."""
    service, watch = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    await service.execute("SET deadlock_timeout = '1min'")  # so that it is the migration's turn
    try:
        async with service.transaction():
            await service.execute("SELECT FROM sendonce.effects")
            migrating = asyncio.create_task(migrate_database(database_url, "up"))
            await until_waited_for(watch, "sendonce.effects")
            await service.execute("SELECT FROM sendonce.outbox")
        return await migrating
    finally:
        await service.close()
        await watch.close()


async def test_fault_35_60_a_migration_that_met_a_running_transaction_is_tried_again(
    database_url: str, a_newer_version: None
) -> None:
    said = await said_while_a_service_is_in_the_way(database_url)

    assert any(code in said for code in MET_OTHERS)
    assert said.count(f"Applying: {TWO}") == 2
    assert "Pending: 0" in await migrate_database(database_url, "status")


async def test_a_migration_that_always_meets_one_is_given_up_and_leaves_nothing(
    database_url: str, a_newer_version: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "TRIES", 1)

    with pytest.raises(MigrationError, match="type it again when less goes on"):
        await said_while_a_service_is_in_the_way(database_url)

    assert f"[ ] {TWO}" in await migrate_database(database_url, "status")


@pytest.mark.parametrize(
    "said, is_harmless",
    [
        (f"Applying: {TRACES}\nError: pq: deadlock detected (40P01)", True),
        (f"Applying: {TRACES}\nError: pq: canceling statement due to lock timeout (55P03)", True),
        (f"Applying: {TRACES}\nError: pq: syntax error (42601)", False),
        (f"Applying: {ALONE}\nError: pq: deadlock detected (40P01)", False),
        ("Error: pq: the database system is starting up (57P03)", False),
    ],
)
def test_only_what_left_nothing_behind_is_tried_again(said: str, *, is_harmless: bool) -> None:
    assert (_met_others(said, FOLDER) == TRACES) is is_harmless


def changed_tables(text: str) -> set[str]:
    """The tables a migration changes and does not make."""
    up = text.partition("-- migrate:down")[0]
    made = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\S+)", up))
    touched = re.findall(
        r"(?:ALTER TABLE|TRIGGER \w+ (?:BEFORE [A-Z ]+ )?ON) (\S+?)\b(?=[\s;])", up
    )
    return set(touched) - made


@pytest.mark.parametrize("one", shipped(), ids=lambda one: one.name)
def test_a_migration_changes_one_table_that_lives(one: Shipped) -> None:
    """Who waits for one lock while holding none is in no deadlock."""
    (file,) = FOLDER.glob(f"{one.version}_*.sql")

    assert len(changed_tables(file.read_text("utf-8"))) <= 1


def test_a_migration_that_changes_several_is_seen() -> None:
    several = "ALTER TABLE a ADD x int;\nDROP TRIGGER t ON b;\nCREATE TRIGGER u BEFORE UPDATE OR DELETE ON c"
    made = "CREATE TABLE d (x int);\nALTER TABLE d ADD y int;"

    assert changed_tables(f"{several}\n{made}\n-- migrate:down\nALTER TABLE e ADD x int;") == {
        *"abc"
    }
