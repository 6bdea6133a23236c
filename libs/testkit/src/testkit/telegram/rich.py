"""Rich messages (Bot API 10.2): blocks of text and media in one message that can be edited. Pure.

The limits are Telegram's; the words of the refusals are the fake's own, because no source shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from testkit.telegram.media import Kind, MediaFile
from testkit.telegram.wire import Json, JsonObject, bad_request, canonical, integer, string

RICH_UNITS = 32_768
RICH_BLOCKS = 500
RICH_MEDIA = 50
RICH_DEPTH = 16
HEADINGS = range(1, 7)

# The field that carries a block's medium is named as its type.
_MEDIA_BLOCKS = {
    "photo": Kind.PHOTO,
    "video": Kind.VIDEO,
    "animation": Kind.ANIMATION,
    "audio": Kind.AUDIO,
    "document": Kind.DOCUMENT,
    "voice_note": Kind.VOICE,
}
_GALLERIES = frozenset({"collage", "slideshow"})
_IN_A_GALLERY = frozenset({"photo", "video"})
_TEXT_BLOCKS = frozenset(
    {"paragraph", "heading", "pre", "footer", "pullquote", "expandable_blockquote", "thinking"}
)
_OTHER_BLOCKS = frozenset(
    {
        "anchor",
        "blockquote",
        "buttons",
        "details",
        "divider",
        "list",
        "map",
        "mathematical_expression",
        "table",
    }
)
_WORDS_OF = ("text", "summary", "credit", "caption", "expression", "cells", "buttons")
PART = "part"  # in a stored block: the number of its medium
SPOILER = "has_spoiler"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPart:
    """A medium a block asks for."""

    kind: Kind
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RichDraft:
    """A rich message as a bot wrote it, its media not yet fetched."""

    blocks: tuple[JsonObject, ...]  # a medium is replaced by its number among `wanted`
    wanted: tuple[WantedPart, ...]
    text: str
    is_rtl: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RichBody:
    """A rich message as the server keeps it; equal ones show the same to a reader."""

    spelling: str
    identities: tuple[str, ...]
    blocks: tuple[JsonObject, ...] = field(compare=False)
    files: tuple[MediaFile, ...] = field(compare=False)
    text: str = field(compare=False)
    is_rtl: bool


def body_of(draft: RichDraft, files: list[MediaFile]) -> RichBody:
    """Join a draft with its fetched media."""
    return RichBody(
        spelling=canonical(list(draft.blocks)),
        identities=tuple(file.identity for file in files),
        blocks=draft.blocks,
        files=tuple(files),
        text=draft.text,
        is_rtl=draft.is_rtl,
    )


def read_draft(raw: JsonObject) -> RichDraft:
    """Read an InputRichMessage, or refuse it."""
    given = [name for name in ("html", "markdown", "blocks") if raw.get(name) is not None]
    if len(given) != 1:
        raise bad_request("exactly one of html, markdown and blocks must be specified")
    blocks = raw.get("blocks")
    if not isinstance(blocks, list):
        raise bad_request("rich messages are read as blocks only by this sandbox")
    reader = _Reader()
    read = reader.blocks(blocks, depth=1)
    text = "\n".join(_words(read)).strip()
    if not text and not reader.wanted:
        raise bad_request("message text is empty")
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > RICH_UNITS:
        raise bad_request("rich message is too long")
    return RichDraft(
        blocks=tuple(read),
        wanted=tuple(reader.wanted),
        text=text,
        is_rtl=raw.get("is_rtl") is True,
    )


class _Reader:
    def __init__(self) -> None:
        self.wanted: list[WantedPart] = []
        self._count = 0

    def blocks(self, raw: Json, *, depth: int) -> list[JsonObject]:
        if not isinstance(raw, list):
            raise bad_request("can't parse InputRichBlock: expected an Array")
        if depth > RICH_DEPTH:
            raise bad_request("rich message blocks are nested too deeply")
        return [self._block(one, depth=depth) for one in raw]

    def _counted(self, raw: Json) -> JsonObject:
        if not isinstance(raw, dict):
            raise bad_request("can't parse InputRichBlock: expected an Object")
        self._count += 1
        if self._count > RICH_BLOCKS:
            raise bad_request("rich message has too many blocks")
        return raw

    def _block(self, found: Json, *, depth: int) -> JsonObject:
        raw = self._counted(found)
        kind = string(raw.get("type"))
        block: JsonObject = {key: value for key, value in raw.items() if value is not None}
        if kind in _MEDIA_BLOCKS:
            return self._medium(block, kind)
        if kind in _GALLERIES:
            return self._gallery(block, depth=depth)
        if kind in _TEXT_BLOCKS:
            return _text_block(block, kind)
        if kind not in _OTHER_BLOCKS:
            raise bad_request(f'can\'t parse InputRichBlock: type "{kind}" is unsupported')
        if "blocks" in block:
            block["blocks"] = [*self.blocks(block["blocks"], depth=depth + 1)]
        if kind == "list":
            block["items"] = [*self._items(block.get("items"), depth=depth)]
        return block

    def _medium(self, block: JsonObject, kind: str) -> JsonObject:
        medium = block.pop(kind, None)
        if not isinstance(medium, dict) or not string(medium.get("media")):
            raise bad_request("can't parse InputMedia: media not found")
        self.wanted.append(WantedPart(kind=_MEDIA_BLOCKS[kind], source=string(medium.get("media"))))
        if len(self.wanted) > RICH_MEDIA:
            raise bad_request("rich message has too many media")
        if medium.get(SPOILER) is True:
            block[SPOILER] = True
        return {**block, PART: len(self.wanted) - 1}

    def _gallery(self, block: JsonObject, *, depth: int) -> JsonObject:
        inside = self.blocks(block.get("blocks"), depth=depth + 1)
        if not inside:
            raise bad_request(f"{block['type']} must be non-empty")
        if any(string(one.get("type")) not in _IN_A_GALLERY for one in inside):
            raise bad_request(f"{block['type']} can contain only photos and videos")
        return {**block, "blocks": [*inside]}

    def _items(self, raw: Json, *, depth: int) -> Iterator[JsonObject]:
        if not isinstance(raw, list):
            raise bad_request("can't parse InputRichBlockListItem: expected an Array")
        for found in raw:
            item = self._counted(found)
            yield {**item, "blocks": [*self.blocks(item.get("blocks"), depth=depth + 1)]}


def _text_block(block: JsonObject, kind: str) -> JsonObject:
    if not "".join(_pieces(block.get("text"))).strip():
        raise bad_request(f"{kind} must be non-empty")
    if kind == "heading" and integer(block.get("size")) not in HEADINGS:
        raise bad_request("heading size must be between 1 and 6")
    return block


def _words(blocks: list[JsonObject]) -> Iterator[str]:
    """Everything a reader can read, in order, a line for each block."""
    for block in blocks:
        line = " ".join("".join(_pieces(block.get(name))) for name in _WORDS_OF if name in block)
        if line:
            yield line
        for name in ("blocks", "items"):
            inside = block.get(name)
            if isinstance(inside, list):
                yield from _words([one for one in inside if isinstance(one, dict)])


def _pieces(rich_text: Json) -> Iterator[str]:
    """The plain words of a RichText: a string, a list, or an object around another."""
    match rich_text:
        case str():
            yield rich_text
        case list():
            for one in rich_text:
                yield from _pieces(one)
        case dict():
            for name in ("text", "credit", "expression", "alternative_text"):
                yield from _pieces(rich_text.get(name))
        case _:
            return
