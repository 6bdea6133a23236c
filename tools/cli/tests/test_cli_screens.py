"""Screens at the width of an ordinary terminal: one line a row, no word broken."""

import io
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from contracts.api import JobsView, JobView, LedgerLine, StatementView, WalletView
from contracts.ops import BotsView, BotView, JobStory, StatusView, TimelineLine
from contracts.values import JobState, MoneyState
from sendonce_cli.main import app
from sendonce_cli.screen import THEME, out
from sendonce_cli.screens.bots import bots_screen
from sendonce_cli.screens.jobs import job_screen, jobs_screen
from sendonce_cli.screens.status import status_screen
from sendonce_cli.screens.wallet import statement_screen

ORDINARY, WIDE = 80, 200
MOMENT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
JOB_ID = UUID("01a20d0e-14d3-7245-930f-ca13da681cc4")
# What every status counts.
COUNTED = (
    *("effects_due", "effects_acting", "parts_uncertain", "submissions_uncertain", "parts_parked"),
    *("orphans_waiting", "dead_letters", "outbox_rows", "callbacks", "polls"),
)
LONG_KEY = f"balance:{JOB_ID}:6:failed"


def drawn(screen: RenderableType, *, width: int = ORDINARY) -> list[str]:
    console = Console(file=io.StringIO(), width=width, theme=THEME, highlight=False)
    console.print(screen)
    file = console.file
    assert isinstance(file, io.StringIO)
    return [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]


def job(state: JobState, *, bot: str = "default") -> JobView:
    return JobView(
        id=JOB_ID,
        label="467G6",
        bot=bot,
        key=LONG_KEY,
        state=state,
        version=1,
        chat_id=7_000_000_001,
        user_id=7_000_000_001,
        price=1_990,
        currency="RUB",
        money=MoneyState.CAPTURED,
        created_at=MOMENT,
    )


@pytest.mark.parametrize("state", JobState)
def test_a_job_is_one_line_and_its_state_one_word(state: JobState) -> None:
    head, _rule, row = drawn(jobs_screen(JobsView(jobs=(job(state),)), width=ORDINARY))

    assert head.split() == ["job", "state", "key", "user", "price", "money", "created"]
    assert {"467G6", state, "7000000001", "captured"} <= set(row.split())
    assert len(row) <= ORDINARY


def test_bots_are_named_where_there_are_several() -> None:
    jobs = (job(JobState.FAILED), job(JobState.FAILED, bot="other"))

    assert "bot" in drawn(jobs_screen(JobsView(jobs=jobs), width=ORDINARY))[0].split()


def test_room_is_used_for_the_whole_key_and_the_id() -> None:
    rows = drawn(jobs_screen(JobsView(jobs=(job(JobState.FAILED),)), width=WIDE), width=WIDE)

    assert {LONG_KEY, str(JOB_ID), "default"} <= set(rows[-1].split())


def test_a_bot_is_one_line() -> None:
    bot = BotView(
        slug="default",
        token_ref="default",
        kie_account="default",
        currency="RUB",
        language="en",
        created_at=MOMENT,
    )

    assert len(drawn(bots_screen(BotsView(bots=(bot,))))) == 3


def test_a_statement_names_the_job_as_people_do() -> None:
    line = LedgerLine(id=4, at=MOMENT, kind="hold", amount=1_990, job_id=JOB_ID)
    wallet = WalletView(user_id=1, currency="RUB", balance=0, held=1_990)

    assert drawn(statement_screen(StatementView(wallet=wallet, lines=(line,))))[-1].endswith(
        "hold   -19.90 RUB   job 467G6"
    )


def test_the_history_of_a_job_says_money_as_the_rest_of_the_screen_does() -> None:
    lines = (
        TimelineLine(at=MOMENT, what="ledger hold", detail="1990 RUB"),
        TimelineLine(at=MOMENT, what="report callback", detail="1990 RUB"),
    )

    rows = drawn(job_screen(JobStory(job=job(JobState.RUNNING), timeline=lines, ledger=())))

    assert [row.split()[-2:] for row in rows[-2:]] == [["19.90", "RUB"], ["1990", "RUB"]]


def test_status_says_who_was_told_to_wait_and_what_is_left_at_kie() -> None:
    counts = dict.fromkeys(COUNTED, 0)
    quiet = StatusView(at=MOMENT, verdict="all well", healthy=True, bots=(), **counts)
    busy = quiet.model_copy(
        update={"told_to_wait": {"bot": 1, "chat": 2}, "credits": {"default": 1_234.5}}
    )

    assert not any("told" in row or "credits" in row for row in drawn(status_screen(quiet)))
    rows = [" ".join(row.split()) for row in drawn(status_screen(busy))]
    assert any(row.startswith("told to wait 1 bot, 2 chats") for row in rows)
    assert any(row.startswith("KIE credits, default 1,234") for row in rows)


@pytest.mark.parametrize("path", ["up", "callback parse", "bots texts"])
def test_help_fills_its_lines(runner: CliRunner, path: str) -> None:
    """A line ends only where its next word would not have fitted."""
    said = runner.invoke(app, [*path.split(), "--help"], env={"COLUMNS": str(ORDINARY)}).stdout
    prose = said.split("╭")[0].split("\n")

    for line, following in pairwise(line.strip() for line in prose):
        if line and following and not line.startswith("Usage:"):
            assert len(line) + 1 + len(following.split()[0]) > ORDINARY - 2


@pytest.mark.parametrize("steering", ["\x1b]0;owned\x07", "\x1b[2J", "\x9b2J", "\r", "\x08"])
def test_no_text_on_a_screen_steers_the_terminal(
    steering: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDE))
    steered = job(JobState.FAILED).model_copy(update={"key": f"order{steering}77"})

    out().print(jobs_screen(JobsView(jobs=(steered,)), width=WIDE))

    shown = capsys.readouterr().out
    assert "77" in shown
    assert not any(one in shown for one in "\x1b\x9b\x07\x08\r")
