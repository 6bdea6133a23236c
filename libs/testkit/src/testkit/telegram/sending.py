"""The send* methods: every call is a new message, however alike two calls are."""

from dataclasses import dataclass
from typing import TypedDict

from testkit.telegram import render, rules, text
from testkit.telegram.fetch import UrlRefused
from testkit.telegram.media import Kind, MediaFile
from testkit.telegram.sandbox import Call, Sandbox, chat_of, first_integer
from testkit.telegram.state import Chat, Message
from testkit.telegram.text import StyledText
from testkit.telegram.wire import (
    Json,
    JsonObject,
    bad_request,
    string,
    too_many_requests,
)

SENT_KINDS = {
    "sendphoto": Kind.PHOTO,
    "sendvideo": Kind.VIDEO,
    "sendanimation": Kind.ANIMATION,
    "sendaudio": Kind.AUDIO,
    "senddocument": Kind.DOCUMENT,
    "sendvoice": Kind.VOICE,
}
_FLOOD_RETRY = 8


class _Envelope(TypedDict):
    markup: JsonObject | None
    thread_id: int | None
    reply_to: int | None
    protected: bool
    notify: bool


@dataclass(frozen=True, slots=True)
class _Item:
    kind: Kind
    source: str
    body: StyledText
    spoiler: bool


async def send_message(sandbox: Sandbox, call: Call) -> Json:
    """SendMessage."""
    chat = chat_of(sandbox, call)
    body = text.message_text(call.params)
    envelope = _envelope(sandbox, call, chat)
    message = _new(sandbox, call, chat, envelope)
    message.body = body
    sandbox.post(message, call)
    return render.message_object(message, call.bot, sandbox.world.files)


async def send_medium(sandbox: Sandbox, call: Call) -> Json:
    """sendPhoto, sendVideo, sendAnimation, sendAudio, sendDocument, sendVoice."""
    chat = chat_of(sandbox, call)
    kind = SENT_KINDS[call.method]
    body = text.caption(call.params)
    _envelope(sandbox, call, chat)
    source = call.params.text(kind)
    try:
        file = await sandbox.inbox.receive(call.bot, call.params, source=source, kind=kind)
    except UrlRefused as refused:
        raise bad_request(refused.words) from refused
    # Fetching took time: the chat may have changed meanwhile.
    chat = chat_of(sandbox, call)
    message = _new(sandbox, call, chat, _envelope(sandbox, call, chat))
    _fill(message, file=file, body=body, spoiler=call.params.flag("has_spoiler"))
    sandbox.post(message, call)
    return render.message_object(message, call.bot, sandbox.world.files)


async def send_media_group(sandbox: Sandbox, call: Call) -> Json:
    """sendMediaGroup: all files first, then item by item."""
    chat = chat_of(sandbox, call)
    items = [_item(one) for one in call.params.objects("media") or []]
    rules.check_album([item.kind for item in items])
    _envelope(sandbox, call, chat)
    # All files are fetched first; one bad file and nothing is sent.
    files = [await _received(sandbox, call, item, at) for at, item in enumerate(items, 1)]
    chat = chat_of(sandbox, call)
    envelope = _envelope(sandbox, call, chat)
    album = f"{call.bot.id}{sandbox.oracle.last_seq + 1:09d}"
    let_through = len(items) if call.album_items is None else call.album_items
    sent: list[Json] = []
    for item, file in list(zip(items, files, strict=True))[:let_through]:
        message = _new(sandbox, call, chat, envelope)
        message.album = album
        _fill(message, file=file, body=item.body, spoiler=item.spoiler)
        sandbox.post(message, call)
        sent.append(render.message_object(message, call.bot, sandbox.world.files))
    if let_through < len(items):
        reason = too_many_requests(_FLOOD_RETRY).description
        raise bad_request(_failed_item(let_through + 1, reason))
    return sent


async def forward_message(sandbox: Sandbox, call: Call) -> Json:
    """forwardMessage: a copy of what stands there now."""
    chat = chat_of(sandbox, call)
    origin = sandbox.world.reachable_chat(call.bot, call.params.integer("from_chat_id"))
    original = sandbox.world.find(origin, call.params.integer("message_id"))
    if original is None:
        raise bad_request("message to forward not found")
    if original.protected:
        raise bad_request("message has protected content and can't be forwarded")
    message = _new(sandbox, call, chat, _envelope(sandbox, call, chat))
    message.kind, message.media, message.body = original.kind, original.media, original.body
    message.spoiler, message.forwarded = original.spoiler, True
    sandbox.post(message, call)
    return render.message_object(message, call.bot, sandbox.world.files)


def _new(sandbox: Sandbox, call: Call, chat: Chat, envelope: _Envelope) -> Message:
    return Message(
        id=sandbox.world.next_message_id(chat, call.bot),
        chat=chat,
        bot_id=call.bot.id,
        date=sandbox.world.clock(),
        **envelope,
    )


def _envelope(sandbox: Sandbox, call: Call, chat: Chat) -> _Envelope:
    params = call.params
    return _Envelope(
        markup=rules.keyboard(params.object("reply_markup")),
        thread_id=rules.check_thread(chat, params.integer("message_thread_id")),
        reply_to=_reply_target(sandbox, call, chat),
        protected=params.flag("protect_content"),
        notify=not params.flag("disable_notification"),
    )


def _reply_target(sandbox: Sandbox, call: Call, chat: Chat) -> int | None:
    reply = call.params.object("reply_parameters") or {}
    target = first_integer(reply.get("message_id"), call.params.integer("reply_to_message_id"))
    if target is None:
        return None
    if sandbox.world.find(chat, target) is not None:
        return target
    lenient = reply.get("allow_sending_without_reply") is True
    if lenient or call.params.flag("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")


def _fill(message: Message, *, file: MediaFile, body: StyledText, spoiler: bool) -> None:
    message.kind, message.media, message.body = file.kind, file, body
    message.spoiler = spoiler and file.kind in (Kind.PHOTO, Kind.VIDEO, Kind.ANIMATION)


def _item(raw: JsonObject) -> _Item:
    try:
        kind = Kind(string(raw.get("type")))
    except ValueError as unknown:
        raise bad_request(rules.WRONG_ALBUM_TYPE) from unknown
    return _Item(
        kind=kind,
        source=string(raw.get("media")),
        body=text.media_caption(raw),
        spoiler=raw.get("has_spoiler") is True,
    )


async def _received(sandbox: Sandbox, call: Call, item: _Item, number: int) -> MediaFile:
    try:
        return await sandbox.inbox.receive(
            call.bot, call.params, source=item.source, kind=item.kind
        )
    except UrlRefused as refused:
        raise bad_request(_failed_item(number, refused.raw)) from refused


def _failed_item(number: int, reason: str) -> str:
    return f'failed to send message #{number} with the error message "{reason}"'
