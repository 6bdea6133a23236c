"""Jobs, as a list and as one whole story."""

import re
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.api import JobsView, JobView, LedgerLine, PartView
from contracts.ops import JobStory, TimelineLine
from contracts.values import PartState
from sendonce_cli.screen import moment_text, money_text, state_text, table

WIDE, ROOMY, TEXT_SHOWN = 130, 100, 300  # columns, columns, characters
COLUMNS = ("job!", "state!", "bot!", "key", ">user!", ">price!", "money!", "created!", "id!")
MINOR_UNITS: Final = re.compile(r"(?P<amount>-?\d+) (?P<currency>[A-Z]{3})")
PART_STYLES = {
    PartState.SHOWN: "good",
    PartState.UNCERTAIN: "bad",
    PartState.REFUSED: "red",
    PartState.PARKED: "warn",
}


def jobs_screen(view: JobsView, *, width: int) -> RenderableType:
    """Return one line a job; what the short names do as well stands only where there is room."""
    if not view.jobs:
        return Text("no such jobs", style="dim")
    is_roomy, several_bots = width >= ROOMY, len({job.bot for job in view.jobs}) > 1
    optional = {
        "bot!": is_roomy or several_bots,
        "created!": is_roomy or not several_bots,
        "id!": width >= WIDE,
    }
    columns = [name for name in COLUMNS if optional.get(name, True)]
    rows = table(*columns)
    for job in view.jobs:
        cells = _cells(job)
        rows.add_row(*(cells[name] for name in columns))
    return rows


def _cells(job: JobView) -> dict[str, RenderableType]:
    return {
        "job!": Text(job.label, style="name"),
        "state!": state_text(job.state),
        "bot!": job.bot,
        "key": Text(job.key, no_wrap=True, overflow="ellipsis"),
        ">user!": str(job.user_id),
        ">price!": money_text(job.price, job.currency),
        "money!": job.money,
        "created!": f"{job.created_at.astimezone():%m-%d %H:%M}",
        "id!": Text(str(job.id), style="dim"),
    }


def job_screen(story: JobStory) -> RenderableType:
    """Return the job, its results, its money, its history."""
    pieces: list[RenderableType] = [_headline(story.job), _facts(story), Text()]
    if story.job.parts:
        pieces.append(_parts(story.job.parts))
    if story.ledger:
        pieces.append(_ledger(story.ledger, story.job.currency))
    pieces.append(_timeline(story.timeline))
    return Group(*pieces)


def _headline(job: JobView) -> Text:
    return Text.assemble((f"{job.label}  ", "name"), state_text(job.state), (f"  {job.id}", "dim"))


def _facts(story: JobStory) -> Table:
    job = story.job
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="quiet", no_wrap=True)
    grid.add_column(overflow="fold")
    ended = f", ended {moment_text(job.ended_at)}" if job.ended_at else ""
    rows = (
        ("bot", f"{job.bot}, key {job.key}"),
        ("chat", f"{job.chat_id}, user {job.user_id}"),
        ("price", f"{money_text(job.price, job.currency)}, {job.money}"),
        ("tasks", ", ".join(job.task_ids) or "none known"),
        ("heard", _heard(story.timeline)),
        ("created", f"{moment_text(job.created_at)}{ended}"),
        ("ended by", " · ".join(filter(None, (job.cause, job.failure, job.error)))),
    )
    for name, value in rows:
        if value:
            grid.add_row(name, Text(value))
    return grid


def _heard(lines: tuple[TimelineLine, ...]) -> str:
    callbacks, polls = (
        sum(line.what == f"report {origin}" for line in lines) for origin in ("callback", "poll")
    )
    if not callbacks and not polls:
        return ""
    by_callback = f"{callbacks} by callback" if callbacks else "no callback came"
    return f"{by_callback}, {polls} by asking KIE" if polls else by_callback


def _parts(parts: tuple[PartView, ...]) -> Table:
    rows = table(">part!", "kind!", "state!", ">message!", "content", title="results")
    for part in parts:
        rows.add_row(
            f"{part.delivery_no}.{part.ordinal}",
            part.kind,
            Text(part.state, style=PART_STYLES.get(part.state, "cyan")),
            str(part.message_id or "–"),
            Text(part.url or (part.text or "")[:TEXT_SHOWN], style="dim"),
        )
    return rows


def _ledger(lines: tuple[LedgerLine, ...], currency: str) -> Table:
    rows = table("at!", "what!", ">amount!", title="money")
    for line in lines:
        rows.add_row(moment_text(line.at), line.kind, money_text(line.amount, currency))
    return rows


def _timeline(lines: tuple[TimelineLine, ...]) -> Table:
    rows = table(">after!", "what!", "detail", title="what happened")
    for line in lines:
        after = (line.at - lines[0].at).total_seconds()
        rows.add_row(f"{after:.2f} s", line.what, Text(_detail(line), style="dim"))
    return rows


def _detail(line: TimelineLine) -> str:
    money = MINOR_UNITS.fullmatch(line.detail) if line.what.startswith("ledger ") else None
    return money_text(int(money["amount"]), money["currency"]) if money else line.detail
