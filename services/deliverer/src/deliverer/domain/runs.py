"""A text cut where its formatting changes; offsets and lengths are UTF-16 units."""

from dataclasses import dataclass
from itertools import pairwise

from contracts.markup import Entity


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text, and all the formatting that covers it, innermost first."""

    text: str
    entities: tuple[Entity, ...]


def runs(text: str, entities: tuple[Entity, ...]) -> tuple[Run, ...]:
    """Cut a text into pieces that are formatted alike throughout; joined they are the text."""
    raw = text.encode("utf-16-le")
    end = len(raw) // 2
    edges = {0, end}
    for entity in entities:
        edges |= {min(entity.offset, end), min(entity.offset + entity.length, end)}
    # A pair cut in half would be no text: such an edge moves to the pair's end.
    places = sorted({_whole(raw, edge) for edge in edges})
    return tuple(
        Run(raw[2 * begin : 2 * stop].decode("utf-16-le"), _covering(entities, begin, stop))
        for begin, stop in pairwise(places)
    )


def _whole(raw: bytes, edge: int) -> int:
    unit = int.from_bytes(raw[2 * edge : 2 * edge + 2], "little")
    return edge + 1 if 0xDC00 <= unit <= 0xDFFF else edge  # noqa: PLR2004 - low surrogates


def _covering(entities: tuple[Entity, ...], begin: int, stop: int) -> tuple[Entity, ...]:
    found = [one for one in entities if one.offset < stop and begin < one.offset + one.length]
    return tuple(sorted(found, key=lambda one: one.length))
