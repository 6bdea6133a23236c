"""durations.sql: how long generations took."""

from datetime import timedelta
from typing import Final

from job_store.journal.statements.common import Rows, grouped
from job_store.journal.tables import Tables

KIND: Final = ("family", "operation", "model")


def usual(t: Tables, since: timedelta, least: int) -> Rows:
    recent = [row for row in t.durations.all() if row["at"] > t.now - since]
    learned = []
    for kind, rows in grouped(recent, *KIND).items():
        if len(rows) >= least:
            seconds = sorted(row["seconds"] for row in rows)
            named = dict(zip(KIND, kind, strict=True))
            learned.append(
                named | {"expected": _within(seconds, 0.5), "late": _within(seconds, 0.9)}
            )
    return learned


def _within(ordered: list[float], share: float) -> float:
    """Return what this share of them does not exceed, between two of them in proportion."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def trim_durations(t: Tables, most: int) -> None:
    for rows in grouped(t.durations.all(), *KIND).values():
        newest_first = sorted(rows, key=lambda row: row["at"], reverse=True)
        for row in newest_first[most:]:
            t.durations.drop(row)
