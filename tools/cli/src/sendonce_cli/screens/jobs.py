"""Jobs, as a list and as one whole story."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.api import JobsView, JobView, LedgerLine, PartView
from contracts.ops import JobStory, TimelineLine
from contracts.values import PartState
from sendonce_cli.screen import moment_text, money_text, state_text, table

WIDE, TEXT_SHOWN = 130, 300  # columns, characters
PART_STYLES = {
    PartState.SHOWN: "good",
    PartState.UNCERTAIN: "bad",
    PartState.REFUSED: "red",
    PartState.PARKED: "warn",
}


def jobs_screen(view: JobsView, *, width: int) -> RenderableType:
    """Return one row a job; ids only where there is room, the short names do as well."""
    if not view.jobs:
        return Text("no such jobs", style="dim")
    with_ids = width >= WIDE
    rows = table("job", "state", "bot", "key", ">user", ">price", "money", "created")
    if with_ids:
        rows.add_column("id", style="dim", no_wrap=True)
    for job in view.jobs:
        rows.add_row(
            Text(job.label, style="name"),
            state_text(job.state),
            job.bot,
            job.key,
            str(job.user_id),
            money_text(job.price, job.currency),
            job.money,
            f"{job.created_at.astimezone():%m-%d %H:%M}",
            *([str(job.id)] if with_ids else []),
        )
    return rows


def job_screen(story: JobStory) -> RenderableType:
    """Return the job, its results, its money, its history."""
    pieces: list[RenderableType] = [_headline(story.job), _facts(story.job)]
    if story.job.parts:
        pieces.append(_parts(story.job.parts))
    if story.ledger:
        pieces.append(_ledger(story.ledger, story.job.currency))
    pieces.append(_timeline(story.timeline))
    return Group(*pieces)


def _headline(job: JobView) -> Text:
    return Text.assemble((f"{job.label}  ", "name"), state_text(job.state), (f"  {job.id}", "dim"))


def _facts(job: JobView) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="quiet", no_wrap=True)
    grid.add_column(overflow="fold")
    ended = f", ended {moment_text(job.ended_at)}" if job.ended_at else ""
    rows = (
        ("bot", f"{job.bot}, key {job.key}"),
        ("chat", f"{job.chat_id}, user {job.user_id}"),
        ("price", f"{money_text(job.price, job.currency)}, {job.money}"),
        ("tasks", ", ".join(job.task_ids) or "none known"),
        ("created", f"{moment_text(job.created_at)}{ended}"),
        ("ended by", " · ".join(filter(None, (job.cause, job.failure, job.error)))),
    )
    for name, value in rows:
        if value:
            grid.add_row(name, Text(value))
    return grid


def _parts(parts: tuple[PartView, ...]) -> Table:
    rows = table(">part", "kind", "state", ">message", "content", title="results")
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
    rows = table("at", "what", ">amount", title="money")
    for line in lines:
        rows.add_row(moment_text(line.at), line.kind, money_text(line.amount, currency))
    return rows


def _timeline(lines: tuple[TimelineLine, ...]) -> Table:
    rows = table(">after", "what", "detail", title="what happened")
    for line in lines:
        after = (line.at - lines[0].at).total_seconds()
        rows.add_row(f"{after:.2f} s", line.what, Text(line.detail, style="dim"))
    return rows
