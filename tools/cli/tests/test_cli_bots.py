"""Bots and their texts, asked of a real job store."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli_kit import Asked
from sendonce_cli.main import app

pytestmark = pytest.mark.timeout(120)


async def test_a_bot_is_added_with_collages_and_a_staging_chat(bots: Asked) -> None:
    said = await bots("add", "shop", "--rich", "--staging-chat", "-100500")
    assert "collages, staged in -100500" in said
    (bot,) = json.loads(await bots("list", "--json"))["bots"]
    assert (bot["rich"], bot["staging_chat"]) == (True, -100500)


async def test_texts_are_listed_set_and_taken_back(bots: Asked) -> None:
    await bots("add", "shop")
    assert "status.late" in await bots("texts", "shop")

    said = await bots("texts", "shop", "--set", "status=On it = {label}", "--set", "ru.status=Да")
    assert "ru.status, status" in said
    await bots("texts", "shop", "--set", "pointer=See below")
    lines = json.loads(await bots("texts", "shop", "--json"))["lines"]
    assert lines["status"]["own"] == "On it = {label}"
    assert lines["ru.status"]["own"] == "Да"
    assert lines["pointer"]["own"] == "See below"
    assert lines["undeliverable"]["own"] is None
    assert "yours" in await bots("texts", "shop")

    said = await bots("texts", "shop", "--set", "status=", "--set", "ru.status=")
    assert "lines of its own: pointer" in said


async def test_a_file_replaces_all_own_texts(bots: Asked, tmp_path: Path) -> None:
    await bots("add", "shop")
    await bots("texts", "shop", "--set", "pointer=See below")
    file = tmp_path / "texts.json"
    file.write_text(json.dumps({"status": "From a file"}), "utf-8")
    said = await bots("texts", "shop", "--file", str(file), "--set", "undeliverable=Sorry")
    assert "lines of its own: status, undeliverable" in said


@pytest.mark.parametrize(
    "line,said",
    [
        ("statsu=x", "no line is called statsu; did you mean status?"),
        ("status={lable}", "status: {lable} means nothing there; did you mean {label}?"),
    ],
)
async def test_a_line_that_does_not_fit_is_refused_in_plain_words(
    bots: Asked, line: str, said: str
) -> None:
    await bots("add", "shop")
    result = await bots.result("texts", "shop", "--set", line)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == f"error: {said}"


async def test_an_unknown_bot_is_said_with_those_there_are(bots: Asked) -> None:
    await bots("add", "shop")
    result = await bots.result("texts", "shpo")
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
