"""Our calls as aiogram's methods: the whole desired state each time."""

from typing import Final, TypedDict

from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
    SendAnimation,
    SendAudio,
    SendDocument,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
    SendRichMessage,
    SendVideo,
    SendVoice,
    TelegramMethod,
)
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
    User,
)

from contracts.markup import Entity, Keyboard
from deliverer.domain.bodies import Body, CaptionBody, CollageBody, MediaBody, Medium, TextBody
from deliverer.domain.files import File
from deliverer.domain.posts import Place
from deliverer.domain.sniff import Shape
from deliverer.telegram import media_types, rich
from deliverer.telegram.media_types import source

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class _Where(TypedDict):
    """What every send says of its place."""

    chat_id: int
    message_thread_id: int | None
    reply_parameters: ReplyParameters | None
    protect_content: bool
    disable_notification: bool


class _Words(TypedDict):
    """What every send of a medium says below it."""

    caption: str | None
    parse_mode: None
    caption_entities: list[MessageEntity]
    reply_markup: InlineKeyboardMarkup | None


def edit(chat_id: int, message_id: int, body: Body) -> TelegramMethod[Message | bool]:
    """Make a message show this, with these buttons and no others."""
    markup = keyboard(body.buttons)
    match body:
        case TextBody():
            return EditMessageText(
                chat_id=chat_id,
                message_id=message_id,
                text=body.text,
                parse_mode=None,
                entities=entities(body.entities),
                link_preview_options=NO_PREVIEW,
                reply_markup=markup,
            )
        case CaptionBody():
            return EditMessageCaption(
                chat_id=chat_id,
                message_id=message_id,
                caption=body.caption,
                parse_mode=None,
                caption_entities=entities(body.entities),
                reply_markup=markup,
            )
        case MediaBody():
            media = media_types.input_media(body, entities(body.entities))
            return EditMessageMedia(
                chat_id=chat_id, message_id=message_id, media=media, reply_markup=markup
            )
        case CollageBody():
            return EditMessageText(
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=None,
                rich_message=rich.rich_message(body),
                reply_markup=markup,
            )


def send(place: Place, body: Body, *, silent: bool) -> TelegramMethod[Message]:
    """Post one message."""
    where, markup = _where(place, silent=silent), keyboard(body.buttons)
    match body:
        case TextBody():
            return SendMessage(
                **where,
                text=body.text,
                parse_mode=None,
                entities=entities(body.entities),
                link_preview_options=NO_PREVIEW,
                reply_markup=markup,
            )
        case MediaBody():
            return _send_medium(where, body)
        case CollageBody():
            return SendRichMessage(
                **where, rich_message=rich.rich_message(body), reply_markup=markup
            )
        case CaptionBody():
            raise ValueError("a caption stands below a medium and is no message")


def send_album(place: Place, bodies: tuple[Body, ...], *, silent: bool) -> SendMediaGroup:
    """Post several messages as one album; Telegram has no buttons for these."""
    media = [
        media_types.input_media(body, entities(body.entities))
        for body in bodies
        if isinstance(body, MediaBody)
    ]
    shown = [one for one in media if not isinstance(one, InputMediaAnimation)]
    if len(shown) != len(bodies):
        raise ValueError("an album holds pictures and films, or audio, or documents")
    return SendMediaGroup(**_where(place, silent=silent), media=list(shown))


def _send_medium(where: _Where, body: MediaBody) -> TelegramMethod[Message]:
    media = source(body.source)
    words = _Words(
        caption=body.caption or None,
        parse_mode=None,
        caption_entities=entities(body.entities),
        reply_markup=keyboard(body.buttons),
    )
    match body.shape:
        case Shape.PHOTO:
            return SendPhoto(**where, **words, photo=media)
        case Shape.VIDEO:
            return SendVideo(**where, **words, video=media, supports_streaming=True)
        case Shape.ANIMATION:
            return SendAnimation(**where, **words, animation=media)
        case Shape.AUDIO:
            return SendAudio(**where, **words, audio=media)
        case Shape.VOICE:
            return SendVoice(**where, **words, voice=media)
        case Shape.DOCUMENT:
            return SendDocument(**where, **words, document=media)


def _where(place: Place, *, silent: bool) -> _Where:
    reply = None
    if place.reply_to is not None:
        reply = ReplyParameters(message_id=place.reply_to, allow_sending_without_reply=True)
    return _Where(
        chat_id=place.chat_id,
        message_thread_id=place.thread_id,
        reply_parameters=reply,
        protect_content=place.protect,
        disable_notification=silent,
    )


def keyboard(rows: Keyboard) -> InlineKeyboardMarkup | None:
    """Render the buttons; only inline ones, because a message with others cannot be edited."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [
                InlineKeyboardButton(text=one.text, url=one.url, callback_data=one.data)
                for one in row
            ]
            for row in rows
        ]
    )


def entities(given: tuple[Entity, ...]) -> list[MessageEntity]:
    """Render formatting; markup is never read out of the words."""
    return [
        MessageEntity(
            type=one.type,
            offset=one.offset,
            length=one.length,
            url=one.url,
            language=one.language,
            custom_emoji_id=one.custom_emoji_id,
            user=None if one.user_id is None else _mentioned(one.user_id),
        )
        for one in given
    ]


def _mentioned(user_id: int) -> User:
    # Telegram looks only at the id.
    return User(id=user_id, is_bot=False, first_name="")


def upload_bytes(*bodies: Body) -> int:
    """Count the bytes that travel with a call."""
    sources = [one.source for body in bodies for one in _media(body)]
    return sum(len(one.content) for one in sources if isinstance(one, File))


def _media(body: Body) -> tuple[MediaBody | Medium, ...]:
    if isinstance(body, CollageBody):
        return body.media
    return (body,) if isinstance(body, MediaBody) else ()
