"""What to put into a message, and the ways to put it there, best first."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.deliveries import Content
from contracts.markup import Entity, Keyboard
from contracts.values import MediaKind
from deliverer.domain import pictures, sniff, text
from deliverer.domain.files import File, is_voice, named, written
from deliverer.domain.sniff import Shape

PHOTO_BYTES: Final = 10 * 2**20  # Telegram's limit for an uploaded photo
UPLOAD_BYTES: Final = 50 * 2**20  # and for every other upload


class Way(StrEnum):
    """One way to make a content stand; all but the last two show the medium itself."""

    TEXT = "text"
    TEXT_FILE = "text_file"  # written from the content's own words
    FILE_ID = "file_id"
    URL = "url"
    UPLOAD = "upload"
    DOCUMENT = "document"  # upload, not shown inline
    LINK = "link"
    CAPTION = "caption"  # the message is a medium already: only its words change


@dataclass(frozen=True, slots=True)
class TextBody:
    text: str
    entities: tuple[Entity, ...] = ()
    buttons: Keyboard = ()


@dataclass(frozen=True, slots=True)
class MediaBody:
    shape: Shape
    source: str | File  # a file_id or link, or bytes
    caption: str = ""
    entities: tuple[Entity, ...] = ()
    buttons: Keyboard = ()


@dataclass(frozen=True, slots=True)
class CaptionBody:
    caption: str
    entities: tuple[Entity, ...] = ()
    buttons: Keyboard = ()


@dataclass(frozen=True, slots=True)
class Medium:
    """One medium of a collage."""

    shape: Shape
    source: str | File


@dataclass(frozen=True, slots=True)
class CollageBody:
    """One rich message that holds several media."""

    media: tuple[Medium, ...]
    caption: str = ""
    entities: tuple[Entity, ...] = ()
    buttons: Keyboard = ()


Body = TextBody | MediaBody | CaptionBody | CollageBody


def needs_file(way: Way) -> bool:
    return way in (Way.UPLOAD, Way.DOCUMENT)


def body(content: Content, way: Way, file: File | None = None) -> Body:
    """Render the whole desired state; the same arguments give the same body, always."""
    caption = text.cut(content.text, text.CAPTION_LIMIT)
    entities = text.clip(content.entities, text.units(caption))
    match way:
        case Way.TEXT:
            return TextBody(content.text, content.entities, content.buttons)
        case Way.LINK:
            return _link(content)
        case Way.CAPTION:
            return CaptionBody(caption, entities, content.buttons)
        case Way.FILE_ID:
            shape = sniff.SHAPE_OF[content.kind]
            return MediaBody(shape, content.file_id or "", caption, entities, content.buttons)
        case Way.URL:
            shape = sniff.shape_by_link(content.kind, content.url or "")
            return MediaBody(shape, content.url or "", caption, entities, content.buttons)
        case Way.TEXT_FILE | Way.UPLOAD | Way.DOCUMENT:
            return _upload(content, way, file)


def _upload(content: Content, way: Way, file: File | None) -> MediaBody:
    caption = text.cut(content.text, text.CAPTION_LIMIT)
    entities = text.clip(content.entities, text.units(caption))
    if way is Way.TEXT_FILE:
        # A text's file says it all: its beginning as a caption would only repeat it.
        if content.kind is MediaKind.TEXT:
            caption, entities = "", ()
        return MediaBody(Shape.DOCUMENT, written(content), caption, entities, content.buttons)
    if file is None:
        raise ValueError(f"way {way} needs a file")
    shape = upload_shape(content.kind, file) if way is Way.UPLOAD else Shape.DOCUMENT
    return MediaBody(shape, named(content, file), caption, entities, content.buttons)


def upload_shape(kind: MediaKind, file: File) -> Shape:
    """Choose how uploaded bytes are shown, within the limits of each kind of message."""
    match file.shape:
        case _ if kind in sniff.FILES:
            return Shape.DOCUMENT
        case Shape.PHOTO if len(file.content) > PHOTO_BYTES:
            return Shape.DOCUMENT
        case Shape.PHOTO if not pictures.can_be_a_photo(file.content):
            return Shape.DOCUMENT
        case Shape.AUDIO if kind is MediaKind.VOICE and is_voice(file):
            return Shape.VOICE
        case shape:
            return shape


def _link(content: Content) -> TextBody:
    url = content.url or ""
    room = text.TEXT_LIMIT - text.units(url) - 1
    words = text.cut(content.text, room) if room > 1 else ""
    shown = f"{words}\n{url}" if words else url
    return TextBody(shown, text.clip(content.entities, text.units(words)), content.buttons)


def plainer(content: Content, reason: str) -> Content | None:
    """Return the same content without what Telegram could not read, or None when nothing is left.

    Buttons go first when they are what the refusal speaks of, else formatting and length.
    """
    about_buttons = "button" in reason.lower() or "keyboard" in reason.lower()
    if about_buttons and content.buttons:
        return content.model_copy(update={"buttons": ()})
    limit = text.TEXT_LIMIT if content.kind is MediaKind.TEXT else text.CAPTION_LIMIT
    plain = content.model_copy(update={"entities": (), "text": text.cut(content.text, limit)})
    return None if plain == content else plain
