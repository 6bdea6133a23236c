"""Orphans, as a list and as one with its messages."""

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.api import OrphansView, OrphanView
from contracts.ops import OrphanStory
from contracts.values import label
from sendonce_cli.screen import moment_text, table

STYLES = {"waiting": "warn", "matched": "good", "expired": "magenta"}


def orphans_screen(view: OrphansView) -> RenderableType:
    """Return one row an orphan."""
    if not view.orphans:
        return Text("no such orphans", style="dim")
    rows = table("task", "state!", "trusted!", ">messages!", "first seen!", "job!")
    for orphan in view.orphans:
        rows.add_row(
            orphan.task_id,
            _state(orphan),
            "yes" if orphan.trusted else Text("no", style="warn"),
            str(orphan.reports),
            moment_text(orphan.first_seen_at),
            label(orphan.job_id) if orphan.job_id else "–",
        )
    return rows


def orphan_screen(story: OrphanStory) -> RenderableType:
    """Return the orphan and its messages as they were stored."""
    orphan = story.orphan
    lines: list[RenderableType] = [
        Text.assemble(
            (f"task {orphan.task_id}  ", "name"), _state(orphan), (f"  {orphan.id}", "dim")
        ),
        Text(
            f"first seen {moment_text(orphan.first_seen_at)}, {orphan.reports} messages, "
            f"{'trusted' if orphan.trusted else 'not trusted: nobody signed it'}"
        ),
        Text(
            f"belongs to job {orphan.job_id}" if orphan.job_id else "no job knows this task",
            style="dim",
        ),
    ]
    for number, body in enumerate(story.bodies, start=1):
        lines += [Text(f"\nmessage {number}", style="head"), Text(body)]
    return Group(*lines)


def _state(orphan: OrphanView) -> Text:
    return Text(orphan.state, style=STYLES.get(orphan.state, ""))
