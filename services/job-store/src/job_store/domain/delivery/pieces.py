"""Words cut into messages: by Telegram's measure, where a reader would pause, formatting kept."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.markup import Entity
from job_store.domain.rules import TEXT_LIMIT

SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'»”)\]]*(?=\s)|[。！？]+")
# A cut this early would make many short messages: a lesser pause further on is better.
LEAST_FILLED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """One message: its text, and entities whose offsets count in it."""

    text: str
    entities: tuple[Entity, ...] = ()


def units(text: str) -> int:
    """Measure as Telegram does: in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def split(text: str, entities: Sequence[Entity] = (), *, limit: int = TEXT_LIMIT) -> list[Piece]:
    """Cut a text into messages of at most ``limit`` units, none of them blank.

    A cut stands at the end of a paragraph, else of a line, a sentence, a word, else anywhere but
    inside a character. Whitespace at the edges of a piece goes: Telegram would strip it as well.
    """
    pieces, passed = [], 0
    for part in _parts(text, limit):
        shown = part.strip()
        if shown:
            begin = passed + units(part[: len(part) - len(part.lstrip())])
            pieces.append(Piece(shown, _within(entities, begin, begin + units(shown))))
        passed += units(part)
    return pieces


def _parts(text: str, limit: int) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _furthest(text, start, limit)
        cut = end if end == len(text) else _best_cut(text, start, end)
        yield text[start:cut]
        start = cut


def _furthest(text: str, start: int, limit: int) -> int:
    """Find how far a piece may reach; one character always fits."""
    left, end = limit, start
    while end < len(text) and (left := left - (2 if text[end] > "\uffff" else 1)) >= 0:
        end += 1
    return max(end, start + 1)


def _best_cut(text: str, start: int, end: int) -> int:
    cuts = [find(text, start, end) for find in PAUSES]
    filled = start + (end - start) * LEAST_FILLED
    late = [cut for cut in cuts if cut is not None and cut >= filled]
    early = [cut for cut in cuts if cut is not None]
    return (late or early or [end])[0]


def _after_paragraph(text: str, start: int, end: int) -> int | None:
    return _after(text, "\n\n", start, end)


def _after_line(text: str, start: int, end: int) -> int | None:
    return _after(text, "\n", start, end)


def _after(text: str, mark: str, start: int, end: int) -> int | None:
    # The mark may stand right behind the piece: it is stripped from the next one.
    found = text.rfind(mark, start, end + len(mark))
    return min(found + len(mark), end) if found >= 0 else None


def _after_sentence(text: str, start: int, end: int) -> int | None:
    ends = [m.end() for m in SENTENCE_END.finditer(text, start, min(end + 1, len(text)))]
    return max((place for place in ends if place <= end), default=None)


def _after_word(text: str, start: int, end: int) -> int | None:
    if text[end].isspace():
        return end
    return next((at + 1 for at in range(end - 1, start, -1) if text[at].isspace()), None)


PAUSES: Final[tuple[Callable[[str, int, int], int | None], ...]] = (
    _after_paragraph,
    _after_line,
    _after_sentence,
    _after_word,
)


def _within(entities: Sequence[Entity], begin: int, end: int) -> tuple[Entity, ...]:
    """Return what of the entities lies in a piece; one that crosses a cut stands in both."""
    kept = []
    for entity in entities:
        first, last = max(entity.offset, begin), min(entity.offset + entity.length, end)
        if first < last:
            place = {"offset": first - begin, "length": last - first}
            kept.append(entity.model_copy(update=place))
    return tuple(kept)
