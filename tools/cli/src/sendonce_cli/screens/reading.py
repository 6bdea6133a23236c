"""How a message of KIE was read. Everything from the message is foreign: shown, never obeyed."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kie.explain import Explanation, Finding
from kie.reading import Reading, State
from kie.values import About

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
LABELS: Final[dict[About, str]] = {
    "family": "family",
    "task_id": "task",
    "state": "state",
    "result": "results",
    "progress": "progress",
    "error_code": "error code",
    "error_message": "error text",
}
NOTHING: Final = "–"


def explanation_screen(explained: Explanation) -> RenderableType:
    """Return every value with the places it was found at and the reason it counts."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="quiet", no_wrap=True)
    rows.add_column(overflow="fold", ratio=3)
    rows.add_column(style="quiet", overflow="fold", ratio=2)
    for finding in explained.findings:
        values = list(_values(finding, explained.reading.state))
        origins = list(_origins(finding))
        label: str | None = LABELS[finding.about]
        for value, origin in zip_longest(values, origins):
            rows.add_row(label, value or Text(), Text(origin or ""))
            label = None
    if explained.reading.task_id is None and not _about(explained, "task_id"):
        rows.add_row("task", Text("none named", style="warn"), Text())
    for number, path in enumerate(explained.ignored):
        rows.add_row("" if number else "ignored", Text(shown(path)), Text("no result, or a copy"))
    for number, oddity in enumerate(explained.oddities):
        name = Text(shown(oddity.name).replace("_", " "), style="warn")
        rows.add_row("" if number else "odd", name, Text(oddity.meaning))
    return Group(rows)


def reading_line(reading: Reading) -> Text:
    """Return the reading in one line."""
    odd = f"  odd: {', '.join(reading.anomalies)}" if reading.anomalies else ""
    error = f"  {reading.error_code or ''} {reading.error_message or ''}".rstrip()
    return Text.assemble(
        (f"{reading.state:<16}", STYLES[reading.state]),
        shown(f"{reading.task_id or NOTHING}  {reading.family or NOTHING}"),
        f"  {len(reading.media)} results",
        (shown(error), "red"),
        (odd, "yellow"),
    )


def shown(text: str) -> str:
    """Write what a terminal would obey, or could not show, as an escape."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode("ascii")
        for one in text
    )


def _values(finding: Finding, state: State) -> Iterator[Text]:
    if finding.about == "state":
        yield Text.assemble((str(state), STYLES[state]), f"  {MEANINGS[state]}")
        return
    if not finding.values:
        yield Text("none believed", style="warn")
    for value in finding.values:
        yield Text(shown(value))


def _origins(finding: Finding) -> Iterator[str]:
    reasons = " ".join(finding.why)
    yield from (f"at {shown(place)}" for place in finding.places if place not in reasons)
    yield from (shown(why) for why in finding.why)


def _about(explained: Explanation, about: About) -> bool:
    return any(finding.about == about for finding in explained.findings)
