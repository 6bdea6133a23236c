"""What every test of the command has in hand."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from pydantic import SecretStr
from typer.testing import CliRunner

import job_store.app
from chassis import lifecycle
from cli_kit import Asked
from testkit.logging_kept import logging_kept
from testkit.servers.databases import Migrate


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine, and a NATS address where nobody listens."""
    for name in [name for name in os.environ if name.startswith("SENDONCE_")]:  # noqa: TID251 - to be emptied
        monkeypatch.delenv(name)
    monkeypatch.setenv("SENDONCE_NATS_URL", "nats://127.0.0.1:9")


@pytest.fixture(autouse=True)
def as_loud_as_before() -> Iterator[None]:
    """A command quietens the process it runs in."""
    with logging_kept():
        yield


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    async def up(url: str) -> None:
        await job_store.app.migrate_database(url)

    return up


@pytest_asyncio.fixture
async def asked(
    database_url: str, nats_url: str, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Asked]:
    """Ask a job store of this test, as somebody whose name is Ann."""
    await job_store.app.migrate_bus(nats_url)
    own = job_store.app.as_role(database_url, job_store.app.STORE_ROLE)
    settings = job_store.app.Settings(
        nats_url=nats_url, database_url=SecretStr(own), log_level="warning"
    )
    monkeypatch.setenv("SENDONCE_NATS_URL", nats_url)
    monkeypatch.setenv("SENDONCE_OPERATOR", "ann")
    monkeypatch.setenv("COLUMNS", "160")
    async with lifecycle.service(job_store.app.build, settings, name=job_store.app.NAME):
        yield Asked(runner)


@pytest.fixture
def bots(asked: Asked, runner: CliRunner) -> Asked:
    """Ask `sendonce bots` of it."""
    return Asked(runner, "bots")
