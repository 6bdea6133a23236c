"""What a file really is: its type from the first bytes, and a picture's dimensions."""

import struct
from dataclasses import dataclass

UNKNOWN_TYPE = "application/octet-stream"
PLAIN_TEXT = "text/plain"
TEXT_BYTES = 256 << 10  # longer ones are files, not something a person reads in a chat
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SHORTEST_HEADER = 24  # bytes up to the dimensions of the longest header read here
_VP8X = 30


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int


UNKNOWN_SIZE = Size(width=1280, height=720)


def mime_of(content: bytes) -> str:
    """Name the media type by magic bytes, or say octet-stream."""
    head = content[:16]
    for magic, mime in (
        (_PNG, "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"OggS", "audio/ogg"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"\xff\xf3", "audio/mpeg"),
        (b"fLaC", "audio/flac"),
        (b"\x1aE\xdf\xa3", "video/webm"),
    ):
        if head.startswith(magic):
            return mime
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], "video/avi")
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    return UNKNOWN_TYPE


def text_of(content: bytes) -> str:
    """What a plain text says; empty for anything else."""
    if not content or len(content) > TEXT_BYTES or b"\0" in content:
        return ""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""


def picture_size(content: bytes) -> Size | None:
    """Read a picture's dimensions, or None when it is not a picture we can read."""
    if len(content) < _SHORTEST_HEADER:
        return None
    if content.startswith(_PNG):
        return Size(*struct.unpack(">II", content[16:24]))
    if content.startswith(b"GIF8"):
        return Size(*struct.unpack("<HH", content[6:10]))
    if content.startswith(b"\xff\xd8"):
        return _jpeg_size(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and len(content) >= _VP8X:
        return _webp_size(content)
    return None


def _jpeg_size(content: bytes) -> Size | None:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:  # noqa: PLR2004  # every marker starts so
        marker = content[at + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return Size(width=width, height=height)
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None


def _webp_size(content: bytes) -> Size:
    if content[12:16] == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        return Size(width=width, height=int.from_bytes(content[27:30], "little") + 1)
    if content[12:16] == b"VP8L":
        packed = int.from_bytes(content[21:25], "little")
        return Size(width=(packed & 0x3FFF) + 1, height=((packed >> 14) & 0x3FFF) + 1)
    width, height = struct.unpack("<HH", content[26:30])
    return Size(width=width & 0x3FFF, height=height & 0x3FFF)
