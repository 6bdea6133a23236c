"""What some bytes are: magic bytes and content type first, suffix last."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from contracts.values import MediaKind

HEAD: Final = 64  # bytes that every signature below fits into


class Shape(StrEnum):
    """The kinds of message a result can stand in."""

    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


SHAPE_OF: Final = {
    MediaKind.IMAGE: Shape.PHOTO,
    MediaKind.VIDEO: Shape.VIDEO,
    MediaKind.AUDIO: Shape.AUDIO,
    MediaKind.TEXT: Shape.DOCUMENT,
    MediaKind.FILE: Shape.DOCUMENT,
}


@dataclass(frozen=True, slots=True)
class Type:
    shape: Shape
    suffix: str


_JPEG, _PNG = Type(Shape.PHOTO, ".jpg"), Type(Shape.PHOTO, ".png")
_WEBP, _MP4 = Type(Shape.PHOTO, ".webp"), Type(Shape.VIDEO, ".mp4")
_MP3, _M4A = Type(Shape.AUDIO, ".mp3"), Type(Shape.AUDIO, ".m4a")

_BY_MAGIC: Final = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"ID3", _MP3),
    (b"\xff\xfb", _MP3),
    (b"\xff\xf3", _MP3),
    (b"\xff\xf2", _MP3),
    (b"GIF8", Type(Shape.DOCUMENT, ".gif")),
    (b"%PDF", Type(Shape.DOCUMENT, ".pdf")),
    (b"PK\x03\x04", Type(Shape.DOCUMENT, ".zip")),
    (b"OggS", Type(Shape.DOCUMENT, ".ogg")),
    (b"fLaC", Type(Shape.DOCUMENT, ".flac")),
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
    "image/gif": Type(Shape.DOCUMENT, ".gif"),
    "video/webm": Type(Shape.DOCUMENT, ".webm"),
    "video/quicktime": Type(Shape.DOCUMENT, ".mov"),
    "audio/wav": Type(Shape.DOCUMENT, ".wav"),
    "audio/x-wav": Type(Shape.DOCUMENT, ".wav"),
    "audio/ogg": Type(Shape.DOCUMENT, ".ogg"),
    "audio/flac": Type(Shape.DOCUMENT, ".flac"),
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
}
# Telegram takes documents by link only in these formats.
LINKABLE_DOCUMENTS: Final = frozenset({".pdf", ".zip"})


def file_type(head: bytes, *, content_type: str, url: str) -> Type:
    """Name what the bytes are; an unknown thing is a document."""
    suffix = url_suffix(url)
    found = _by_magic(head) or _BY_MIME.get(content_type.partition(";")[0].strip().lower())
    return found or _BY_SUFFIX.get(suffix) or Type(Shape.DOCUMENT, suffix or ".bin")


def is_page(head: bytes, *, content_type: str) -> bool:
    """Say whether a server answered a page of text where a medium was promised."""
    if _by_magic(head) is not None:
        return False
    mime = content_type.partition(";")[0].strip().lower()
    return mime in ("text/html", "application/xhtml+xml") or head.lstrip()[:9].lower() in (
        b"<!doctype",
        b"<html>",
    )


def url_suffix(url: str) -> str:
    """Return the suffix of the path, lower-cased and harmless, or nothing."""
    suffix = PurePosixPath(unquote(urlsplit(url).path)).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 8 else ""  # noqa: PLR2004 - longer ones are no suffixes


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
