"""Runs beside each other, and what is wrong in any of them."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.run import Told

NAMED = 12  # offenders of one run


def table(told: Sequence[Told]) -> RenderableType:
    """Return a row a run, then the offenders."""
    rows = Table(box=None, padding=(0, 0, 0, 1))
    for name in ("seed", "jobs", "kills", "faults", "once", "lost", "twice", "unsure", "expired",
                 "spare", "settled", "verdict"):  # fmt: skip
        rows.add_column(name, justify="right", no_wrap=True)
    for one in told:
        it = one.verdict
        numbers = (
            one.seed, it.jobs, one.kills, sum(one.struck.values()), it.shown_once, it.lost,
            it.shown_twice, it.uncertain, it.expired, it.spare_carriers,
            "never" if one.settled_within is None else f"{one.settled_within:.0f} s",
        )  # fmt: skip
        verdict = Text("kept", "green") if one.is_clean else Text("BROKEN", "bold red")
        rows.add_row(*map(str, numbers), verdict)
    return Group(rows, *(Text(line, "red") for one in told for line in offenders(one)))


def offenders(told: Told) -> Iterator[str]:
    """Name what broke a promise."""
    wrong = [
        one
        for one in told.verdict.endings
        if one.is_lost or (one.is_doubled and one.asked.key not in told.shown_again)
    ]
    for one in wrong[:NAMED]:
        job = one.job.id if one.job else "no job"
        seen = [seen.ever for made in one.generations for seen in made.results]
        yield (
            f"seed {told.seed}: {'twice' if one.is_doubled else 'lost'} {job} {one.asked.key}"
            f" {one.state} · KIE {[made.task.state for made in one.generations]} · seen {seen}"
        )
    for line in (*told.verdict.broken, *told.refused)[:NAMED]:
        yield f"seed {told.seed}: {line}"
