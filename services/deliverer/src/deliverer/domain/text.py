"""Text as Telegram counts it, in UTF-16 units, and cut the same way every time."""

from typing import Final

from contracts.markup import Entity

TEXT_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
ELLIPSIS: Final = "…"


def units(text: str) -> int:
    """Count UTF-16 code units, the measure of offsets and limits."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, limit: int) -> str:
    """Return the text, or its beginning and an ellipsis, in at most `limit` units."""
    if units(text) <= limit:
        return text
    room = limit - units(ELLIPSIS)
    taken = 0
    for place, char in enumerate(text):
        taken += 2 if char > "\uffff" else 1
        if taken > room:
            return text[:place] + ELLIPSIS
    return text


def clip(entities: tuple[Entity, ...], length: int) -> tuple[Entity, ...]:
    """Return the entities that begin within `length` units, none reaching past it."""
    return tuple(
        entity.model_copy(update={"length": min(entity.length, length - entity.offset)})
        for entity in entities
        if entity.offset < length
    )
