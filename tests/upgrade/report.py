"""An upgrade's phases, its verdict, and what was wrong; for a person and as JSON."""

from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from upgrade.run import Told


def table(told: Told) -> RenderableType:
    """Return a row a phase, then the verdict."""
    rows = Table(box=None, padding=(0, 0, 0, 1))
    rows.add_column("phase", no_wrap=True)
    for name in (told.old.name, told.new.name, "replaced", "seconds", "jobs", "least work"):
        rows.add_column(name, justify="right", no_wrap=True)
    for phase in told.phases:
        numbers = (
            phase.replicas.get(told.old.name, 0), phase.replicas.get(told.new.name, 0),
            phase.replaced, f"{phase.seconds:.0f}", phase.jobs, phase.least,
        )  # fmt: skip
        rows.add_row(phase.name, *map(str, numbers))
    it = told.verdict
    ends = Table(box=None, padding=(0, 0, 0, 1))
    for name in ("jobs", "once", "failed by KIE", "lost", "twice", "unsure", "expired", "verdict"):
        ends.add_column(name, justify="right", no_wrap=True)
    counts = (
        it.jobs, it.shown_once, it.failed_by_provider, it.lost, it.shown_twice, it.uncertain,
        it.expired,
    )  # fmt: skip
    kept = Text("BROKEN", "bold red") if told.wrong else Text("kept", "green")
    ends.add_row(*map(str, counts), kept)
    wrong = (Text(f"{what}: {how}", "red") for what, how in told.wrong.items())
    return Group(rows, Text(), ends, *wrong)


def as_json(told: Told) -> dict[str, object]:
    """Return what a program reads."""
    it = told.verdict
    return {
        "old": told.old.name,
        "new": told.new.name,
        "migrations": {
            "old": told.old.migrations,
            "added": sorted(set(told.new.migrations) - set(told.old.migrations)),
            "tried_again": told.migrated_again,
        },
        "seed": told.seed,
        "a_job_every_seconds": told.every,
        "clean": not told.wrong,
        "phases": [asdict(phase) for phase in told.phases],
        "replaced": told.replaced,
        "settings_the_old_version_does_not_know": told.untold,
        "jobs": it.jobs,
        "delivered": it.delivered,
        "shown_once": it.shown_once,
        "failed_by_kie": it.failed_by_provider,
        "lost": it.lost,
        "shown_twice": it.shown_twice,
        "uncertain": it.uncertain,
        "expired": it.expired,
        "spare_carriers": it.spare_carriers,
        "ledger_balanced": it.ledger_balanced,
        "wrong": {what: str(how) for what, how in told.wrong.items()},
    }
