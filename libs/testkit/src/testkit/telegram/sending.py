"""The send* methods: every call is a new message, however alike two calls are."""

from dataclasses import dataclass
from typing import TypedDict

from testkit.telegram import render, rules, text
from testkit.telegram.fetch import UrlRefused
from testkit.telegram.media import Kind, MediaFile
from testkit.telegram.rich import RichBody, read_draft
from testkit.telegram.sandbox import Call, Sandbox, chat_of, first_integer
from testkit.telegram.state import Chat, Message
from testkit.telegram.text import StyledText
from testkit.telegram.wire import (
    Json,
    JsonObject,
    bad_request,
    string,
)

SENT_KINDS = {
    "sendphoto": Kind.PHOTO,
    "sendvideo": Kind.VIDEO,
    "sendanimation": Kind.ANIMATION,
    "sendaudio": Kind.AUDIO,
    "senddocument": Kind.DOCUMENT,
    "sendvoice": Kind.VOICE,
}


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
    envelope = _envelope(sandbox, call, chat, Kind.TEXT)
    message = _new(sandbox, call, chat, envelope)
    message.body = body
    return _posted(sandbox, call, message)


async def send_rich_message(sandbox: Sandbox, call: Call) -> Json:
    """sendRichMessage: blocks of text and media in one message."""
    chat = chat_of(sandbox, call)
    draft = read_draft(call.params.object("rich_message") or {})
    _envelope(sandbox, call, chat, Kind.RICH)
    try:
        rich = await sandbox.inbox.receive_rich(call.bot, call.params, draft)
    except UrlRefused as refused:
        raise bad_request(refused.words) from refused
    chat = chat_of(sandbox, call)
    message = _new(sandbox, call, chat, _envelope(sandbox, call, chat, Kind.RICH))
    enrich(message, rich)
    return _posted(sandbox, call, message)


async def send_medium(sandbox: Sandbox, call: Call) -> Json:
    """sendPhoto, sendVideo, sendAnimation, sendAudio, sendDocument, sendVoice."""
    chat = chat_of(sandbox, call)
    kind = SENT_KINDS[call.method]
    body = text.caption(call.params)
    _envelope(sandbox, call, chat, kind)
    source = call.params.text(kind)
    try:
        file = await sandbox.inbox.receive(call.bot, call.params, source=source, kind=kind)
    except UrlRefused as refused:
        raise bad_request(refused.words) from refused
    # Fetching took time: the chat may have changed meanwhile.
    chat = chat_of(sandbox, call)
    message = _new(sandbox, call, chat, _envelope(sandbox, call, chat, kind))
    _fill(message, file=file, body=body, spoiler=call.params.flag("has_spoiler"))
    return _posted(sandbox, call, message)


async def send_media_group(sandbox: Sandbox, call: Call) -> Json:
    """sendMediaGroup: all files first, then item by item."""
    chat = chat_of(sandbox, call)
    items = [_item(one) for one in call.params.objects("media") or []]
    kinds = [item.kind for item in items]
    rules.check_album(kinds)
    _envelope(sandbox, call, chat, *kinds)
    # All files are fetched first; one bad file and nothing is sent.
    files = [await _received(sandbox, call, item, at) for at, item in enumerate(items, 1)]
    chat = chat_of(sandbox, call)
    envelope = _envelope(sandbox, call, chat, *kinds)
    envelope["markup"] = None  # an album has no buttons; the real server does not read them either
    album = f"{call.bot.id}{sandbox.oracle.last_seq + 1:09d}" if len(items) > 1 else None
    cut = call.album_cut
    let_through = list(zip(items, files, strict=True))[: None if cut is None else cut.items]
    sent: list[Json] = []
    for item, file in let_through:
        message = _new(sandbox, call, chat, envelope)
        message.album = album
        _fill(message, file=file, body=item.body, spoiler=item.spoiler)
        sent.append(_posted(sandbox, call, message))
    if cut is not None:
        raise bad_request(_failed_item(min(cut.items + 1, len(items)), cut.reason))
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
    message = _new(sandbox, call, chat, _envelope(sandbox, call, chat, original.kind))
    message.kind, message.media, message.body = original.kind, original.media, original.body
    message.rich, message.spoiler, message.forwarded = original.rich, original.spoiler, True
    return _posted(sandbox, call, message)


def enrich(message: Message, rich: RichBody) -> None:
    """Make the message a rich one."""
    message.kind, message.rich, message.media = Kind.RICH, rich, None
    message.body, message.spoiler = StyledText(rich.text), False


def _posted(sandbox: Sandbox, call: Call, message: Message) -> Json:
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


def _envelope(sandbox: Sandbox, call: Call, chat: Chat, *kinds: Kind) -> _Envelope:
    params = call.params
    for kind in kinds:
        rules.check_right(chat, kind)
    rules.check_slow_mode(chat, call.bot, now=sandbox.world.clock())
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
    return _Item(
        kind=rules.album_kind(string(raw.get("type"))),
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
