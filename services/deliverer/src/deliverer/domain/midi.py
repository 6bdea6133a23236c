"""KIE's notes as a standard MIDI file: format 1, one track for each instrument."""

import json
import math
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from deliverer.domain.midi_programs import is_drums, program_of

TICKS: Final = 480  # a quarter note
TEMPO: Final = 500_000  # microseconds a quarter note: 120 in a minute
TICKS_A_SECOND: Final = TICKS * 1_000_000 // TEMPO
DRUMS: Final = 9  # General MIDI's percussion channel
MELODIC: Final = tuple(channel for channel in range(16) if channel != DRUMS)
LONGEST: Final = 24 * 3600.0  # seconds; more is no music but a mistake
HIGHEST: Final = 127

_NOTE_ON, _PROGRAM, _META = 0x90, 0xC0, 0xFF
_TRACK_NAME, _SET_TEMPO, _END = 0x03, 0x51, 0x2F


class NoNotes(ValueError):
    """The words hold no notes that could be played."""


@dataclass(frozen=True, slots=True)
class Note:
    pitch: int
    start: float  # seconds
    end: float
    velocity: int


@dataclass(frozen=True, slots=True)
class Instrument:
    name: str
    notes: tuple[Note, ...]


def midi_file(body: str) -> bytes:
    """Write the notes of a MIDI generation, or raise `NoNotes`; the same words, the same bytes."""
    instruments = _instruments(body)
    channels = _channels(instruments)
    tracks = [_tempo_track(), *map(_track, instruments, channels)]
    header = b"".join(number.to_bytes(2) for number in (1, len(tracks), TICKS))
    return b"".join([_chunk(b"MThd", header), *(_chunk(b"MTrk", one) for one in tracks)])


def _instruments(body: str) -> list[Instrument]:
    try:
        read: JsonValue = json.loads(body)
    except (ValueError, RecursionError) as unreadable:
        raise NoNotes("not JSON") from unreadable
    if isinstance(read, dict):
        inner = read.get("midiData")
        read = (inner if isinstance(inner, dict) else read).get("instruments")
    if not isinstance(read, list):
        raise NoNotes("no list of instruments")
    found = [_instrument(one) for one in read]
    if not any(one.notes for one in found):
        raise NoNotes("no notes")
    return [one for one in found if one.notes]


def _instrument(raw: JsonValue) -> Instrument:
    if not isinstance(raw, dict):
        raise NoNotes("an instrument is no object")
    name, notes = raw.get("name"), raw.get("notes")
    if not isinstance(notes, list):
        raise NoNotes("an instrument has no list of notes")
    return Instrument(name if isinstance(name, str) else "", tuple(map(_note, notes)))


def _note(raw: JsonValue) -> Note:
    if not isinstance(raw, dict):
        raise NoNotes("a note is no object")
    pitch, start, end = (_number(raw.get(name)) for name in ("pitch", "start", "end"))
    loud = _number(raw.get("velocity", 1))
    if not (0 <= pitch <= HIGHEST and 0 <= start <= LONGEST and end <= LONGEST and loud >= 0):
        raise NoNotes("a note is out of range")
    # 0 to 1 as documented; above that it can only be MIDI's own measure.
    velocity = round(loud * HIGHEST if loud <= 1 else loud)
    # A velocity of 0 would end a note instead of beginning it.
    return Note(round(pitch), start, end, min(max(velocity, 1), HIGHEST))


def _number(raw: JsonValue) -> float:
    """Read a number, which the provider sometimes writes as text."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise NoNotes("not a number")
    try:
        number = float(raw)
    except (ValueError, OverflowError) as unreadable:
        raise NoNotes("not a number") from unreadable
    if not math.isfinite(number):
        raise NoNotes("not a number")
    return number


def _channels(instruments: list[Instrument]) -> list[int]:
    """Give each melodic instrument its own channel while there are any."""
    given: list[int] = []
    melodic = 0
    for one in instruments:
        if is_drums(one.name):
            given.append(DRUMS)
            continue
        given.append(MELODIC[melodic % len(MELODIC)])
        melodic += 1
    return given


def _tempo_track() -> bytes:
    return _meta(_SET_TEMPO, TEMPO.to_bytes(3)) + _meta(_END, b"")


def _track(instrument: Instrument, channel: int) -> bytes:
    name = instrument.name.encode()[:HIGHEST]
    program = bytes([0, _PROGRAM | channel, program_of(instrument.name)])
    events: list[tuple[int, int, int]] = []
    for note in instrument.notes:
        begin = round(note.start * TICKS_A_SECOND)
        end = max(begin + 1, round(note.end * TICKS_A_SECOND))
        events += [(begin, note.velocity, note.pitch), (end, 0, note.pitch)]
    written, last = bytearray(), 0
    # Sorted so that at one moment what ends comes before what begins.
    for at, velocity, pitch in sorted(events):
        written += _variable(at - last) + bytes([_NOTE_ON | channel, pitch, velocity])
        last = at
    return _meta(_TRACK_NAME, name) + program + bytes(written) + _meta(_END, b"")


def _meta(kind: int, content: bytes) -> bytes:
    return bytes([0, _META, kind]) + _variable(len(content)) + content


def _variable(number: int) -> bytes:
    """Write a number in groups of seven bits, the last without the high one."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4) + content
