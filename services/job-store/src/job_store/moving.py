"""Everything that is kept, as a file, and from a file into an empty storage; counted and summed on both sides."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import asyncpg

from job_store.journal import files
from job_store.journal.lines import FORMAT, TornLineError, lines_of, sealed
from job_store.journal.opening import opened
from job_store.journal.spec import NEXT, Spec
from job_store.journal.tables import SPECS, Tables
from job_store.journal.values import Row
from job_store.store import whole

KIND: Final = "sendonce export"
Chunks = AsyncIterator[tuple[str, list[Row]]]


class MovingError(Exception):
    """It cannot be moved; the message says why, and nothing was changed."""


@dataclass(slots=True)
class Tally:
    """How many rows each table has, and how much money is where."""

    rows: Counter[str] = field(default_factory=Counter)
    money: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, rows: Iterable[Row]) -> None:
        for row in rows:
            self.rows[name] += 1
            if name == "wallets":
                self.money[f"balances {row['currency']}"] += row["balance"]
                self.money[f"held {row['currency']}"] += row["held"]
            if name == "ledger":
                self.money[f"{row['kind']} {row['currency']}"] += row["amount"]

    def as_json(self) -> dict[str, dict[str, int]]:
        return {"rows": dict(sorted(self.rows.items())), "money": dict(sorted(self.money.items()))}


class Storage(Protocol):
    """One side of a move."""

    def read(self) -> AbstractAsyncContextManager[tuple[Mapping[str, int], Chunks]]:
        """Have everything as it is at one moment: the numbers that were given, and the rows."""
        ...

    async def fill(self, all_of: "Everything") -> Tally:
        """Put everything into it, all or nothing; returns what is there then."""
        ...


@dataclass(frozen=True, slots=True)
class Everything:
    """What a file holds: the numbers that were given, the rows, and what they add up to."""

    given: Mapping[str, int]
    rows: Iterable[tuple[str, list[Row]]]
    promised: object

    def compare(self, tally: Tally) -> Tally:
        """Return what arrived, if it is what was written."""
        if tally.as_json() != self.promised:
            raise MovingError("what arrived does not add up to what was written")
        return tally


async def export(storage: Storage, path: Path) -> Tally:
    """Write everything into a file that nobody else may read; it has its name when it is whole."""
    draft, tally = path.with_name(f"{path.name}.draft"), Tally()
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, files.PERMISSIONS)
    with os.fdopen(handle, "wb") as file:
        async with storage.read() as (given, chunks):
            _put(file, {"kind": KIND, "format": FORMAT, "given": dict(given)})
            async for name, rows in chunks:
                tally.add(name, rows)
                _put(file, {"table": name, "rows": rows})
        _put(file, {"tally": tally.as_json()})
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return tally


def _put(file: BinaryIO, value: object) -> None:
    file.write(sealed(value))


async def restore(path: Path, storage: Storage) -> Tally:
    """Read a file into an empty storage; nothing is kept of it unless counts and sums are the same there."""
    head, promised = _checked(path)
    return await storage.fill(Everything(head["given"], _rows(path), promised))


def _checked(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the file once to its end, before anything is changed."""
    head: dict[str, Any] | None = None
    last: dict[str, Any] = {}
    for _, line in lines_of(path):
        if isinstance(line, TornLineError):
            raise MovingError(f"{path} is damaged")
        head, last = head or line, line
    if head is None or head.get("kind") != KIND:
        raise MovingError(f"{path} is no export of sendonce")
    if head["format"] != FORMAT:
        raise MovingError(f"{path} has format {head['format']}, this sendonce reads {FORMAT}")
    if "tally" not in last:
        raise MovingError(f"{path} is not whole")
    return head, last["tally"]


def _rows(path: Path) -> Iterator[tuple[str, list[Row]]]:
    tables = Tables()
    for _, line in lines_of(path):
        if "table" in line:
            yield line["table"], tables.whole(line["table"], line["rows"])


@dataclass(frozen=True, slots=True)
class InPostgres:
    """A migrated database."""

    url: str

    @asynccontextmanager
    async def read(self) -> AsyncIterator[tuple[Mapping[str, int], Chunks]]:
        async with whole.one_state(self.url) as connection:
            given = {
                spec.name: await whole.given(connection, spec.name, column)
                for spec, column in _numbered()
            }
            yield given, _chunks(connection)

    async def fill(self, all_of: Everything) -> Tally:
        columns = {spec.name: tuple(spec.columns) for spec in SPECS}
        async with whole.all_or_nothing(self.url) as connection:
            for spec in SPECS:
                if not await whole.is_empty(connection, spec.name):
                    raise MovingError(f"the database is not empty: there are {spec.name}")
            for name, chunk in all_of.rows:
                await whole.put(connection, name, columns[name], chunk)
            for spec, column in _numbered():
                await whole.give(connection, spec.name, column, all_of.given.get(spec.name, 0))
            return all_of.compare(await _counted(_chunks(connection)))


async def _chunks(connection: Any) -> Chunks:  # noqa: ANN401 - the store's own connection
    for spec in SPECS:
        async for chunk in whole.rows_of(connection, spec.name, tuple(spec.columns)):
            yield spec.name, chunk


async def _counted(chunks: Chunks) -> Tally:
    tally = Tally()
    async for name, rows in chunks:
        tally.add(name, rows)
    return tally


def _numbered() -> Iterator[tuple[Spec, str]]:
    for spec in SPECS:
        for column, default in spec.defaults.items():
            if default is NEXT:
                yield spec, column


@dataclass(frozen=True, slots=True)
class InJournal:
    """A directory that no job-store has."""

    directory: Path

    @asynccontextmanager
    async def read(self) -> AsyncIterator[tuple[Mapping[str, int], Chunks]]:
        if not self._has_any():
            raise MovingError(f"there is no journal in {self.directory}")
        async with opened(self.directory) as journal:
            dump = list(journal.database.tables.dump())
            yield {name: number for name, _, number in dump}, _dumped(dump)

    async def fill(self, all_of: Everything) -> Tally:
        with files.locked(self.directory):
            if self._has_any():
                raise MovingError(f"there is a journal in {self.directory} already")
            tables, tally = Tables(), Tally()
            for name, chunk in all_of.rows:
                tables.take(name, chunk)
            tables.give(all_of.given)
            dump = list(tables.dump())
            for name, chunk, _ in dump:
                tally.add(name, chunk)
            all_of.compare(tally)
            files.condense(self.directory, dump, seq=0)
            return tally

    def _has_any(self) -> bool:
        return any(self.directory.glob("*.jsonl"))


async def _dumped(dump: files.Dump) -> Chunks:
    columns = {spec.name: tuple(spec.columns) for spec in SPECS}
    for name, rows, _ in dump:
        for begin in range(0, len(rows), whole.CHUNK):
            chunk = rows[begin : begin + whole.CHUNK]
            yield name, [{column: row[column] for column in columns[name]} for row in chunk]


NOT_MOVED: Final = (MovingError, files.JournalError, asyncpg.PostgresError)
"""What a move may end with, for whoever tells a person."""
