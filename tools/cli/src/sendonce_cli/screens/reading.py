"""How a message of KIE was read."""

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kie.reading import Media, Reading, State

STYLES: Final = {
    State.SUCCEEDED: "good",
    State.FAILED: "red",
    State.PROGRESS: "cyan",
    State.UNKNOWN: "warn",
    State.NOT_FOUND: "warn",
    State.TRANSIENT_ERROR: "warn",
    State.FATAL_ERROR: "bad",
}
MEANINGS: Final = {
    State.SUCCEEDED: "the task is done",
    State.FAILED: "the task failed at the provider",
    State.PROGRESS: "the task goes on",
    State.UNKNOWN: "not understood: the job is held and KIE is asked",
    State.NOT_FOUND: "KIE has no record of the task (yet)",
    State.TRANSIENT_ERROR: "says nothing about the task; asking again may help",
    State.FATAL_ERROR: "says nothing about the task; asking again will not help",
}
TEXT_SHOWN: Final = 200


def reading_screen(reading: Reading) -> RenderableType:
    """Return the reading with the reasons for it."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="quiet", no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row(
        "state",
        Text.assemble((str(reading.state), STYLES[reading.state]), f"  {MEANINGS[reading.state]}"),
    )
    rows.add_row("task", reading.task_id or Text("none named", style="warn"))
    rows.add_row("family", reading.family or Text("not recognised", style="warn"))
    if reading.progress is not None:
        rows.add_row("progress", f"{reading.progress:.0%}")
    for number, medium in enumerate(reading.media):
        rows.add_row("" if number else "results", _medium(medium))
    if reading.error_code or reading.error_message:
        rows.add_row(
            "error", Text(" · ".join(filter(None, (reading.error_code, reading.error_message))))
        )
    for number, anomaly in enumerate(reading.anomalies):
        rows.add_row("" if number else "odd", Text(anomaly.replace("_", " "), style="warn"))
    for number, reason in enumerate(reading.trace):
        rows.add_row("" if number else "because", Text(reason))
    return Group(rows)


def reading_line(reading: Reading) -> Text:
    """Return the reading in one line."""
    odd = f"  odd: {', '.join(reading.anomalies)}" if reading.anomalies else ""
    error = f"  {reading.error_code or ''} {reading.error_message or ''}".rstrip()
    return Text.assemble(
        (f"{reading.state:<16}", STYLES[reading.state]),
        f"{reading.task_id or '–'}  {reading.family or '–'}  {len(reading.media)} results",
        (error, "red"),
        (odd, "yellow"),
    )


def _medium(medium: Media) -> Text:
    content = medium.url if medium.url is not None else (medium.text or "")[:TEXT_SHOWN]
    return Text.assemble((f"{medium.kind:<6}", "quiet"), content)
