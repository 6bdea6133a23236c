"""One table: rows by key and by index, and every way to change them."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from job_store.journal.laws import LAWS
from job_store.journal.spec import NEXT, NOW, Index, Spec
from job_store.journal.values import TYPES, Coerce, Row, contains

Key = Hashable
Record = Callable[["Table", Key, Row | None, Row | None], None]
"""Told of every change: the row as it was and as it is, None when there was or is none."""

_HIDDEN: Final = "#"  # numbers the rows of a table without a key


class NewerError(LookupError):
    """The journal was written by a version that knows more."""


class Table:
    """Refuses what the schema refuses, with the errors that Postgres has for it."""

    def __init__(self, spec: Spec, *, record: Record, now: Callable[[], datetime]) -> None:
        self.spec = spec
        self.rows: dict[Key, Row] = {}
        self.given = 0  # the highest number given to a row
        self._record = record
        self._now = now
        self._key = spec.key or (_HIDDEN,)
        self._types = {name: TYPES[kind.rstrip("?")] for name, kind in spec.columns.items()}
        self._nullable = {name for name, kind in spec.columns.items() if kind.endswith("?")}
        self._laws = LAWS.get(spec.name, ())
        self._indexes = {index.name: _Entries(index) for index in spec.indexes}
        self._tables: Mapping[str, Table] = {}
        self._references: list[tuple[tuple[str, ...], Table]] = []
        if not spec.key:
            self._types[_HIDDEN] = int

    def refer(self, tables: Mapping[str, "Table"]) -> None:
        """Find the tables that this one's columns name."""
        self._tables = tables
        self._references = [
            (tuple(columns.split()), tables[name]) for columns, name in self.spec.references
        ]

    def _named(self, table: str, key: Key) -> Row:
        return self._tables[table].rows[key]

    # -- reading -------------------------------------------------------------------------------------

    def get(self, key: Key) -> Row | None:
        return self.rows.get(key)

    def those(self, keys: Iterable[Key]) -> list[Row]:
        """Return the rows of these keys, each once."""
        rows = self.rows
        return [rows[key] for key in dict.fromkeys(keys) if key in rows]

    def all(self) -> list[Row]:
        return list(self.rows.values())

    def by(self, index: str, *values: Key) -> list[Row]:
        """Return the rows whose index has one of these values, in the order they came."""
        entries, rows = self._indexes[index].keys, self.rows
        return [rows[key] for value in dict.fromkeys(values) for key in entries.get(value, ())]

    def one(self, index: str, value: Key) -> Row | None:
        """Return the row of a unique index."""
        return next(iter(self.by(index, value)), None)

    def count(self, index: str, value: Key) -> int:
        return len(self._indexes[index].keys.get(value, ()))

    # -- changing ------------------------------------------------------------------------------------

    def add(self, values: Mapping[str, Any]) -> Row:
        """Insert a row; a column that is not given or None takes its default."""
        row: Row = {}
        for name in self.spec.columns:
            value = values.get(name)
            row[name] = self._default(name) if value is None else self._coerced(name, value)
        if not self.spec.key:
            row[_HIDDEN] = self._number()
        key = self.key_of(row)
        if key in self.rows:
            raise self._taken(f"{self.spec.name}_pkey")
        self._check(row)
        self._refer(row, row.keys())
        self._put(key, None, row)
        return row

    def change(self, row: Row, **values: Any) -> Row:  # noqa: ANN401 - typed by the schema
        """Update the row that has this row's key."""
        key = self.key_of(row)
        before = self.rows[key]
        after = before | {
            name: None if value is None else self._coerced(name, value)
            for name, value in values.items()
        }
        if self.spec.insert_only and not self._is_lessened(before, after):
            raise asyncpg.RestrictViolationError(f"{self.spec.name} is insert-only")
        self._check(after)
        self._refer(after, values.keys())
        self._put(key, before, after)
        return after

    def _is_lessened(self, before: Row, after: Row) -> bool:
        """Claim that a change only takes words out of where they may be taken out."""
        return bool(self.spec.may_lessen) and all(
            before[name] == after[name]
            or (name in self.spec.may_lessen and contains(before[name], after[name]))
            for name in before
        )

    def drop(self, row: Row) -> None:
        """Delete the row that has this row's key."""
        may_go = self.spec.may_go
        if self.spec.insert_only and not (may_go and may_go(row, self._named)):
            raise asyncpg.RestrictViolationError(f"{self.spec.name} is insert-only")
        key = self.key_of(row)
        self._put(key, self.rows[key], None)

    def _put(self, key: Key, before: Row | None, after: Row | None) -> None:
        for name, entries in self._indexes.items():
            if after is not None and entries.refuses(key, after):
                raise self._taken(name)
        self.restore(key, after)
        self._record(self, key, before, after)

    # -- what needs no permission: undoing, and reading the journal ------------------------------------

    def restore(self, key: Key, row: Row | None) -> None:
        """Have this row, or none, under a key."""
        before = self.rows.get(key)
        for entries in self._indexes.values():
            entries.move(key, before, row)
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = row

    def read(self, values: Mapping[str, Any]) -> Row:
        """Return columns of a row as the journal has them."""
        if unknown := values.keys() - self._types.keys():
            raise NewerError(f"{self.spec.name} has no column {', '.join(sorted(unknown))}")
        return {
            name: None if value is None else self._types[name](value)
            for name, value in values.items()
        }

    def completed(self, row: Row) -> Row:
        """Return a whole row: columns that were added since it was written take their defaults."""
        missing = self.spec.columns.keys() - row.keys()
        return row | {name: self._default(name) for name in missing} if missing else row

    def numbered(self, row: Row) -> Row:
        """Return a row that has a key, in a table where the schema knows none."""
        if self.spec.key or _HIDDEN in row:
            return row
        return row | {_HIDDEN: self._number()}

    def read_key(self, written: Any) -> Key:  # noqa: ANN401 - of JSON
        """Return a key as the journal has it."""
        values = written if len(self._key) > 1 else [written]
        key = tuple(self._types[name](value) for name, value in zip(self._key, values, strict=True))
        return key if len(key) > 1 else key[0]

    def key_of(self, row: Row) -> Key:
        return row[self._key[0]] if len(self._key) == 1 else tuple(row[name] for name in self._key)

    def note_given(self, row: Row) -> None:
        """Never give a number again that a row of the journal had."""
        for name in self._numbered():
            self.given = max(self.given, row[name])

    # -- what is refused -----------------------------------------------------------------------------

    def _numbered(self) -> Iterator[str]:
        if not self.spec.key:
            yield _HIDDEN
        yield from (name for name, value in self.spec.defaults.items() if value is NEXT)

    def _number(self) -> int:
        self.given += 1
        return self.given

    def _default(self, name: str) -> Any:  # noqa: ANN401 - typed by the schema
        default = self.spec.defaults.get(name)
        if default is NOW:
            return self._now()
        if default is NEXT:
            return self._number()
        if default is None and name not in self._nullable:
            raise asyncpg.NotNullViolationError(f"{self.spec.name}.{name} is missing")
        return default

    def _coerced(self, name: str, value: Any) -> Any:  # noqa: ANN401 - typed by the schema
        coerce: Coerce = self._types[name]
        return coerce(value)

    def _check(self, row: Row) -> None:
        for name, value in row.items():
            if value is None and name not in self._nullable:
                raise asyncpg.NotNullViolationError(f"{self.spec.name}.{name} is missing")
        for name, holds in self._laws:
            if not holds(row):
                raise asyncpg.CheckViolationError(f"{self.spec.name} breaks its law {name}")

    def _refer(self, row: Row, changed: Iterable[str]) -> None:
        names = set(changed)
        for columns, table in self._references:
            if names.isdisjoint(columns):
                continue
            values = tuple(row[name] for name in columns)
            if None in values:
                continue
            if (values if len(values) > 1 else values[0]) not in table.rows:
                raise asyncpg.ForeignKeyViolationError(
                    f"{self.spec.name} names a row that {table.spec.name} has not"
                )

    def _taken(self, name: str) -> asyncpg.UniqueViolationError:
        return asyncpg.UniqueViolationError(f"another row of {self.spec.name} has this {name}")


class _Entries:
    """The keys of rows by the values of an index."""

    def __init__(self, index: Index) -> None:
        self.keys: dict[Key, dict[Key, None]] = {}
        self._columns: Sequence[str] = index.columns
        self._where = index.where
        self._unique = index.unique

    def _value(self, row: Row | None) -> tuple[bool, Key]:
        """Say whether a row stands in the index, and under which value."""
        if row is None or (self._where is not None and not self._where(row)):
            return False, None
        values = tuple(row[name] for name in self._columns)
        if self._unique and None in values:
            return False, None
        return True, values[0] if len(values) == 1 else values

    def refuses(self, key: Key, row: Row) -> bool:
        if not self._unique:
            return False
        is_in, value = self._value(row)
        return is_in and any(other != key for other in self.keys.get(value, ()))

    def move(self, key: Key, before: Row | None, after: Row | None) -> None:
        was_in, old = self._value(before)
        is_in, new = self._value(after)
        if was_in and is_in and old == new:
            return
        if was_in:
            self._leave(old, key)
        if is_in:
            self.keys.setdefault(new, {})[key] = None

    def _leave(self, value: Key, key: Key) -> None:
        keys = self.keys[value]
        del keys[key]
        if not keys:
            del self.keys[value]
