"""Outages beside each other, for a person and as JSON."""

import json
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outages.run import Told


def table(told: Sequence[Told]) -> RenderableType:
    """Return a column an outage, then what was wrong in any of them."""
    made = Table("away", *(one.absence.replace("-", "\n") for one in told), box=None)
    for column in made.columns[1:]:
        column.justify = "right"
    for names in zip(*(_cells(one) for one in told), strict=True):
        made.add_row(names[0][0], *(cell for _, cell in names))
    wrong = [f"{one.absence}: {what}: {how}" for one in told for what, how in one.wrong.items()]
    return Group(made, *(Text(line, "red") for line in wrong))


def _cells(one: Told) -> Iterator[tuple[str, Text]]:
    it = one.verdict
    unready = "-" if one.shown_after is None else f"{one.shown_after:.1f} s"
    cells = {
        "for": f"{one.seconds:.0f} s",
        "jobs": it.jobs,
        "shown once": it.shown_once,
        "failed by KIE": it.failed_by_provider,
        "lost": it.lost,
        "shown twice": it.shown_twice,
        "uncertain": it.uncertain,
        "expired": it.expired,
        "restarts": one.restarts,
        "/livez not green": one.not_live,
        "/readyz says so after": unready,
        "ready again after": f"{one.ready_after:.1f} s",
        "caught up after": f"{one.caught_up:.1f} s",
        "most memory more": f"{max(one.memory.values()):.0f} MiB",
        "most log lines": f"{max(one.lines.values()):.0f}/s",
    }
    yield from ((name, Text(str(cell))) for name, cell in cells.items())
    yield "promises", Text("BROKEN", "bold red") if one.wrong else Text("kept", "green")


def as_json(told: Sequence[Told]) -> str:
    """Write the same with every service's own figures."""
    return json.dumps([_figures(one) for one in told], indent=1)


def _figures(one: Told) -> dict[str, object]:
    it = one.verdict
    return {
        "away": one.absence,
        "seconds": one.seconds,
        "jobs": it.jobs,
        "shown_once": it.shown_once,
        "failed_by_kie": it.failed_by_provider,
        "lost": it.lost,
        "shown_twice": it.shown_twice,
        "uncertain": it.uncertain,
        "expired": it.expired,
        "restarts": one.restarts,
        "livez_not_green": one.not_live,
        "unready_after_seconds": one.shown_after,
        "ready_after_seconds": one.ready_after,
        "caught_up_after_seconds": one.caught_up,
        "memory_growth_mib": {name: round(more, 1) for name, more in one.memory.items()},
        "log_lines_a_second": {name: round(lines, 1) for name, lines in one.lines.items()},
        "wrong": {what: str(how) for what, how in one.wrong.items()},
    }
