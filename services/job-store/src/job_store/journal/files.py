"""The directory of a journal: a lock, a snapshot, and the commits since; read at the start, with every doubt said."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from job_store.journal.lines import FORMAT, TornLineError, lines_of, sealed
from job_store.journal.table import NewerError
from job_store.journal.tables import Tables
from job_store.journal.values import Row

LOCK: Final = "lock"
SNAPSHOT: Final = "snapshot.jsonl"
CHUNK: Final = 500  # rows a line of a snapshot
PERMISSIONS: Final = 0o600  # prompts, chats and money are nobody else's

Dump = list[tuple[str, list[Row], int]]


class JournalError(Exception):
    """The journal cannot be used as it is; the message says why, and nothing was changed."""


class JournalInUseError(JournalError):
    """Another process has it."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the next commit goes: the file, its size, and the number of the last commit."""

    path: Path
    size: int
    seq: int


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Be the only process that has this journal; the lock goes with the process, however it ends."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, PERMISSIONS)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            holder = os.read(handle, 20).decode().strip() or "unknown"
            raise JournalInUseError(
                f"another process (pid {holder}) has the journal in {directory}: JSON storage is for one job-store"
            ) from taken
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def restored(directory: Path, tables: Tables) -> Tail:
    """Read snapshot and commits into empty tables; a last line that is torn was never acknowledged and goes."""
    try:
        return _restored(directory, tables)
    except NewerError as newer:
        raise JournalError(
            f"{directory} was written by a newer sendonce ({newer}): run that one"
        ) from newer


def _restored(directory: Path, tables: Tables) -> Tail:
    seq = _read_snapshot(directory / SNAPSHOT, tables)
    journals = sorted(directory.glob("commits-*.jsonl"))
    tail = None
    for path in journals:
        tail = _read_commits(path, tables, seq, is_last=path == journals[-1])
        seq = tail.seq
    if tail is None:
        path = begun(directory, after=seq)
        return Tail(path, path.stat().st_size, seq)
    return tail


def begun(directory: Path, *, after: int) -> Path:
    """Make the file of the commits after this one."""
    path = directory / f"commits-{after:020}.jsonl"
    _create(path, [{"format": FORMAT, "after": after}])
    _sync_directory(directory)
    return path


def condense(directory: Path, dump: Dump, *, seq: int) -> int:
    """Replace the snapshot by one that holds all up to this commit; returns its bytes."""
    path = directory / SNAPSHOT
    draft = path.with_suffix(".draft")
    size = _create(draft, _snapshot(dump, seq))
    draft.replace(path)
    _sync_directory(directory)
    for old in directory.glob("commits-*.jsonl"):
        if _after(old) < seq:
            old.unlink()
    _sync_directory(directory)
    return size


def _snapshot(dump: Dump, seq: int) -> Iterator[object]:
    yield {"format": FORMAT, "seq": seq, "given": {name: given for name, _, given in dump}}
    for name, rows, _ in dump:
        left = iter(rows)
        while chunk := list(islice(left, CHUNK)):
            yield {"table": name, "rows": chunk}
    yield {"rows": sum(len(rows) for _, rows, _ in dump)}


def _create(path: Path, values: Iterator[object] | list[Any]) -> int:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PERMISSIONS)
    with os.fdopen(handle, "wb") as file:
        for value in values:
            file.write(sealed(value))
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _sync_directory(directory: Path) -> None:
    """Have the names of its files on disk, too."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _after(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _read_snapshot(path: Path, tables: Tables) -> int:
    if not path.exists():
        return 0
    head: dict[str, Any] | None = None
    read, said = 0, -1
    for _, line in lines_of(path):
        if isinstance(line, TornLineError):
            raise JournalError(f"{path} is damaged: restore the directory from a backup")
        if head is None:
            head = _readable(path, line)
        elif "table" in line:
            read += tables.fill(line["table"], line["rows"])
        else:
            said = line["rows"]
    if head is None or read != said:
        raise JournalError(f"{path} is not whole: restore the directory from a backup")
    tables.give(head["given"])
    return int(head["seq"])


def _read_commits(path: Path, tables: Tables, seq: int, *, is_last: bool) -> Tail:
    """Do the commits of a file again, those after ``seq``."""
    whole, torn = 0, False
    for end, line in lines_of(path):
        if isinstance(line, TornLineError):
            torn = True
        elif torn:
            raise JournalError(
                f"{path} is damaged after byte {whole}, and commits follow: restore the directory from a backup"
            )
        else:
            seq = _redone(path, tables, seq, line)
            whole = end
    if torn and not is_last:
        raise JournalError(f"{path} is damaged after byte {whole}, and another file follows")
    if torn or not whole:
        _cut(path, whole, after=seq)
    return Tail(path, path.stat().st_size, seq)


def _redone(path: Path, tables: Tables, seq: int, line: dict[str, Any]) -> int:
    if "commits" not in line:
        if _readable(path, line)["after"] > seq:
            raise JournalError(
                f"commits before {path} are missing: restore the directory from a backup"
            )
        return seq
    for number, changes in enumerate(line["commits"], start=line["seq"]):
        if number > seq + 1:
            raise JournalError(
                f"{path} lacks commit {seq + 1}: restore the directory from a backup"
            )
        if number == seq + 1:
            tables.redo(changes)
            seq = number
    return seq


def _readable(path: Path, head: dict[str, Any]) -> dict[str, Any]:
    if head.get("format") != FORMAT:
        raise JournalError(
            f"{path} has format {head.get('format')}, this sendonce reads {FORMAT}: run the version that wrote it"
        )
    return head


def _cut(path: Path, size: int, *, after: int) -> None:
    """End a file after its last whole line."""
    if not size:  # not even its first line was written
        _create(path, [{"format": FORMAT, "after": after}])
        return
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
