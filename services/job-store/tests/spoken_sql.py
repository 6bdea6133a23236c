"""The SQL that tests say about rows, understood for the journal: one table, plain conditions, nothing else."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from typing import Any, Final
from uuid import uuid4

from job_store.journal.table import Table
from job_store.journal.tables import Tables
from job_store.journal.values import Row

TOKENS: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<arg>\$\d+)|(?P<cast>::\s*\w+(?:\[\])?)|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<name>[a-z_]\w*)|(?P<word>[A-Z]+)|(?P<sign><>|<=|>=|->>|->|[-+*=<>(),]))"
)
WORDS: Final = {
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "NULL": "None",
    "IS": "is",
    "IN": "in",
    "ANY": "in_",
}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SIGNS: Final = {"=": "==", "<>": "!=", "->>": ">>"}
UNITS: Final = {
    **dict.fromkeys(("s", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("min", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("day", "days"), timedelta(days=1)),
}
SELECT: Final = re.compile(
    r"SELECT (?P<what>.+?) FROM (?P<table>\w+)(?: WHERE (?P<where>.+?))?(?: ORDER BY (?P<order>.+?))?"
    r"(?: LIMIT (?P<limit>\d+))?",
)
UPDATE: Final = re.compile(
    r"UPDATE (?P<table>\w+) SET (?P<what>.+?)(?: WHERE (?P<where>.+))?",
)
DELETE: Final = re.compile(r"DELETE FROM (?P<table>\w+)(?: WHERE (?P<where>.+))?")
INSERT: Final = re.compile(
    r"INSERT INTO (?P<table>\w+)(?: \((?P<names>[^)]*)\))? VALUES \((?P<what>.+)\)",
)
COPY: Final = re.compile(
    r"INSERT INTO (?P<into>\w+) \((?P<names>[^)]*)\) SELECT (?P<what>.+) FROM (?P<table>\w+)(?P<where>)",
)
TRUNCATE: Final = re.compile(r"TRUNCATE (?P<tables>[\w, ]+?)(?P<more> CASCADE)?")
UNLOCK: Final = re.compile(r"ALTER TABLE (?P<table>\w+) DISABLE TRIGGER \w+_insert_only")
AGGREGATES: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "count": len,
    "max": lambda values: max(values, default=None),
    "min": lambda values: min(values, default=None),
    "sum": lambda values: sum(values) if values else None,
}


class UnspokenError(Exception):
    """SQL that is more than this: the test speaks of Postgres."""


class Fields(dict[str, Any]):
    """A jsonb object: what is subtracted is a field, and ``->>`` is written as ``>>``."""

    def __rshift__(self, name: str) -> Any:
        return self.get(name)

    def __sub__(self, name: str) -> "Fields":
        return Fields({key: value for key, value in self.items() if key != name})


@dataclass(frozen=True, slots=True)
class Speech:
    """One statement over the tables of a transaction."""

    tables: Tables
    args: tuple[object, ...]

    def run(self, query: str) -> list[Row]:
        rows: list[Row] = []
        for one in filter(None, map(str.strip, query.split(";"))):
            rows = self._one(" ".join(one.split()))
        return rows

    def _one(self, query: str) -> list[Row]:
        for form, answer in (
            (SELECT, self._select),
            (UPDATE, self._update),
            (DELETE, self._delete),
            (INSERT, self._insert),
            (COPY, self._copy),
            (TRUNCATE, self._truncate),
            (UNLOCK, self._unlock),
        ):
            if found := form.fullmatch(query):
                return answer(found)
        raise UnspokenError(query)

    def _select(self, asked: re.Match[str]) -> list[Row]:
        rows = self._rows(asked)
        for item in reversed(list(_split(asked["order"] or ""))):
            by, _, turn = item.partition(" ")
            rows.sort(key=cmp_to_key(self._compared(by)), reverse=turn == "DESC")
        rows = rows[: int(asked["limit"])] if asked["limit"] else rows
        items = list(_split(asked["what"]))
        if aggregate := re.fullmatch(r"(\w+)\((.+)\)", items[0]):
            if aggregate[1] not in AGGREGATES:
                raise UnspokenError(items[0])
            values = [self.value("1" if aggregate[2] == "*" else aggregate[2], row) for row in rows]
            return [{aggregate[1]: AGGREGATES[aggregate[1]]([v for v in values if v is not None])}]
        if items == ["*"]:
            return rows
        return [
            {_name(item): self.value(item.split(" AS ")[0], row) for item in items} for row in rows
        ]

    def _update(self, asked: re.Match[str]) -> list[Row]:
        table = self._table(asked["table"])
        changes = [item.split("=", 1) for item in _split(asked["what"])]
        for row in self._rows(asked):
            table.change(row, **{name.strip(): self.value(to, row) for name, to in changes})
        return []

    def _delete(self, asked: re.Match[str]) -> list[Row]:
        for row in self._rows(asked):
            self._table(asked["table"]).drop(row)
        return []

    def _insert(self, asked: re.Match[str]) -> list[Row]:
        table = self._table(asked["table"])
        names = asked["names"].split(", ") if asked["names"] else list(table.spec.columns)
        values = [self.value(item, {}) for item in _split(asked["what"])]
        table.add(dict(zip(names, values, strict=False)))
        return []

    def _copy(self, asked: re.Match[str]) -> list[Row]:
        names, items = asked["names"].split(", "), list(_split(asked["what"]))
        for row in self._rows(asked):
            values = [self.value(item, row) for item in items]
            self._table(asked["into"]).add(dict(zip(names, values, strict=True)))
        return []

    def _truncate(self, asked: re.Match[str]) -> list[Row]:
        names = list(self.tables.by_name) if asked["more"] else asked["tables"].split(", ")
        for table in map(self._table, names):
            for key in list(table.rows):
                table.restore(key, None)
        return []

    def _unlock(self, asked: re.Match[str]) -> list[Row]:
        table = self._table(asked["table"])
        table.spec = replace(table.spec, insert_only=False)
        return []

    def _table(self, name: str) -> Table:
        if name not in self.tables.by_name:
            raise UnspokenError(name)
        return self.tables.by_name[name]

    def _rows(self, asked: re.Match[str]) -> list[Row]:
        rows = self._table(asked["table"]).all()
        where = asked["where"]
        return rows if not where else [row for row in rows if self.value(where, row)]

    def _compared(self, by: str) -> Callable[[Row, Row], int]:
        def compare(one: Row, other: Row) -> int:
            left, right = self.value(by, one), self.value(by, other)
            if left is None or right is None:
                return (left is None) - (right is None)
            return (left > right) - (left < right)

        return compare

    def value(self, expression: str, row: Row) -> Any:
        """Evaluate an expression over a row; what compares with NULL is not so."""
        known = {
            "args": self.args,
            "epoch": EPOCH,
            "now": self.tables.now,
            "row": {name: Fields(v) if isinstance(v, dict) else v for name, v in row.items()},
            "span": span,
            "uuid4": uuid4,
        }
        try:
            return eval(_python(expression, row), known)
        except TypeError:
            return None


def _python(expression: str, row: Row) -> str:
    """Write an expression in Python."""
    said = " ".join(_words(expression, row))
    said = said.replace("now ( )", "now").replace("gen_random_uuid ( )", "uuid4 ( )")
    return re.sub(r"== in_ \(", "in (", said)


def _words(expression: str, row: Row) -> Iterator[str]:
    place = 0
    is_span = False
    while place < len(expression.rstrip()):
        token = TOKENS.match(expression, place)
        if token is None:
            raise UnspokenError(expression)
        place = token.end()
        kind, text = str(token.lastgroup), token[token.lastgroup or ""]
        if (kind, text) == ("name", "interval"):
            is_span = True
            continue
        if kind == "cast":
            continue
        yield f"span({text})" if is_span else _word(kind, text, row)
        is_span = False


def _word(kind: str, text: str, row: Row) -> str:
    match kind:
        case "arg":
            return f"args[{int(text[1:]) - 1}]"
        case "word" | "sign":
            return _spelled(text)
        case "name":
            return _named(text, row)
        case "text" if text == "'epoch'":
            return "epoch"
        case _:
            return text


def _spelled(text: str) -> str:
    if text == "->" or (text.isalpha() and text not in WORDS):
        raise UnspokenError(text)
    return WORDS.get(text) or SIGNS.get(text, text)


def _named(text: str, row: Row) -> str:
    if text in ("true", "false"):
        return text.title()
    if text in ("now", "gen_random_uuid"):
        return text
    if row and text not in row:
        raise UnspokenError(text)
    return f"row[{text!r}]"


def _name(item: str) -> str:
    return item.rpartition(" AS ")[2]


def _split(items: str) -> Iterator[str]:
    """Split at commas that no bracket holds."""
    depth, item = 0, ""
    for sign in items:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            yield item.strip()
            item = ""
        else:
            item += sign
    if item.strip():
        yield item.strip()


def span(text: str) -> timedelta:
    """Read an interval: `2 h`, `5 minutes 1 second`."""
    words = text.split()
    return sum(
        (float(count) * UNITS[unit] for count, unit in zip(words[::2], words[1::2], strict=True)),
        timedelta(0),
    )
