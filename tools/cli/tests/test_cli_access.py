"""`sendonce access` prints what NATS and Postgres are told: public keys and names, never a secret."""

import re
import stat
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.nkey import public_key
from contracts.permissions import USERS, Permission, Right
from sendonce_cli.access.conf import authorization
from sendonce_cli.access.keys import Keys
from sendonce_cli.main import app
from testkit.servers.nats import program

KEY = re.compile(r'nkey: "(U[A-Z2-7]{55})"')


def printed(runner: CliRunner, *arguments: str | Path) -> str:
    result = runner.invoke(app, ["access", *map(str, arguments)])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_every_user_has_a_key_and_nats_takes_the_configuration(
    runner: CliRunner, tmp_path: Path
) -> None:
    text = printed(runner, "nats", tmp_path / "keys", "--bot", "shop")
    config = tmp_path / "nats.conf"
    config.write_text(text)

    subprocess.run([program(), "-t", "-c", config], check=True, capture_output=True)
    for user in (*USERS, "bot.shop"):
        seed = tmp_path / "keys" / f"{user}.nk"
        assert stat.S_IMODE(seed.stat().st_mode) == 0o600
        assert seed.read_text().strip() not in text
        assert public_key(seed.read_text()) in KEY.findall(text)


def test_a_second_time_everybody_keeps_a_key_and_a_new_bot_gets_one(
    runner: CliRunner, tmp_path: Path
) -> None:
    before = printed(runner, "nats", tmp_path, "--bot", "shop")
    after = printed(runner, "nats", tmp_path, "--bot", "zoo")

    assert set(KEY.findall(before)) < set(KEY.findall(after))
    assert "api.shop.jobs.create" in after
    assert "api.zoo.jobs.create" in after


def test_a_renewed_key_is_let_in_beside_the_old_one_until_that_is_dropped(
    runner: CliRunner, tmp_path: Path
) -> None:
    (old,) = owned(printed(runner, "nats", tmp_path), "submitter")
    both = printed(runner, "nats", tmp_path, "--renew", "submitter")
    new = public_key((tmp_path / "submitter.nk").read_text())

    assert owned(both, "submitter") == [new, old]
    assert owned(printed(runner, "nats", tmp_path, "--drop-old"), "submitter") == [new]


def owned(text: str, user: str) -> list[str]:
    return re.findall(rf'# {user}\n    {{ nkey: "(\w+)"', text)


def test_a_seed_may_be_kept_elsewhere(runner: CliRunner, tmp_path: Path) -> None:
    before = printed(runner, "nats", tmp_path)
    for seed in tmp_path.glob("*.nk"):
        seed.unlink()

    assert printed(runner, "nats", tmp_path) == before


def test_who_has_no_right_to_something_has_none_to_anything(tmp_path: Path) -> None:
    """NATS takes an empty list of what is allowed for no limit at all."""
    row = Permission(user="migrate", right=Right.PUBLISH, subject="a", why="")

    text = authorization({"migrate": [row]}, {"migrate": ["U"]})

    assert 'subscribe: { deny: [">"] }' in text
    assert "[]" not in text


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["--bot", "The Shop"], "no name of a bot"),
        (["--renew", "nobody"], "no user is named nobody"),
    ],
)
def test_a_user_that_cannot_be_is_misuse(
    runner: CliRunner, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = runner.invoke(app, ["access", "nats", str(tmp_path), *arguments])

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_directory_that_cannot_be_is_misuse(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = runner.invoke(app, ["access", "nats", str(tmp_path / "file")])

    assert result.exit_code == 2
    assert "cannot keep keys" in result.stderr


def test_roles_and_grants_are_printed_as_they_are_applied(runner: CliRunner) -> None:
    text = printed(runner, "postgres")

    assert "CREATE ROLE sendonce_store NOLOGIN;" in text
    assert "GRANT SELECT, INSERT ON sendonce.ledger TO sendonce_store;" in text


@pytest.mark.parametrize("content", ["SUNOTASEED", "nonsense"])
def test_a_file_that_is_no_seed_is_misuse(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    wrong = tmp_path / "wrong.nk"
    wrong.write_text(content)
    monkeypatch.setenv("SENDONCE_NATS_CREDS", str(wrong))

    result = runner.invoke(app, ["status"])

    assert result.exit_code == 2
    assert "is no seed of an nkey" in result.stderr


def test_keys_of_a_user_stand_newest_first(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.ensure(["observer"])
    (first,) = keys.public("observer")

    keys.renew("observer")

    assert keys.public("observer")[1:] == (first,)
    assert keys.ensure(["observer"]) == []
