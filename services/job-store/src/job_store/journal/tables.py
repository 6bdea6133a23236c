"""All tables, the moment of the transaction, and what it has changed so far."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from chassis.clock import SYSTEM, Clock
from job_store.journal import schema
from job_store.journal.spec import Spec
from job_store.journal.table import Key, NewerError, Table
from job_store.journal.values import Row

SPECS: Final = tuple(value for value in vars(schema).values() if isinstance(value, Spec))

Change = tuple[Table, Key, Row | None, Row | None]


class Tables:
    """What a statement reads and changes."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self.clock = clock
        self.now: datetime = clock.now()
        self.changes: list[Change] = []
        self.bots = self._made(schema.BOTS)
        self.jobs = self._made(schema.JOBS)
        self.parts = self._made(schema.PARTS)
        self.carriers = self._made(schema.CARRIERS)
        self.effects = self._made(schema.EFFECTS)
        self.attempts = self._made(schema.ATTEMPTS)
        self.evidence = self._made(schema.EVIDENCE)
        self.tasks = self._made(schema.TASKS)
        self.task_owners = self._made(schema.TASK_OWNERS)
        self.orphans = self._made(schema.ORPHANS)
        self.reports = self._made(schema.REPORTS)
        self.wallets = self._made(schema.WALLETS)
        self.ledger = self._made(schema.LEDGER)
        self.events = self._made(schema.EVENTS)
        self.outbox = self._made(schema.OUTBOX)
        self.dead_letters = self._made(schema.DEAD_LETTERS)
        self.durations = self._made(schema.DURATIONS)
        self.pacing = self._made(schema.PACING)
        self.floors = self._made(schema.FLOORS)
        self.restores = self._made(schema.RESTORES)
        self.audit = self._made(schema.AUDIT)
        self.by_name = {
            table.spec.name: table for table in vars(self).values() if isinstance(table, Table)
        }
        for table in self.by_name.values():
            table.refer(self.by_name)

    def _made(self, spec: Spec) -> Table:
        return Table(spec, record=self._record, now=lambda: self.now)

    def _record(self, table: Table, key: Key, before: Row | None, after: Row | None) -> None:
        self.changes.append((table, key, before, after))

    def begin(self) -> None:
        """Begin a transaction: one moment for all of it."""
        self.now = self.clock.now()
        self.changes = []

    def undo(self) -> None:
        """Take back everything since the beginning, newest first."""
        for table, key, before, _ in reversed(self.changes):
            table.restore(key, before)
        self.changes = []

    def taken(self) -> list[list[Any]]:
        """Return what was changed as the journal keeps it: table, key, and the columns that are new."""
        first: dict[tuple[str, Key], Change] = {}
        last: dict[tuple[str, Key], Row | None] = {}
        for change in self.changes:
            place = (change[0].spec.name, change[1])
            first.setdefault(place, change)
            last[place] = change[3]
        self.changes = []
        return [
            [name, key, _difference(first[name, key][2], after)]
            for (name, key), after in last.items()
            if first[name, key][2] is not None or after is not None
        ]

    def redo(self, changes: Iterable[list[Any]]) -> None:
        """Do again what a line of the journal says."""
        for name, key, difference in changes:
            self._redo(self._named(name), key, difference)

    def _redo(self, table: Table, written: Any, difference: dict[str, Any] | None) -> None:  # noqa: ANN401 - of JSON
        key = table.read_key(written)
        if difference is None:
            table.restore(key, None)
            return
        row = table.completed((table.get(key) or {}) | table.read(difference))
        table.restore(key, row)
        table.note_given(row)

    def fill(self, name: str, rows: Iterable[Row]) -> int:
        """Have rows as a snapshot has them; returns how many."""
        whole = self.whole(name, rows)
        self.take(name, whole)
        return len(whole)

    def whole(self, name: str, rows: Iterable[Row]) -> list[Row]:
        """Return rows of a file as they are in memory."""
        table = self._named(name)
        return [table.completed(table.read(row)) for row in rows]

    def take(self, name: str, rows: Iterable[Row]) -> None:
        """Have these rows."""
        table = self._named(name)
        for row in map(table.numbered, rows):
            table.restore(table.key_of(row), row)

    def _named(self, name: str) -> Table:
        if name not in self.by_name:
            raise NewerError(f"there is no table {name}")
        return self.by_name[name]

    def give(self, given: Mapping[str, int]) -> None:
        """Never give numbers again that were given."""
        for name, number in given.items():
            self.by_name[name].given = number

    def dump(self) -> Iterator[tuple[str, list[Row], int]]:
        """Return every table's rows and its highest number; the rows may be read while others change."""
        for table in self.by_name.values():
            yield table.spec.name, table.all(), table.given


def _difference(before: Row | None, after: Row | None) -> Row | None:
    if after is None or before is None:
        return after
    return {name: value for name, value in after.items() if before[name] is not value}
