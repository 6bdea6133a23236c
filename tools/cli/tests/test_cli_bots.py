"""Bots and their texts, asked of a real job store."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from typer.testing import CliRunner, Result

import job_store.app
from chassis import lifecycle
from sendonce_cli.main import app
from testkit.servers.databases import Migrate

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    async def up(url: str) -> None:
        await job_store.app.migrate_database(url)

    return up


@pytest_asyncio.fixture
async def asked(
    database_url: str, nats_url: str, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator["Asked"]:
    await job_store.app.migrate_bus(nats_url)
    settings = job_store.app.Settings(
        nats_url=nats_url, database_url=SecretStr(database_url), log_level="warning"
    )
    monkeypatch.setenv("SENDONCE_NATS_URL", nats_url)
    monkeypatch.setenv("COLUMNS", "160")
    async with lifecycle.service(job_store.app.build, settings, name=job_store.app.NAME):
        yield Asked(runner)


class Asked:
    """The command in a thread of its own, because the job store runs in this one."""

    def __init__(self, runner: CliRunner) -> None:
        self._runner = runner

    async def result(self, *arguments: str) -> Result:
        return await asyncio.to_thread(self._runner.invoke, app, ["bots", *arguments])

    async def __call__(self, *arguments: str) -> str:
        result = await self.result(*arguments)
        assert result.exit_code == 0, result.stderr
        return result.stdout


async def test_a_bot_is_added_with_collages_and_a_staging_chat(asked: Asked) -> None:
    said = await asked("add", "shop", "--rich", "--staging-chat", "-100500")
    assert "collages, staged in -100500" in said
    (bot,) = json.loads(await asked("list", "--json"))["bots"]
    assert (bot["rich"], bot["staging_chat"]) == (True, -100500)


async def test_texts_are_listed_set_and_taken_back(asked: Asked) -> None:
    await asked("add", "shop")
    assert "status.late" in await asked("texts", "shop")

    said = await asked("texts", "shop", "--set", "status=On it = {label}", "--set", "ru.status=Да")
    assert "ru.status, status" in said
    await asked("texts", "shop", "--set", "pointer=See below")
    lines = json.loads(await asked("texts", "shop", "--json"))["lines"]
    assert lines["status"]["own"] == "On it = {label}"
    assert lines["ru.status"]["own"] == "Да"
    assert lines["pointer"]["own"] == "See below"
    assert lines["undeliverable"]["own"] is None
    assert "yours" in await asked("texts", "shop")

    said = await asked("texts", "shop", "--set", "status=", "--set", "ru.status=")
    assert "lines of its own: pointer" in said


async def test_a_file_replaces_all_own_texts(asked: Asked, tmp_path: Path) -> None:
    await asked("add", "shop")
    await asked("texts", "shop", "--set", "pointer=See below")
    file = tmp_path / "texts.json"
    file.write_text(json.dumps({"status": "From a file"}), "utf-8")
    said = await asked("texts", "shop", "--file", str(file), "--set", "undeliverable=Sorry")
    assert "lines of its own: status, undeliverable" in said


@pytest.mark.parametrize(
    "line,said",
    [
        ("statsu=x", "no line is called statsu; did you mean status?"),
        ("status={lable}", "status: {lable} means nothing there; did you mean {label}?"),
    ],
)
async def test_a_line_that_does_not_fit_is_refused_in_plain_words(
    asked: Asked, line: str, said: str
) -> None:
    await asked("add", "shop")
    result = await asked.result("texts", "shop", "--set", line)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == f"error: {said}"


async def test_an_unknown_bot_is_said_with_those_there_are(asked: Asked) -> None:
    await asked("add", "shop")
    result = await asked.result("texts", "shpo")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: no bot named shpo\n hint: there are shop\n",
    )


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["--set", "status"], "error: --set status: no line is named"),
        (["--file", "/no/such/file"], "error: cannot read /no/such/file: No such file"),
    ],
)
def test_misuse_is_said_before_anybody_is_asked(
    runner: CliRunner, arguments: list[str], said: str
) -> None:
    result = runner.invoke(app, ["bots", "texts", "shop", *arguments])
    assert result.exit_code == 2
    assert result.stderr.startswith(said)


def test_a_file_of_something_else_is_misuse(runner: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "texts.json"
    file.write_text('["status"]', "utf-8")
    result = runner.invoke(app, ["bots", "texts", "shop", "--file", str(file)])
    assert result.exit_code == 2
    assert "is not a JSON object of texts" in result.stderr
