"""`sendonce access secrets` makes a deployment's secrets: each service gets its own and nobody else's."""

import stat
import subprocess
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from contracts.documents.surface import SERVICES
from sendonce_cli.access.deployment import AUDIENCES, SANDBOX_TOKEN
from sendonce_cli.main import app
from testkit.kie import SANDBOX_API_KEY
from testkit.servers.nats import program

# Every file there is, and nothing else: a service that needs more has a line here, and a reason.
FILES = {
    "nats": {"auth.conf"},
    "postgres": {"password", "roles.sql"},
    "migrate": {"nats.nk", "database_url", "username", "password"},
    "operator": {"nats.nk", "observer.nk"},
    "bots": {"default.nk", "shop.nk"},
    "grafana": {"password"},
    "alertmanager": set(),
    "callback-gateway": {"nats.nk", "callback_keys", "kie_hmac_keys"},
    "job-store": {"nats.nk", "database_url", "callback_keys", "bot_token"},
    "submitter": {"nats.nk", "kie_api_key"},
    "deliverer": {"nats.nk", "bot_token"},
    "reconciler": {"nats.nk", "kie_api_key"},
}
OPEN = {"nats", "postgres", "grafana", "alertmanager"}  # servers run as users of their own


def made(runner: CliRunner, directory: Path, *options: str | Path) -> Path:
    result = runner.invoke(
        app, ["access", "secrets", str(directory), "--bots", "default,shop", *map(str, options)]
    )
    assert result.exit_code == 0, result.stderr
    return directory


def files_of(directory: Path) -> dict[str, set[str]]:
    return {
        audience: {
            file.name
            for file in (directory / audience).iterdir()
            if file.is_file() and not file.name.endswith(".pub")
        }
        for audience in AUDIENCES
    }


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    keys = tmp_path / "keys"
    (keys / "kie").mkdir(parents=True)
    (keys / "telegram").mkdir()
    (keys / "alerts").mkdir()
    for name, text in (
        ("kie_api_key", "the-key"),
        ("bot_token", "1:token"),
        ("kie/second", "another-key"),
        ("telegram/shop", "2:token"),
        ("alerts/telegram", "3:token"),
    ):
        (keys / name).write_text(text + "\n")
    return keys


def test_each_has_its_own_and_nobody_elses(
    runner: CliRunner, tmp_path: Path, brought: Path
) -> None:
    directory = made(runner, tmp_path / "secrets", "--keys", brought)

    assert files_of(directory) == FILES
    for audience in AUDIENCES:
        for file in (directory / audience).rglob("*"):
            if file.is_file():
                mode = stat.S_IMODE(file.stat().st_mode)
                assert mode == (0o444 if audience in OPEN else 0o400), file
    further = {
        service: sorted(file.name for file in (directory / service / "further").glob("*"))
        for service in ("alertmanager", *map(str, SERVICES))
    }
    assert further == {
        "alertmanager": ["telegram"],
        "callback-gateway": [],
        "job-store": [],
        "submitter": ["second"],
        "deliverer": ["shop"],
        "reconciler": ["second"],
    }


def test_what_was_made_is_kept_and_what_is_brought_is_replaced(
    runner: CliRunner, tmp_path: Path, brought: Path
) -> None:
    directory = made(runner, tmp_path / "secrets", "--keys", brought)
    before = {file: file.read_bytes() for file in directory.rglob("*") if file.is_file()}
    (brought / "bot_token").write_text("3:new")

    made(runner, directory, "--keys", brought)

    changed = {
        str(file.relative_to(directory))
        for file, text in before.items()
        if file.read_bytes() != text
    }
    assert changed == {"job-store/bot_token", "deliverer/bot_token"}


def test_what_is_missing_is_named_and_nothing_is_made(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    arguments = ["access", "secrets", str(tmp_path / "secrets"), "--keys", str(tmp_path / "keys")]

    result = runner.invoke(app, arguments)

    assert result.exit_code == 2
    assert "no kie_api_key and no bot_token" in result.stderr
    assert not (tmp_path / "secrets").exists()


def test_a_trial_needs_no_keys(runner: CliRunner, tmp_path: Path) -> None:
    directory = made(runner, tmp_path, "--sandbox")

    assert (directory / "submitter" / "kie_api_key").read_text().strip() == SANDBOX_API_KEY
    assert (directory / "deliverer" / "bot_token").read_text().strip() == SANDBOX_TOKEN
    hmac_key = (directory / "sandbox" / "sandbox_hmac_key").read_text().strip()
    assert (directory / "callback-gateway" / "kie_hmac_keys").read_text().strip() == (
        f"default:{hmac_key}"
    )


@pytest.mark.parametrize("options", [[], ["--sandbox", "--keys", "."]])
def test_one_of_both_is_said(runner: CliRunner, tmp_path: Path, options: list[str]) -> None:
    result = runner.invoke(app, ["access", "secrets", str(tmp_path), *options])

    assert result.exit_code == 2
    assert "say either --keys DIR or --sandbox" in result.stderr


def test_nats_takes_its_file(runner: CliRunner, tmp_path: Path) -> None:
    directory = made(runner, tmp_path, "--sandbox")

    subprocess.run(
        [program(), "-t", "-c", directory / "nats" / "auth.conf"], check=True, capture_output=True
    )


@pytest.mark.parametrize("owner_is_there", [False, True], ids=["new", "owner-is-there"])
async def test_postgres_takes_its_file_and_lets_job_store_in_as_its_role(
    runner: CliRunner, tmp_path: Path, database_url: str, *, owner_is_there: bool
) -> None:
    database = database_url.rpartition("/")[2].partition("?")[0]
    directory = made(runner, tmp_path, "--sandbox", "--database", database)
    text = (directory / "postgres" / "roles.sql").read_text()
    owner = await asyncpg.connect(database_url)
    mark = database.removeprefix("test_")
    # Roles are the server's: other tests have the group roles, and may have these logins.
    text = text.replace("sendonce_owner", f"sendonce_owner_{mark}")
    text = text.replace("ROLE job_store ", f"ROLE job_store_{mark} ")
    statements = [
        line for line in text.splitlines() if line and "NOLOGIN" not in line and line[0] != "-"
    ]
    try:
        if owner_is_there:  # an operator of Postgres clusters makes it with the database
            await owner.execute(f"CREATE ROLE sendonce_owner_{mark} LOGIN PASSWORD 'another'")
        for statement in statements:
            await owner.execute(statement)

        word = (
            (directory / "job-store" / "database_url").read_text().split(":")[2].partition("@")[0]
        )
        place = database_url.rpartition("@")[2]
        member = await asyncpg.connect(f"postgresql://job_store_{mark}:{word}@{place}")
        assert await member.fetchval("SELECT pg_has_role('sendonce_store', 'member')")
        assert await member.fetchval("SELECT count(*) FROM sendonce.jobs") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await member.execute("DELETE FROM sendonce.ledger")
        await member.close()
    finally:
        await owner.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER")
        for role in ("sendonce_owner", "job_store"):
            await owner.execute(f"DROP ROLE IF EXISTS {role}_{mark}")
        await owner.close()
