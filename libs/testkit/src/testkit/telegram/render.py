"""Messages, chats and bots as the Bot API's JSON."""

from testkit.telegram.media import FileRegistry, Kind, MediaFile
from testkit.telegram.rich import PART, RichBody
from testkit.telegram.state import Bot, Chat, ChatKind, Message
from testkit.telegram.wire import Json, JsonObject, integer, string

THUMB_SIDE, MEDIUM_SIDE = 90, 320
CLIP_SECONDS = 5


def bot_user(bot: Bot) -> JsonObject:
    """The bot as the author of a message."""
    return {"id": bot.id, "is_bot": True, "first_name": bot.name, "username": bot.username}


def bot_self(bot: Bot) -> JsonObject:
    """The bot as getMe shows it."""
    return {
        **bot_user(bot),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def chat_object(chat: Chat) -> JsonObject:
    """A chat inside a message."""
    found: JsonObject = {"id": chat.id, "type": str(chat.kind)}
    if chat.kind is ChatKind.PRIVATE:
        found["first_name"] = chat.title
    else:
        found["title"] = chat.title
    if chat.forum:
        found["is_forum"] = True
    return found


def message_object(message: Message, bot: Bot, files: FileRegistry) -> JsonObject:
    """A whole message, as this bot receives it."""
    chat = message.chat
    author: JsonObject = (
        {"id": abs(chat.id), "is_bot": False, "first_name": chat.title}
        if message.from_user
        else bot_user(bot)
    )
    found: JsonObject = {
        "message_id": message.id,
        "from": author,
        "chat": chat_object(chat),
        "date": int(message.date),
    }
    if message.edited is not None:
        found["edit_date"] = int(message.edited)
    if message.thread_id is not None:
        found["message_thread_id"] = message.thread_id
        found["is_topic_message"] = True
    if message.album is not None:
        found["media_group_id"] = message.album
    if message.protected:
        found["has_protected_content"] = True
    if message.markup is not None and message.editable_keyboard:
        found["reply_markup"] = message.markup
    if message.forwarded:
        found["forward_origin"] = _origin(message, bot)
    _add_reply(found, message, bot, files)
    _add_content(found, message, bot.id, files)
    return found


def _origin(message: Message, bot: Bot) -> JsonObject:
    return {"type": "user", "date": int(message.date), "sender_user": bot_user(bot)}


def _add_reply(found: JsonObject, message: Message, bot: Bot, files: FileRegistry) -> None:
    if message.reply_to is None:
        return
    target = message.chat.messages.get(message.reply_to)
    if target is None:
        return
    quoted = message_object(target, bot, files)
    quoted.pop("reply_to_message", None)  # Telegram nests replies one deep
    found["reply_to_message"] = quoted


def _add_content(found: JsonObject, message: Message, bot_id: int, files: FileRegistry) -> None:
    if message.rich is not None:
        found["rich_message"] = rich_object(message.rich, bot_id, files)
        return
    _add_body(found, message)
    if message.media is not None:
        found.update(media_object(message.media, bot_id, files))


def _add_body(found: JsonObject, message: Message) -> None:
    text_field, entities_field = (
        ("text", "entities") if message.kind is Kind.TEXT else ("caption", "caption_entities")
    )
    if message.body.text:
        found[text_field] = message.body.text
    if message.body.entity_objects:
        found[entities_field] = [dict(one) for one in message.body.entity_objects]
    if message.spoiler:
        found["has_media_spoiler"] = True


def media_object(file: MediaFile, bot_id: int, files: FileRegistry) -> JsonObject:
    """The message fields that carry a medium."""
    if file.kind is Kind.PHOTO:
        return {"photo": _photo_sizes(file, bot_id, files)}
    found: JsonObject = {
        "file_id": files.file_id(bot_id, file),
        "file_unique_id": file.unique_id,
        "file_size": file.blob.length,
        "mime_type": file.mime,
    }
    if file.kind is not Kind.VOICE:
        found["file_name"] = file.name
    if file.kind is not Kind.DOCUMENT:
        found["duration"] = CLIP_SECONDS
    if file.kind in (Kind.VIDEO, Kind.ANIMATION):
        found["width"], found["height"] = file.blob.size.width, file.blob.size.height
    if file.kind is Kind.ANIMATION:
        # Old clients look for animations among the documents, so the API sends both.
        return {"animation": found, "document": dict(found)}
    return {str(file.kind): found}


def _photo_sizes(file: MediaFile, bot_id: int, files: FileRegistry) -> list[Json]:
    small, medium, whole = files.photo_file_ids(bot_id, file)
    size = file.blob.size
    return [
        _photo_size(file, small, side=THUMB_SIDE),
        _photo_size(file, medium, side=MEDIUM_SIDE),
        _photo_size(file, whole, side=max(size.width, size.height)),
    ]


def _photo_size(file: MediaFile, file_id: str, *, side: int) -> JsonObject:
    size = file.blob.size
    scale = min(1.0, side / max(size.width, size.height, 1))
    return {
        "file_id": file_id,
        # Every size of a picture is a file of its own, with an id of its own.
        "file_unique_id": f"{file.unique_id}{file_id[-1]}",
        "width": max(1, round(size.width * scale)),
        "height": max(1, round(size.height * scale)),
        "file_size": max(1, round(file.blob.length * scale)),
    }


def rich_object(rich: RichBody, bot_id: int, files: FileRegistry) -> JsonObject:
    """A rich message as a bot receives it."""

    def rendered(block: JsonObject) -> JsonObject:
        found = {key: value for key, value in block.items() if key != PART}
        for name in ("blocks", "items"):
            inside = block.get(name)
            if isinstance(inside, list):
                found[name] = [rendered(one) for one in inside if isinstance(one, dict)]
        if block.get("type") == "list":
            _label(found)
        number = integer(block.get(PART))
        if number is not None:
            found |= _part_object(found, rich.files[number], bot_id, files)
        return found

    answer: JsonObject = {"blocks": [rendered(block) for block in rich.blocks]}
    return {**answer, "is_rtl": True} if rich.is_rtl else answer


def _part_object(
    block: JsonObject, file: MediaFile, bot_id: int, files: FileRegistry
) -> JsonObject:
    return {string(block.get("type")): media_object(file, bot_id, files)[str(file.kind)]}


def _label(block: JsonObject) -> None:
    items = block["items"]
    for number, item in enumerate(items if isinstance(items, list) else [], 1):
        if isinstance(item, dict):
            counted = item.get("type") is not None or item.get("value") is not None
            item["label"] = f"{item.get('value') or number}." if counted else "•"
