"""A release is rolled back by its operator: what it added to the schema is named, taken back, and made again."""

import pytest
import pytest_asyncio
from typer.testing import CliRunner

import job_store.app
from cli_kit import Asked
from testkit.ports import free_port

pytestmark = pytest.mark.timeout(120)

BEFORE = "20261130000005"  # the newest migration of the version before


@pytest_asyncio.fixture
async def migrate(
    database_url: str, nats_url: str, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> Asked:
    """The command, for a deployment whose schema and streams are there."""
    await job_store.app.migrate_bus(nats_url)
    monkeypatch.setenv("SENDONCE_NATS_URL", nats_url)
    monkeypatch.setenv("SENDONCE_DATABASE_URL", database_url)
    return Asked(runner, "migrate")


async def test_what_a_release_added_is_taken_back_and_made_again(migrate: Asked) -> None:
    assert "Pending: 0" in await migrate("status")

    back = await migrate("down", "--to", BEFORE, "--yes")
    incomplete = await migrate.result("status")
    again = await migrate("up")

    rolled = [line for line in back.splitlines() if line.startswith("Rolling back")]
    assert rolled == sorted(rolled, reverse=True)
    assert "20261130100000_bodies.sql" in rolled[-1]
    assert incomplete.exit_code == 1
    assert f"[X] {BEFORE}_parts_known.sql" in incomplete.stdout
    assert f"Pending: {len(rolled)}" in incomplete.stdout
    assert "20261130100001_jobs_of_user.sql" in again
    assert "Pending: 0" in await migrate("status")
    assert "nothing newer is applied" in await newest(migrate)


async def newest(migrate: Asked) -> str:
    """Go down to where it stands already."""
    applied = [line for line in (await migrate("status")).splitlines() if line.startswith("[X]")]
    return await migrate("down", "--yes", "--to", applied[-1].split()[1].partition("_")[0])


async def test_a_postgres_that_is_away_is_said(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDONCE_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/x")

    down = await Asked(runner, "migrate").result("down", "--yes")

    assert down.exit_code == 1
    assert down.stderr.startswith("error: Postgres cannot be asked")


async def test_only_an_applied_migration_can_be_gone_back_to(migrate: Asked) -> None:
    unknown = await migrate.result("down", "--to", "20250101000000", "--yes")
    unsure = await migrate.result("down", "--to", BEFORE)

    assert (unknown.exit_code, unsure.exit_code) == (2, 2)
    assert "no migration 20250101000000 is applied" in unknown.stderr
    assert "--yes" in unsure.stderr
    assert "Pending: 0" in await migrate("status")
