"""The table of methods, and the small ones."""

from collections.abc import Awaitable, Callable, Mapping

from testkit.telegram import editing, polling, render, rules, sending
from testkit.telegram.fetch import OTHER_BYTES_BY_URL
from testkit.telegram.oracle import Event
from testkit.telegram.sandbox import Call, Sandbox, chat_of
from testkit.telegram.state import ChatKind
from testkit.telegram.wire import Json, bad_request, string

Method = Callable[[Sandbox, Call], Awaitable[Json]]

_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


async def get_me(_sandbox: Sandbox, call: Call) -> Json:
    """GetMe."""
    return render.bot_self(call.bot)


async def get_file(sandbox: Sandbox, call: Call) -> Json:
    """getFile: files up to 20 MB."""
    file_id = call.params.text("file_id")
    file = sandbox.world.files.find(call.bot.id, file_id)
    if file is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if file.blob.length > OTHER_BYTES_BY_URL:
        raise bad_request("file is too big")
    return {
        "file_id": file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.blob.length,
        "file_path": f"{file.kind}s/{file.blob.digest}",
    }


async def delete_message(sandbox: Sandbox, call: Call) -> Json:
    """deleteMessage: for 48 hours."""
    chat = chat_of(sandbox, call)
    message = sandbox.world.find(chat, call.params.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    theirs = message.from_user or message.bot_id != call.bot.id
    if theirs and chat.kind is not ChatKind.PRIVATE:
        raise bad_request("message can't be deleted")
    if sandbox.world.clock() - message.date > rules.DELETE_SECONDS:
        raise bad_request("message can't be deleted for everyone")
    message.deleted = True
    sandbox.oracle.record(Event.DELETED, message, method=call.method)
    return True


async def send_chat_action(sandbox: Sandbox, call: Call) -> Json:
    """SendChatAction."""
    chat = chat_of(sandbox, call)
    rules.check_thread(chat, call.params.integer("message_thread_id"))
    action = call.params.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat.action = action
    sandbox.oracle.record_chat(
        Event.ACTION, chat, bot_id=call.bot.id, method=call.method, note=action
    )
    return True


async def set_message_reaction(sandbox: Sandbox, call: Call) -> Json:
    """setMessageReaction: one emoji, or none."""
    chat = chat_of(sandbox, call)
    message = sandbox.world.find(chat, call.params.integer("message_id"))
    if message is None:
        raise bad_request("message to react not found")
    reactions = call.params.objects("reaction") or []
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    emoji = string(reactions[0].get("emoji")) if reactions else ""
    if reactions and not emoji:
        raise bad_request("REACTION_INVALID")
    if message.reaction != emoji:
        message.reaction = emoji
        sandbox.oracle.record(Event.REACTION, message, method=call.method)
    return True


async def answer_callback_query(sandbox: Sandbox, call: Call) -> Json:
    """answerCallbackQuery: of a button somebody pressed."""
    if call.params.text("callback_query_id") not in sandbox.callback_queries:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    sandbox.updates.answers[call.params.text("callback_query_id")] = call.params.text("text")
    return True


METHODS: Mapping[str, Method] = {
    "getme": get_me,
    "getfile": get_file,
    "sendmessage": sending.send_message,
    "sendrichmessage": sending.send_rich_message,
    **dict.fromkeys(sending.SENT_KINDS, sending.send_medium),
    "sendmediagroup": sending.send_media_group,
    "forwardmessage": sending.forward_message,
    "editmessagetext": editing.edit_text,
    "editmessagecaption": editing.edit_caption,
    "editmessagemedia": editing.edit_media,
    "editmessagereplymarkup": editing.edit_markup,
    "deletemessage": delete_message,
    "sendchataction": send_chat_action,
    "setmessagereaction": set_message_reaction,
    "answercallbackquery": answer_callback_query,
    **polling.METHODS,
}

# Sends and edits share one limit; the rest is free.
COUNTED = frozenset(
    name
    for name in METHODS
    if name.startswith(("send", "edit", "forward")) and name != "sendchataction"
)
