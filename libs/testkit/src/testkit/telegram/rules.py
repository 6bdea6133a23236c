"""What Telegram allows, and the exact words it refuses with. Pure."""

import math

from testkit.telegram.media import Kind, MediaFile
from testkit.telegram.rich import RichBody
from testkit.telegram.sniff import Size
from testkit.telegram.state import Bot, Chat, ChatKind, Message, Topic
from testkit.telegram.text import StyledText
from testkit.telegram.wire import (
    ApiError,
    Json,
    JsonObject,
    bad_request,
    string,
    too_many_requests,
)

CALLBACK_BYTES = 64
DELETE_SECONDS = 48 * 3600
PHOTO_UPLOAD_BYTES = 10 << 20
OTHER_UPLOAD_BYTES = 50 << 20
PHOTO_SIDES = 10_000
PHOTO_RATIO = 20
ALBUM_ITEMS = 10
GENERAL_TOPIC = 1

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
EDIT_NOT_FOUND = "message to edit not found"
CANNOT_EDIT = "message can't be edited"
CANNOT_EDIT_MEDIA = "message media can't be edited"
NO_TEXT = "there is no text in the message to edit"
NO_CAPTION = "there is no caption in the message to edit"
SUPERSEDED = "canceled by new edit message request"
ALBUM_TYPE_CHANGED = "can't change media type in the album"
NOT_FOR_ALBUMS = "message content type can't be used in an album"
VOICE_FORBIDDEN = "VOICE_MESSAGES_FORBIDDEN"

WORDED = frozenset({Kind.TEXT, Kind.RICH})  # kinds editMessageText turns into one another
EDITABLE_MEDIA = frozenset({Kind.PHOTO, Kind.VIDEO, Kind.ANIMATION, Kind.AUDIO, Kind.DOCUMENT})
_IN_ALBUMS = frozenset({Kind.PHOTO, Kind.VIDEO, Kind.AUDIO, Kind.DOCUMENT})
_ALONE_IN_ALBUMS = (Kind.DOCUMENT, Kind.AUDIO)  # go only with their like
_RIGHT_TO_SEND = {
    Kind.TEXT: "text messages",
    Kind.RICH: "text messages",
    Kind.PHOTO: "photos",
    Kind.VIDEO: "videos",
    Kind.ANIMATION: "animations",
    Kind.AUDIO: "music",
    Kind.DOCUMENT: "documents",
    Kind.VOICE: "voice notes",
}


def check_editable(message: Message | None, bot: Bot) -> Message:
    """Refuse what no edit may touch."""
    if message is None:
        raise bad_request(EDIT_NOT_FOUND)
    if message.bot_id != bot.id or message.from_user or message.forwarded:
        raise bad_request(CANNOT_EDIT)
    if not message.editable_keyboard:
        raise bad_request(CANNOT_EDIT)
    return message


def check_text_edit(message: Message, *, body: StyledText, markup: JsonObject | None) -> None:
    """Only text and rich messages become text; equal content is refused."""
    check_worded(message)
    if (message.kind, message.body, message.markup) == (Kind.TEXT, body, markup):
        raise bad_request(NOT_MODIFIED)


def check_worded(message: Message) -> None:
    """A medium never becomes text again."""
    if message.kind not in WORDED:
        raise bad_request(NO_TEXT)


def check_rich_differs(message: Message, *, rich: RichBody, markup: JsonObject | None) -> None:
    """Refuse the same blocks with the same files."""
    if message.rich == rich and message.markup == markup:
        raise bad_request(NOT_MODIFIED)


def check_caption_edit(message: Message, *, body: StyledText, markup: JsonObject | None) -> None:
    """Only media have captions; equal content is refused."""
    if message.kind in WORDED:
        raise bad_request(NO_CAPTION)
    if message.body == body and message.markup == markup:
        raise bad_request(NOT_MODIFIED)


def check_media_edit(message: Message, new_kind: Kind) -> None:
    """Text and most media may become a medium; an album keeps its family."""
    if message.kind not in WORDED | EDITABLE_MEDIA:
        raise bad_request(CANNOT_EDIT_MEDIA)
    if message.album is None or message.kind is new_kind:
        return
    if new_kind not in _IN_ALBUMS:
        raise bad_request(NOT_FOR_ALBUMS)
    if message.kind in _ALONE_IN_ALBUMS or new_kind in _ALONE_IN_ALBUMS:
        raise bad_request(ALBUM_TYPE_CHANGED)


def check_media_differs(
    message: Message, *, file: MediaFile, body: StyledText, markup: JsonObject | None, spoiler: bool
) -> None:
    """Refuse the same file with the same words."""
    same_file = message.media is not None and message.media.identity == file.identity
    if same_file and (message.body, message.markup, message.spoiler) == (body, markup, spoiler):
        raise bad_request(NOT_MODIFIED)


def album_kind(name: str) -> Kind:
    """Read an album item's type, or refuse it."""
    kind = next((one for one in _IN_ALBUMS if one == name), None)
    if kind is not None:
        return kind
    why = {"animation": "can't be used in sendMediaGroup", "voice_note": "is not allowed"}
    raise bad_request(f'can\'t parse InputMedia: type "{name}" {why.get(name, "is unsupported")}')


def check_album(kinds: list[Kind]) -> None:
    """Refuse albums that are empty, too long or mixed; a single item is sent outside an album."""
    if not kinds:
        raise bad_request("there are no messages to send")
    if len(kinds) > ALBUM_ITEMS:
        raise bad_request("too many messages to send as an album")
    alone = next((kind for kind in kinds if kind in _ALONE_IN_ALBUMS), None)
    if alone is not None and len(set(kinds)) > 1:
        raise bad_request(f"{alone} can't be mixed with other media types")


def check_right(chat: Chat, kind: Kind) -> None:
    """Refuse what nobody may send to this chat."""
    if kind not in chat.forbidden:
        return
    if kind is Kind.VOICE and chat.kind is ChatKind.PRIVATE:
        raise bad_request(VOICE_FORBIDDEN)
    raise bad_request(f"not enough rights to send {_RIGHT_TO_SEND[kind]} to the chat")


def check_slow_mode(chat: Chat, bot: Bot, *, now: float) -> None:
    """Refuse a message that comes too soon after the bot's last one."""
    last = chat.last_sent.get(bot.id)
    if last is not None and now < last + chat.slow_seconds:
        raise too_many_requests(max(1, math.ceil(last + chat.slow_seconds - now)))


def check_thread(chat: Chat, thread_id: int | None) -> int | None:
    """Refuse topics that do not exist or are closed."""
    if thread_id is None:
        return None
    topic = chat.topics.get(thread_id)
    if not chat.forum or topic is None or thread_id == GENERAL_TOPIC:
        raise bad_request("message thread not found")
    if topic is not Topic.OPEN:
        raise bad_request(f"TOPIC_{topic.upper()}")
    return thread_id


def check_upload(kind: Kind, content: bytes) -> None:
    """Refuse empty and oversized files."""
    if not content:
        raise bad_request("file must be non-empty")
    limit = PHOTO_UPLOAD_BYTES if kind is Kind.PHOTO else OTHER_UPLOAD_BYTES
    if len(content) > limit:
        raise ApiError(413, "Request Entity Too Large")


def check_picture(size: Size | None) -> None:
    """Refuse what cannot become a photo; any file can still be sent as a document."""
    if size is None or 0 in (size.width, size.height):
        raise bad_request("IMAGE_PROCESS_FAILED")
    longer, shorter = max(size.width, size.height), min(size.width, size.height)
    if size.width + size.height > PHOTO_SIDES or longer > shorter * PHOTO_RATIO:
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def keyboard(raw: JsonObject | None) -> JsonObject | None:
    """Check and normalise a reply_markup."""
    if raw is None:
        return None
    if "inline_keyboard" not in raw:
        return raw
    rows = raw["inline_keyboard"]
    if not isinstance(rows, list):
        raise bad_request("can't parse inline keyboard: expected an Array")
    kept: list[Json] = []
    for row in rows:
        if not isinstance(row, list):
            raise bad_request("can't parse inline keyboard row: expected an Array")
        if row:
            kept.append([_button(one) for one in row])
    # An empty keyboard removes the keyboard.
    return {"inline_keyboard": kept} if kept else None


def _button(raw: Json) -> Json:
    if not isinstance(raw, dict):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    button: dict[str, Json] = {key: value for key, value in raw.items() if value is not None}
    if not string(button.get("text")).strip():
        raise bad_request("can't parse inline keyboard button: text is empty")
    if "callback_data" in button:
        length = len(string(button["callback_data"]).encode())
        if not 1 <= length <= CALLBACK_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    elif "url" in button:
        if not string(button["url"]).startswith(("http://", "https://", "tg://")):
            raise bad_request("BUTTON_URL_INVALID")
    elif len(button) == 1:
        raise bad_request(
            "can't parse inline keyboard button: text buttons are unallowed in the inline keyboard"
        )
    return button
