"""What to put into a message, and the ways to put it there, best first."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.deliveries import Content
from contracts.markup import Entity
from contracts.values import MediaKind
from deliverer.domain import sniff, text
from deliverer.domain.sniff import Shape

PHOTO_BYTES: Final = 10 * 2**20  # Telegram's limit for an uploaded photo
UPLOAD_BYTES: Final = 50 * 2**20  # and for every other upload
TEXT_FILE_NAME: Final = "text.txt"


class Way(StrEnum):
    """One way to make a content stand; all but the last two show the medium itself."""

    TEXT = "text"
    TEXT_FILE = "text_file"  # a text too long for a message
    FILE_ID = "file_id"
    URL = "url"
    UPLOAD = "upload"
    DOCUMENT = "document"  # upload, not shown inline
    LINK = "link"
    CAPTION = "caption"  # the message is a medium already: only its words change


@dataclass(frozen=True, slots=True)
class File:
    """Bytes to upload."""

    name: str
    content: bytes
    shape: Shape


@dataclass(frozen=True, slots=True)
class TextBody:
    text: str
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaBody:
    shape: Shape
    source: str | File  # a file_id or link, or bytes
    caption: str = ""
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class CaptionBody:
    caption: str
    entities: tuple[Entity, ...] = ()


Body = TextBody | MediaBody | CaptionBody


def first_way(content: Content, *, skip_link: bool) -> Way | None:
    """Choose where to begin; `skip_link` when Telegram is known not to take this link."""
    if content.kind is MediaKind.TEXT:
        return Way.TEXT if text.units(content.text) <= text.TEXT_LIMIT else Way.TEXT_FILE
    if content.file_id is not None:
        return Way.FILE_ID
    return way_by_url(content, skip_link=skip_link)


def way_by_url(content: Content, *, skip_link: bool) -> Way | None:
    if content.url is None:
        return None
    return Way.UPLOAD if skip_link or not _linkable(content) else Way.URL


def _linkable(content: Content) -> bool:
    suffix = sniff.url_suffix(content.url or "")
    return content.kind is not MediaKind.FILE or suffix in sniff.LINKABLE_DOCUMENTS


def needs_file(way: Way) -> bool:
    return way in (Way.UPLOAD, Way.DOCUMENT)


def body(content: Content, way: Way, file: File | None = None) -> Body:
    """Render the whole desired state; the same arguments give the same body, always."""
    caption = text.cut(content.text, text.CAPTION_LIMIT)
    entities = text.clip(content.entities, text.units(caption))
    match way:
        case Way.TEXT:
            return TextBody(content.text, content.entities)
        case Way.LINK:
            return _link(content)
        case Way.CAPTION:
            return CaptionBody(caption, entities)
        case Way.FILE_ID | Way.URL:
            source = content.file_id if way is Way.FILE_ID else content.url
            return MediaBody(sniff.SHAPE_OF[content.kind], source or "", caption, entities)
        case Way.TEXT_FILE:
            written = File(TEXT_FILE_NAME, content.text.encode(), Shape.DOCUMENT)
            return MediaBody(Shape.DOCUMENT, written)
        case Way.UPLOAD | Way.DOCUMENT:
            if file is None:
                raise ValueError(f"way {way} needs a file")
            shape = _upload_shape(file) if way is Way.UPLOAD else Shape.DOCUMENT
            return MediaBody(shape, file, caption, entities)


def _upload_shape(file: File) -> Shape:
    too_big = file.shape is Shape.PHOTO and len(file.content) > PHOTO_BYTES
    return Shape.DOCUMENT if too_big else file.shape


def _link(content: Content) -> TextBody:
    url = content.url or ""
    room = text.TEXT_LIMIT - text.units(url) - 1
    words = text.cut(content.text, room) if room > 1 else ""
    shown = f"{words}\n{url}" if words else url
    return TextBody(shown, text.clip(content.entities, text.units(words)))


def plain(content: Content) -> Content:
    """Return the same content without formatting, short enough for any message."""
    limit = text.TEXT_LIMIT if content.kind is MediaKind.TEXT else text.CAPTION_LIMIT
    return content.model_copy(update={"entities": (), "text": text.cut(content.text, limit)})
