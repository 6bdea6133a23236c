"""What some bytes are: magic bytes and content type first, suffix last."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from contracts.values import MediaKind
from deliverer.domain import boxes

HEAD: Final = 64  # bytes that every signature below fits into


class Shape(StrEnum):
    """The kinds of message a result can stand in."""

    PHOTO = "photo"
    VIDEO = "video"
    ANIMATION = "animation"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"


SHAPE_OF: Final = {
    MediaKind.IMAGE: Shape.PHOTO,
    MediaKind.VIDEO: Shape.VIDEO,
    MediaKind.ANIMATION: Shape.ANIMATION,
    MediaKind.AUDIO: Shape.AUDIO,
    MediaKind.VOICE: Shape.VOICE,
    MediaKind.TEXT: Shape.DOCUMENT,
    MediaKind.FILE: Shape.DOCUMENT,
    MediaKind.MIDI: Shape.DOCUMENT,
}
# What is asked for as a file stays one, whatever its bytes are.
FILES: Final = frozenset({MediaKind.TEXT, MediaKind.FILE, MediaKind.MIDI})


@dataclass(frozen=True, slots=True)
class Type:
    shape: Shape
    suffix: str


_JPEG, _PNG = Type(Shape.PHOTO, ".jpg"), Type(Shape.PHOTO, ".png")
_WEBP, _MP4 = Type(Shape.PHOTO, ".webp"), Type(Shape.VIDEO, ".mp4")
_MP3, _M4A = Type(Shape.AUDIO, ".mp3"), Type(Shape.AUDIO, ".m4a")
_OGG, _GIF = Type(Shape.AUDIO, ".ogg"), Type(Shape.ANIMATION, ".gif")

_BY_MAGIC: Final = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"ID3", _MP3),
    (b"\xff\xfb", _MP3),
    (b"\xff\xf3", _MP3),
    (b"\xff\xf2", _MP3),
    (b"GIF8", _GIF),
    (b"OggS", _OGG),
    (b"%PDF", Type(Shape.DOCUMENT, ".pdf")),
    (b"PK\x03\x04", Type(Shape.DOCUMENT, ".zip")),
    (b"fLaC", Type(Shape.DOCUMENT, ".flac")),
    (b"MThd", Type(Shape.DOCUMENT, ".mid")),
    (b"\x1aE\xdf\xa3", Type(Shape.DOCUMENT, ".webm")),
)
_BY_MIME: Final = {
    "image/jpeg": _JPEG,
    "image/png": _PNG,
    "image/webp": _WEBP,
    "video/mp4": _MP4,
    "audio/mpeg": _MP3,
    "audio/mp3": _MP3,
    "audio/mp4": _M4A,
    "audio/m4a": _M4A,
    "audio/x-m4a": _M4A,
    "audio/ogg": _OGG,
    "image/gif": _GIF,
    "video/webm": Type(Shape.DOCUMENT, ".webm"),
    "video/quicktime": Type(Shape.DOCUMENT, ".mov"),
    "audio/wav": Type(Shape.DOCUMENT, ".wav"),
    "audio/x-wav": Type(Shape.DOCUMENT, ".wav"),
    "audio/flac": Type(Shape.DOCUMENT, ".flac"),
    "audio/midi": Type(Shape.DOCUMENT, ".mid"),
    "application/pdf": Type(Shape.DOCUMENT, ".pdf"),
    "application/zip": Type(Shape.DOCUMENT, ".zip"),
}
_BY_SUFFIX: Final = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": _PNG,
    ".webp": _WEBP,
    ".mp4": _MP4,
    ".mp3": _MP3,
    ".m4a": _M4A,
    ".ogg": _OGG,
    ".oga": _OGG,
    ".gif": _GIF,
}
# Telegram takes documents by link only in these formats.
LINKABLE_DOCUMENTS: Final = frozenset({".pdf", ".zip"})
_PAGES: Final = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "application/json",
        "application/problem+json",
        "application/xml",
        "text/xml",
    }
)
_PAGE_HEADS: Final = (b"<!doctype", b"<html", b"<?xml", b"<error", b'{"')


def file_type(head: bytes, *, content_type: str, url: str) -> Type:
    """Name what the bytes are; an unknown thing is a document."""
    suffix = url_suffix(url)
    found = _by_magic(head) or _BY_MIME.get(_mime(content_type))
    return found or _BY_SUFFIX.get(suffix) or Type(Shape.DOCUMENT, suffix or ".bin")


def shape_of(kind: MediaKind, found: Type, content: bytes) -> Shape:
    """Choose how bytes of a type are shown when they were asked for as this kind."""
    if kind in FILES:
        return Shape.DOCUMENT
    # A film without sound is still a film: only where none was asked for does it loop.
    if found.shape is Shape.VIDEO and kind is not MediaKind.VIDEO and boxes.is_silent(content):
        return Shape.ANIMATION
    return found.shape


def shape_by_link(kind: MediaKind, url: str) -> Shape:
    """Choose the shape to ask Telegram for when it fetches the link itself."""
    looks = _BY_SUFFIX.get(url_suffix(url))
    return Shape.ANIMATION if looks is _GIF and kind not in FILES else SHAPE_OF[kind]


def is_page(head: bytes, *, content_type: str) -> bool:
    """Say whether a server answered words where a medium was promised."""
    if _by_magic(head) is not None:
        return False
    return _mime(content_type) in _PAGES or head.lstrip()[:9].lower().startswith(_PAGE_HEADS)


def url_suffix(url: str) -> str:
    """Return the suffix of the path, lower-cased and harmless, or nothing."""
    return name_suffix(unquote(urlsplit(url).path))


def name_suffix(name: str) -> str:
    """Return the suffix of a file name, lower-cased and harmless, or nothing."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 8 else ""  # noqa: PLR2004 - longer ones are no suffixes


def _mime(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _by_magic(head: bytes) -> Type | None:
    if head[:4] == b"RIFF":
        return {b"WEBP": _WEBP, b"WAVE": Type(Shape.DOCUMENT, ".wav")}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _by_brand(head[8:12])
    return next((found for magic, found in _BY_MAGIC if head.startswith(magic)), None)


def _by_brand(brand: bytes) -> Type | None:
    if brand in (b"M4A ", b"M4B "):
        return _M4A
    if brand in (b"avif", b"heic", b"heix", b"mif1"):
        return Type(Shape.DOCUMENT, f".{brand.decode()}")
    return Type(Shape.DOCUMENT, ".mov") if brand == b"qt  " else _MP4
