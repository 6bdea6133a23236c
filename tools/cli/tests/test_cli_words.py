"""Help and trouble: every command explains itself, and nothing ends in a traceback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner, Result

from sendonce_cli.main import app


def commands() -> Iterator[tuple[str, ...]]:
    def below(group: TyperGroup, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                yield from below(command, (*path, name))
            else:
                yield (*path, name)

    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return below(root, ())


def lines(result: Result) -> list[str]:
    assert not result.stdout
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself(runner: CliRunner, path: tuple[str, ...]) -> None:
    result = runner.invoke(app, [*path, "--help"])

    assert result.exit_code == 0
    assert "Usage: sendonce" in result.stdout.replace("root", "sendonce")
    about = result.stdout.splitlines()[3:]
    assert any(line.strip() for line in about)


@pytest.mark.parametrize("path", [(), ("jobs",), ("callback",)], ids=" ".join)
def test_a_group_alone_shows_its_commands(runner: CliRunner, path: tuple[str, ...]) -> None:
    result = runner.invoke(app, list(path))

    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_version(runner: CliRunner) -> None:
    assert runner.invoke(app, ["--version"]).stdout.startswith("sendonce 0")


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "--json"],
        ["doctor"],
        ["jobs", "list"],
        ["jobs", "show", "7F3K2"],
        ["orphans", "list"],
        ["orphans", "show", "task-1"],
        ["wallet", "show", "5"],
        ["wallet", "topup", "5", "100"],
        ["wallet", "statement", "5"],
        ["bots", "list"],
        ["bots", "add", "shop"],
        ["bots", "texts", "shop"],
    ],
    ids=" ".join,
)
def test_a_nats_that_is_away_is_said(runner: CliRunner, arguments: list[str]) -> None:
    result = runner.invoke(app, arguments)

    assert result.exit_code == 1
    assert lines(result) == [
        "error: nothing answers at nats://127.0.0.1:9",
        " hint: start it with `sendonce up`, or say where NATS is with SENDONCE_NATS_URL",
    ]


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["stats"], "error: No such command 'stats'. Did you mean 'status'?"),
        (["demo", "--jobs", "0"], "error: Invalid value for '--jobs'"),
        (["demo", "--faults", "some"], "error: Invalid value for '--faults'"),
        (["jobs", "show"], "error: Missing argument"),
        (["wallet", "topup", "5", "many"], "error: Invalid value for"),
        (["status", "--colour"], "error: No such option: --colour"),
        (["callback", "parse", "/no/such/file"], "error: cannot read /no/such/file: No such file"),
        (["migrate", "up"], "error: SENDONCE_DATABASE_URL is not set"),
        (["migrate", "down"], "error: this drops what was added, with its data"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_misuse_is_two_lines_and_exit_code_2(
    runner: CliRunner, arguments: list[str], said: str
) -> None:
    result = runner.invoke(app, arguments)

    assert result.exit_code == 2
    first, second = lines(result)
    assert first.startswith(said)
    assert second.startswith(" hint: ")


def test_a_name_nobody_reads_is_refused_with_the_nearest(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDONCE_NATS_URI", "nats://127.0.0.1:9")

    result = runner.invoke(app, ["status"])

    assert result.exit_code == 2
    assert "did you mean SENDONCE_NATS_URL?" in lines(result)[0]


def test_a_name_only_one_service_reads_is_no_mistake(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDONCE_JOB_TTL_SECONDS", "60")

    result = runner.invoke(app, ["status"])

    assert "nothing answers" in lines(result)[0]


def test_a_password_in_an_address_is_never_shown(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDONCE_NATS_URL", "nats://user:hush@127.0.0.1:9")

    result = runner.invoke(app, ["status"])

    assert "hush" not in result.output
    assert "[hidden]@127.0.0.1:9" in result.stderr


def test_credentials_that_are_not_there_are_misuse(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENDONCE_NATS_CREDS", str(tmp_path / "none.creds"))

    result = runner.invoke(app, ["doctor"])

    assert result.exit_code == 2
    assert "cannot be read" in lines(result)[0]
