"""parse_mode=HTML, the part bots use; refuses with the server's own words."""

import re
from dataclasses import dataclass

from testkit.telegram.wire import JsonObject, bad_request

_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_TAG = re.compile(r"<(/?)([a-zA-Z0-9-]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_LAST_SINGLE_UNIT = "\uffff"  # characters above take two UTF-16 units
_LAST_CODEPOINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class _Opened:
    tag: str
    offset: int
    at_byte: int
    attributes: dict[str, str]


def parse_html(source: str) -> tuple[str, list[JsonObject]]:
    """Split HTML into plain text and entities."""
    return _Parser(source).run()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0
        self._text: list[str] = []
        self._units = 0
        self._open: list[_Opened] = []
        self._entities: list[JsonObject] = []

    def run(self) -> tuple[str, list[JsonObject]]:
        while self._position < len(self._source):
            match self._source[self._position]:
                case "<":
                    self._tag()
                case "&":
                    self._reference()
                case plain:
                    self._append(plain)
                    self._position += 1
        if self._open:
            tag = self._open[-1].tag
            raise _cannot_parse(f"can't find end tag corresponding to start tag {tag}")
        return "".join(self._text), self._entities

    def _append(self, piece: str) -> None:
        self._text.append(piece)
        self._units += sum(2 if char > _LAST_SINGLE_UNIT else 1 for char in piece)

    def _at_byte(self) -> int:
        return len(self._source[: self._position].encode())

    def _reference(self) -> None:
        found = _REFERENCE.match(self._source, self._position)
        if found is None:
            self._append("&")
            self._position += 1
            return
        self._append(_decoded(found.group(1)))
        self._position = found.end()

    def _tag(self) -> None:
        found = _TAG.match(self._source, self._position)
        if found is None:
            raise _cannot_parse(f"unclosed start tag at byte offset {self._at_byte()}")
        tag = found.group(2).lower()
        if found.group(1):
            self._close(tag)
        elif tag not in _TYPES:
            raise _cannot_parse(f'unsupported start tag "{tag}" at byte offset {self._at_byte()}')
        else:
            attributes = _attributes(found.group(3))
            self._open.append(_Opened(tag, self._units, self._at_byte(), attributes))
        self._position = found.end()

    def _close(self, tag: str) -> None:
        at = self._at_byte()
        if not self._open:
            raise _cannot_parse(f"unexpected end tag at byte offset {at}")
        opened = self._open.pop()
        if tag and tag != opened.tag:
            raise _cannot_parse(
                f'unmatched end tag at byte offset {at}, expected "</{opened.tag}>",'
                f' found "</{tag}>"'
            )
        if self._units > opened.offset:
            self._entities.append(_entity(opened, self._units))


def _attributes(raw: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(raw):
        value = double or single or bare
        found[name.lower()] = _REFERENCE.sub(lambda one: _decoded(one.group(1)), value)
    return found


def _decoded(reference: str) -> str:
    if reference in _NAMED:
        return _NAMED[reference]
    digits = reference[1:]
    point = int(digits[1:], 16) if digits[:1] == "x" else int(digits)
    return chr(point) if 0 < point <= _LAST_CODEPOINT else ""


def _entity(opened: _Opened, end: int) -> JsonObject:
    kind = _TYPES[opened.tag]
    entity: JsonObject = {"type": kind, "offset": opened.offset, "length": end - opened.offset}
    if kind == "text_link":
        entity["url"] = opened.attributes.get("href", "")
    elif kind == "custom_emoji":
        entity["custom_emoji_id"] = opened.attributes.get("emoji-id", "")
    elif kind == "blockquote" and "expandable" in opened.attributes:
        entity["type"] = "expandable_blockquote"
    return entity


def _cannot_parse(reason: str) -> Exception:
    return bad_request(f"can't parse entities: {reason}")
