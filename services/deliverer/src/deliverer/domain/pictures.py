"""How large a picture is, read from its header; nothing is decoded."""

from dataclasses import dataclass
from typing import Final

PHOTO_SIDES: Final = 10_000  # Telegram's limit for width and height together
PHOTO_RATIO: Final = 20

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER, _WEBP_HEADER = 24, 10  # bytes up to and with the measures
_MARK: Final = 0xFF
# Start-of-frame markers; the others of this range are tables.
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int


def can_be_a_photo(content: bytes) -> bool:
    """Say whether Telegram takes these measures for a photo; unknown ones are for it to judge."""
    size = measure(content)
    if size is None:
        return True
    longer, shorter = max(size.width, size.height), min(size.width, size.height)
    return size.width + size.height <= PHOTO_SIDES and longer <= shorter * PHOTO_RATIO


def measure(content: bytes) -> Size | None:
    """Return the measures of a PNG, JPEG or WEBP."""
    if content.startswith(_PNG) and len(content) >= _PNG_HEADER:
        return Size(int.from_bytes(content[16:20]), int.from_bytes(content[20:24]))
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    return None


def _jpeg(content: bytes) -> Size | None:
    at = 2
    while at + 9 <= len(content) and content[at] == _MARK:
        marker = content[at + 1]
        if marker in _FRAMES:
            height, width = content[at + 5 : at + 7], content[at + 7 : at + 9]
            return Size(int.from_bytes(width), int.from_bytes(height))
        if marker == _MARK:  # padding
            at += 1
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _webp(content: bytes) -> Size | None:
    form, body = content[12:16], content[20:40]
    if len(body) < _WEBP_HEADER:
        return None
    if form == b"VP8X":
        return Size(
            1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        )
    if form == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return Size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if form == b"VP8 ":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return Size(width, height)
    return None
