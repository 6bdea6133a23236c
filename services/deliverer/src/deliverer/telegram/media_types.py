"""A medium in aiogram's types, and the file_id Telegram gave it."""

from aiogram.types import (
    BufferedInputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    MessageEntity,
)

from deliverer.domain.bodies import File, MediaBody
from deliverer.domain.sniff import Shape

InputMedia = InputMediaPhoto | InputMediaVideo | InputMediaAudio | InputMediaDocument


def input_media(body: MediaBody, entities: list[MessageEntity]) -> InputMedia:
    """Render the whole desired medium; a caption left out would be a caption removed."""
    source = body.source
    media = BufferedInputFile(source.content, source.name) if isinstance(source, File) else source
    caption = body.caption or None
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
        case Shape.AUDIO:
            return InputMediaAudio(
                media=media, caption=caption, parse_mode=None, caption_entities=entities
            )
        case Shape.DOCUMENT:
            return InputMediaDocument(
                media=media, caption=caption, parse_mode=None, caption_entities=entities
            )


def file_id(message: Message) -> str | None:
    """Return the id under which Telegram keeps the medium of this message."""
    if message.photo:
        return message.photo[-1].file_id
    medium = message.video or message.audio or message.animation or message.document
    return medium.file_id if medium is not None else None
