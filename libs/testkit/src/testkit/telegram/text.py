"""Texts as Telegram stores them: parsed, trimmed, measured in UTF-16 units."""

from dataclasses import dataclass, field

from testkit.telegram.html import parse_html
from testkit.telegram.wire import Json, JsonObject, Params, bad_request, canonical, integer, string

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
MAX_ENTITIES = 100  # Telegram ignores the rest


@dataclass(frozen=True, slots=True)
class StyledText:
    """A text and its entities, ordered; equal ones read the same to a user."""

    text: str = ""
    entities: tuple[str, ...] = ()  # canonical JSON, so that texts compare by value
    entity_objects: tuple[JsonObject, ...] = field(default=(), compare=False)


def utf16_units(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def message_text(params: Params) -> StyledText:
    """The text of sendMessage and editMessageText, 1 to 4096 units."""
    styled = _read(params, field="text", entities_field="entities")
    if not styled.text:
        raise bad_request("message text is empty")
    if utf16_units(styled.text) > TEXT_UNITS:
        raise bad_request("message is too long")
    return styled


def caption(params: Params) -> StyledText:
    """The caption of a medium, 0 to 1024 units."""
    styled = _read(params, field="caption", entities_field="caption_entities")
    return _checked_caption(styled)


def media_caption(item: JsonObject) -> StyledText:
    """The caption inside an InputMedia object."""
    entities = item.get("caption_entities")
    styled = style(
        string(item.get("caption")),
        parse_mode=string(item.get("parse_mode")),
        entities=entities if isinstance(entities, list) else [],
    )
    return _checked_caption(styled)


def _checked_caption(styled: StyledText) -> StyledText:
    if utf16_units(styled.text) > CAPTION_UNITS:
        raise bad_request("message caption is too long")
    return styled


def _read(params: Params, *, field: str, entities_field: str) -> StyledText:
    entities: list[Json] = list(params.objects(entities_field) or [])
    return style(params.text(field), parse_mode=params.text("parse_mode"), entities=entities)


def style(source: str, *, parse_mode: str, entities: list[Json]) -> StyledText:
    """Parse, trim and normalise a text."""
    # Explicit entities are ignored when a parse mode is given, as the real server does.
    if parse_mode.lower() == "html":
        text, parsed = parse_html(source)
    elif parse_mode:
        raise bad_request("unsupported parse_mode")
    else:
        text, parsed = source, [_entity(item) for item in entities]
    return _trimmed(text.replace("\r", ""), parsed)


def _entity(item: Json) -> JsonObject:
    if not isinstance(item, dict):
        raise bad_request("can't parse entities: expected an object")
    offset, length = integer(item.get("offset")), integer(item.get("length"))
    if offset is None or offset < 0:
        raise bad_request(f"can't parse entities: receive an entity with incorrect offset {offset}")
    if length is None or length < 0:
        raise bad_request(f"can't parse entities: receive an entity with incorrect length {length}")
    return {**item, "offset": offset, "length": length}


def _trimmed(text: str, entities: list[JsonObject]) -> StyledText:
    stripped = text.strip()
    cut = utf16_units(text[: len(text) - len(text.lstrip())])
    units = utf16_units(stripped)
    kept: list[JsonObject] = []
    for entity in entities:
        placed = _clipped(entity, cut=cut, units=units)
        if placed is not None:
            kept.append(placed)
    kept.sort(key=lambda one: (integer(one["offset"]) or 0, -(integer(one["length"]) or 0)))
    kept = kept[:MAX_ENTITIES]
    return StyledText(stripped, tuple(canonical(dict(one)) for one in kept), tuple(kept))


def _clipped(entity: JsonObject, *, cut: int, units: int) -> JsonObject | None:
    start = (integer(entity["offset"]) or 0) - cut
    end = min(start + (integer(entity["length"]) or 0), units)
    start = max(start, 0)
    if end <= start:
        return None
    filled = {key: value for key, value in entity.items() if value is not None}
    return {**filled, "offset": start, "length": end - start}
