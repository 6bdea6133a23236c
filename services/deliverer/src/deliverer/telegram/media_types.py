"""A medium in aiogram's types."""

from aiogram.types import (
    BufferedInputFile,
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    MessageEntity,
)

from deliverer.domain.bodies import MediaBody
from deliverer.domain.files import File
from deliverer.domain.sniff import Shape

# The media an edit can put into a message; a voice note is none of them.
InputMedia = (
    InputMediaPhoto | InputMediaVideo | InputMediaAnimation | InputMediaAudio | InputMediaDocument
)


def source(given: str | File) -> str | BufferedInputFile:
    """Render a file_id, a link, or bytes."""
    return BufferedInputFile(given.content, given.name) if isinstance(given, File) else given


def input_media(body: MediaBody, entities: list[MessageEntity]) -> InputMedia:
    """Render the whole desired medium; a caption left out would be a caption removed."""
    media, caption = source(body.source), body.caption or None
    match body.shape:
        case Shape.PHOTO:
            return InputMediaPhoto(
                media=media, caption=caption, parse_mode=None, caption_entities=entities
            )
        case Shape.VIDEO:
            return InputMediaVideo(
                media=media,
                caption=caption,
                parse_mode=None,
                caption_entities=entities,
                supports_streaming=True,
            )
        case Shape.ANIMATION:
            return InputMediaAnimation(
                media=media, caption=caption, parse_mode=None, caption_entities=entities
            )
        case Shape.AUDIO | Shape.VOICE:
            return InputMediaAudio(
                media=media, caption=caption, parse_mode=None, caption_entities=entities
            )
        case Shape.DOCUMENT:
            return InputMediaDocument(
                media=media, caption=caption, parse_mode=None, caption_entities=entities
            )
