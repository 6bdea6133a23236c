"""A migration meets transactions of running services: it gives way, and is tried again."""

import asyncio
from importlib import resources
from pathlib import Path

import asyncpg
import pytest

from chassis import clock
from job_store.migrate import MET_OTHERS, _met_others, migrate_database
from job_store.store.schema import shipped

pytestmark = pytest.mark.postgres

TRACES = "20261130170500_traces.sql"
ALONE = "20261130100001_jobs_of_user.sql"  # in no transaction


async def until_waited_for(watch: "asyncpg.Connection[asyncpg.Record]", table: str) -> None:
    """Wait until somebody waits for this table as a whole."""
    while not await watch.fetchval(
        "SELECT true FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted", table
    ):
        await clock.SYSTEM.sleep(0.005)


async def test_fault_35_60_a_migration_that_met_a_running_transaction_is_tried_again(
    database_url: str,
) -> None:
    """It changes the outbox first and effects then; a service takes them the other way round."""
    for each in reversed(shipped()):
        await migrate_database(database_url, "down")
        if each.version in TRACES:
            break
    service, watch = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    await service.execute("SET deadlock_timeout = '1min'")  # so that it is the migration's turn

    async with service.transaction():
        await service.execute("SELECT FROM sendonce.effects")
        migrating = asyncio.create_task(migrate_database(database_url, "up"))
        await until_waited_for(watch, "sendonce.effects")
        await service.execute("SELECT FROM sendonce.outbox")
    said = await migrating

    assert any(code in said for code in MET_OTHERS)
    assert said.count(f"Applying: {TRACES}") == 2
    assert "Pending: 0" in await migrate_database(database_url, "status")
    await service.close()
    await watch.close()


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
    folder = Path(str(resources.files("job_store") / "migrations"))

    assert _met_others(said, folder) is is_harmless
