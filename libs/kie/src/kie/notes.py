"""The notes of a MIDI generation, made to fit: rounded to the millisecond, then the earliest of them.

A file that ends early can still be played; notes cut anywhere are no notes any more.
"""

import json
import math
from dataclasses import dataclass

from kie.body import Json

_MILLISECONDS = 3  # digits; KIE writes seventeen, a MIDI file at 120 beats a minute resolves one


@dataclass(frozen=True, slots=True)
class Fitted:
    """Notes as JSON, and whether every one of them is still there."""

    text: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Note:
    start: float
    instrument: int
    written: str


@dataclass(frozen=True, slots=True)
class _Score:
    instruments: tuple[str, ...]
    notes: tuple[_Note, ...]


class _NoNotesError(ValueError):
    """The JSON is not the list of instruments that KIE documents."""


def fitted(text: str, *, room: int) -> Fitted | None:
    """Return what fits into so many bytes of a JSON string; None when nothing playable does.

    What fits passes unchanged, whatever it is.
    """
    if size(text) <= room:
        return Fitted(text, is_whole=True)
    try:
        score = _score(text)
    except _NoNotesError:
        return None
    kept = _earliest(score, room)
    return Fitted(_written(score, kept), is_whole=len(kept) == len(score.notes)) if kept else None


def size(text: str) -> int:
    """Bytes of a text between the quotes of a JSON string."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')


def _score(text: str) -> _Score:
    try:
        read: Json = json.loads(text)
    except (ValueError, RecursionError) as unreadable:
        raise _NoNotesError from unreadable
    if not isinstance(read, list):
        raise _NoNotesError
    names: list[str] = []
    notes: list[_Note] = []
    for number, one in enumerate(read):
        match one:
            case {"name": str(name), "notes": list(played)}:
                names.append(name)
                notes += [_note(note, number) for note in played]
            case _:
                raise _NoNotesError
    return _Score(tuple(names), tuple(sorted(notes, key=lambda note: note.start)))


def _note(raw: Json, instrument: int) -> _Note:
    if not isinstance(raw, dict):
        raise _NoNotesError
    start, end = _seconds(raw.get("start")), _seconds(raw.get("end"))
    plain = {**raw, "start": start, "end": end}
    return _Note(start, instrument, _compact(plain))


def _seconds(raw: Json) -> float:
    """Read a moment, which KIE writes as a number or as text."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise _NoNotesError
    try:
        seconds = float(raw)
    except (ValueError, OverflowError) as unreadable:
        raise _NoNotesError from unreadable
    if not math.isfinite(seconds):
        raise _NoNotesError
    return round(seconds, _MILLISECONDS)


def _earliest(score: _Score, room: int) -> list[_Note]:
    left = room - size(_written(score, []))
    kept: list[_Note] = []
    for note in score.notes:
        left -= size(note.written) + len(",")
        if left < 0:
            break
        kept.append(note)
    return kept


def _written(score: _Score, notes: list[_Note]) -> str:
    played: list[list[str]] = [[] for _ in score.instruments]
    for note in notes:
        played[note.instrument].append(note.written)
    instruments = (
        f'{{"name":{_compact(name)},"notes":[{",".join(own)}]}}'
        for name, own in zip(score.instruments, played, strict=True)
    )
    return f"[{','.join(instruments)}]"


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
