"""What operators put right by hand, as they type it and read it."""

import json

import asyncpg
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from cli_kit import Asked
from contracts.api import JobView
from contracts.reports import ReportedMedia
from contracts.values import MediaKind
from sendonce import SendOnce
from sendonce_cli.main import app

pytestmark = pytest.mark.timeout(120)

WHY = ("--why", "a bad hour")


@pytest_asyncio.fixture
async def asked(asked: Asked) -> Asked:
    """The command, for a deployment that has a bot."""
    await asked("bots", "add", "default", "--why", "a shop")
    return asked


async def made(nats_url: str, *, price: int = 0) -> JobView:
    """A job that waits for a deliverer who is not there."""
    async with SendOnce(nats_url, bot="default") as sendonce:
        if price:
            await sendonce.topup(7, currency="RUB", amount=price, reference="paid")
        return await sendonce.deliver(
            key="poem",
            chat_id=7,
            user_id=7,
            price=price,
            media=[ReportedMedia(kind=MediaKind.TEXT, text="a poem")],
        )


async def test_a_job_is_named_by_its_short_name_and_what_was_done_is_audited(
    asked: Asked, nats_url: str
) -> None:
    job = await made(nats_url, price=10)

    said = await asked("jobs", "refund", job.label, *WHY)

    assert "1 of 1 refunded" in said
    audit = await asked("audit", "--job", "poem")
    assert "ann" in audit
    assert "jobs.refund" in audit
    assert "a bad hour" in audit
    assert "operator jobs.refund" in await asked("jobs", "show", job.label)
    assert "0.10 RUB free" in await asked("wallet", "show", "7")


async def test_what_is_refused_is_said_with_its_reason_and_ends_with_1(
    asked: Asked, nats_url: str
) -> None:
    job = await made(nats_url)

    refused = await asked.result("jobs", "resend", job.label, *WHY)

    assert refused.exit_code == 1
    assert "0 of 1 copied" in refused.stdout
    assert f"not {job.label}" in refused.stdout
    assert "nothing of it was shown" in refused.stdout


async def test_a_bad_hour_is_tried_then_asked_about_then_done(asked: Asked, nats_url: str) -> None:
    await made(nats_url)

    tried = await asked("jobs", "redeliver", "--since", "1h", "--dry-run")
    nobody = await asked("jobs", "redeliver", "--since", "1h", "--until", "30m", *WHY)
    stopped = await asked.result("jobs", "redeliver", "--since", "1h", *WHY)
    done = json.loads(await asked("jobs", "redeliver", "--since", "1h", "--yes", "--json", *WHY))

    assert "1 of 1 would be redelivered" in tried
    assert "0 of 0" in nobody
    assert stopped.exit_code != 0
    assert "Go on?" in stopped.stdout
    assert [one["did"] for one in done["repaired"]] == [True]


async def test_a_bot_is_paused_and_goes_on(asked: Asked) -> None:
    paused = await asked("deliveries", "pause", "default", *WHY)
    status = await asked("status")
    listed = await asked("bots", "list")
    resumed = await asked("bots", "resume", "default", "deliveries", *WHY)

    assert "deliveries paused by ann: a bad hour" in paused
    assert "deliveries of default paused by ann: a bad hour" in " ".join(status.split())
    assert "deliveries paused by ann" in " ".join(listed.split())
    assert "nothing is paused" in resumed


async def test_dead_letters_are_shown_replayed_and_discarded(
    asked: Asked, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    for seq, reason in enumerate(("odd", "odd", "unreadable"), start=1):
        await connection.execute(
            "INSERT INTO sendonce.dead_letters (durable, subject, stream_seq, payload, reason)"
            " VALUES ('job-store-reports', 'reports.received', $1, '{}', $2)",
            seq,
            reason,
        )
    await connection.close()

    listed = await asked("dead", "list")
    shown = await asked("dead", "show", "3")
    replayed = await asked("dead", "replay", "--reason", "odd", "--yes", *WHY)
    discarded = await asked("dead", "discard", "3", *WHY)
    again = await asked.result("dead", "replay", "3", *WHY)

    assert listed.count("reports.received") == 3
    assert "unreadable" in shown
    assert "2 of 2 replayed" in replayed
    assert "1 of 1 discarded" in discarded
    assert again.exit_code == 1
    assert "it was discarded before" in again.stdout


async def test_nothing_is_uncertain_and_only_the_bot_was_added(asked: Asked) -> None:
    assert "nothing is uncertain" in await asked("deliveries", "uncertain")
    assert "no such dead letters" in await asked("dead", "list")
    (line,) = json.loads(await asked("audit", "--json"))["lines"]
    assert (line["who"], line["verb"], line["why"]) == ("ann", "bots.add", "a shop")


@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["jobs", "refund", "7F3K2"], "--why"),
        (["jobs", "redeliver", *WHY], "--since"),
        (["dead", "replay", *WHY], "--reason"),
        (["deliveries", "resolve", "x", *WHY], "--arrived"),
        (["deliveries", "resolve", "x", "--arrived", *WHY], "deliveries uncertain"),
        (["deliveries", "pause", "shop"], "--why"),
        (["jobs", "redeliver", "--since", "yesterday", *WHY], "2026-11-30"),
    ],
    ids=" ".join,
)
def test_misuse_is_said_before_anything_is_asked(
    runner: CliRunner, arguments: list[str], hint: str
) -> None:
    result = runner.invoke(app, arguments)

    assert result.exit_code == 2
    assert hint in result.stderr
