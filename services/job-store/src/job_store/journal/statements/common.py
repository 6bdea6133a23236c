"""What several statements ask of the tables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from job_store.journal.tables import Tables
from job_store.journal.values import Read, Row, from_json

Rows = list[Row]

OPEN: Final = ("created", "submitting", "running")
by_id: Final = itemgetter("id")


def is_held(t: Tables) -> bool:
    """Claim that nothing is handed out: a restore is open."""
    return t.restores.one("restores_open", ()) is not None


def recordset(written: str) -> Iterator[Row]:
    """Read the rows of a ``json_to_recordset``; what is JSON in them is not read again."""
    for row in from_json(written):
        yield {
            name: Read(value) if isinstance(value, dict | list) else value
            for name, value in row.items()
        }


def only(row: Row, names: str) -> Row:
    """Return some columns of a row."""
    return {name: row[name] for name in names.split()}


def each(rows: Iterable[Row], names: str) -> Rows:
    """Return some columns of every row."""
    return [only(row, names) for row in rows]


def age(t: Tables, moments: Iterable[datetime]) -> float | None:
    """Return the seconds since the earliest, None when there is none."""
    earliest = min(moments, default=None)
    return None if earliest is None else (t.now - earliest).total_seconds()


def grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], Rows]:
    """Return rows by the values of columns."""
    groups: dict[tuple[Any, ...], Rows] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def wait_for_owner(t: Tables, buckets: Iterable[Row]) -> Rows:
    """Return those buckets in which everything waits until its owner acts."""
    waiting = [
        bucket
        for bucket in buckets
        if bucket["needs_owner"] is not None
        and bucket["parked_until"] is not None
        and bucket["parked_until"] > t.now
    ]
    return each(waiting, "key needs_owner parked_until")


def told(names: Sequence[str]) -> Rows:
    """Return one row for each offender, as the doctor reads them."""
    return [{"what": name} for name in names]


@dataclass(frozen=True, slots=True)
class Past:
    """A bound that may be absent: then everything is within it."""

    bound: Any

    def is_from(self, value: Any) -> bool:  # noqa: ANN401 - any ordered column
        return self.bound is None or value >= self.bound

    def is_until(self, value: Any) -> bool:  # noqa: ANN401 - as above
        return self.bound is None or value <= self.bound


def is_asked(wanted: object, value: object) -> bool:
    """Claim that a filter lets a value through; None asks for nothing in particular."""
    return wanted is None or wanted == value
