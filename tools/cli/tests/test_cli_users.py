"""All that is kept of a user, as an operator asks for it and takes it out."""

import json
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from cli_kit import Asked
from contracts.reports import ReportedMedia
from contracts.values import MediaKind
from sendonce import SendOnce
from sendonce_cli.main import app

pytestmark = pytest.mark.timeout(120)

WHY = ("--why", "she asked for it")
POEM = "a poem of a zebra"


@pytest_asyncio.fixture
async def users(asked: Asked, runner: CliRunner, nats_url: str) -> Asked:
    """A deployment in which user 7 has asked for a poem no more, and user 8's is being shown."""
    await asked("bots", "add", "default", *WHY)
    await asked("bots", "pause", "default", "submissions", *WHY)
    async with SendOnce(nats_url, bot="default") as sendonce:
        for user in (7, 8):
            await sendonce.topup(user, currency="RUB", amount=50, reference=f"paid-{user}")
        await sendonce.deliver(
            key="poem",
            chat_id=8,
            user_id=8,
            media=[ReportedMedia(kind=MediaKind.TEXT, text="of Bob")],
        )
        job = await sendonce.create(
            key="old", chat_id=7, user_id=7, model="m", input={"prompt": POEM}, status="none"
        )
        await asked("jobs", "cancel", job.label, *WHY)
    return Asked(runner, "users")


async def test_a_user_is_handed_out_as_one_document(users: Asked, tmp_path: Path) -> None:
    tried = await users("export", "default", "7", "--dry-run")
    printed = json.loads(await users("export", "default", "7", *WHY))
    file = tmp_path / "seven.json"
    await users("export", "default", "7", "--out", str(file), *WHY)
    again = await users.result("export", "default", "7", "--out", str(file), *WHY)

    assert "jobs" in tried
    assert (printed["bot"], printed["user_id"]) == ("default", 7)
    (job,) = printed["kept"]["jobs"]
    assert job["input"] == {"prompt": POEM}
    assert printed["kept"]["wallets"][0]["balance"] == 50
    assert "Bob" not in json.dumps(printed)
    assert json.loads(file.read_text("utf-8"))["kept"].keys() == printed["kept"].keys()
    assert file.stat().st_mode & 0o077 == 0
    assert again.exit_code == 2
    assert "exists" in again.stderr


async def test_a_user_is_forgotten_after_a_look_and_a_question(asked: Asked, users: Asked) -> None:
    tried = await users("forget", "default", "7", "--dry-run")
    stopped = await users.result("forget", "default", "7", *WHY)
    done = json.loads(await users("forget", "default", "7", "--yes", "--json", *WHY))

    assert "1 job would be emptied" in tried
    assert stopped.exit_code != 0
    assert "Nothing brings it back" in stopped.stdout
    assert done == {"did": True, "reason": "", "jobs": 1, "left": 0, "in_the_way": []}
    assert POEM not in await users("export", "default", "7", *WHY)
    assert "0.50 RUB free" in await asked("wallet", "show", "7")
    audit = await asked("audit")
    assert "users.forget" in audit
    assert "user 7 of bot default 1 jobs" in " ".join(audit.split())


async def test_a_user_whose_result_is_on_its_way_is_not_forgotten(users: Asked) -> None:
    refused = await users.result("forget", "default", "8", "--yes", *WHY)

    assert refused.exit_code == 1
    assert "nothing forgotten: 1 job is in the way" in refused.stdout
    assert "jobs cancel" in refused.stdout


@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["forget", "shop", "7"], "--why"),
        (["export", "shop", "7"], "--why"),
        (["forget", "shop", "ann", *WHY], "integer"),
    ],
    ids=" ".join,
)
def test_misuse_is_said_before_anything_is_asked(
    runner: CliRunner, arguments: list[str], hint: str
) -> None:
    result = runner.invoke(app, ["users", *arguments])

    assert result.exit_code == 2
    assert hint in result.stderr
