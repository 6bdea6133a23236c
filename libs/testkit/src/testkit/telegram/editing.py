"""The edit* methods: the one repeatable effect, and every rule that makes it so."""

from testkit.telegram import render, rules, text
from testkit.telegram.fetch import UrlRefused
from testkit.telegram.media import Kind
from testkit.telegram.rich import read_draft
from testkit.telegram.sandbox import Call, Sandbox, chat_of
from testkit.telegram.sending import enrich
from testkit.telegram.state import Message
from testkit.telegram.wire import Json, JsonObject, bad_request, string


async def edit_text(sandbox: Sandbox, call: Call) -> Json:
    """editMessageText: text and rich messages become one another."""
    draft = call.params.object("rich_message")
    if draft is not None:
        return await _edit_rich(sandbox, call, draft)
    message = _target(sandbox, call)
    markup = _markup(call)
    body = text.message_text(call.params)
    rules.check_text_edit(message, body=body, markup=markup)
    message.kind, message.rich = Kind.TEXT, None
    message.body, message.markup = body, markup
    return _amended(sandbox, call, message)


async def _edit_rich(sandbox: Sandbox, call: Call, raw: JsonObject) -> Json:
    if call.params.text("text"):
        raise bad_request("message text and rich message can't be specified simultaneously")
    message = _target(sandbox, call)
    markup = _markup(call)
    rules.check_worded(message)
    draft = read_draft(raw)
    message.media_edit += 1
    number = message.media_edit
    try:
        rich = await sandbox.inbox.receive_rich(call.bot, call.params, draft)
    except UrlRefused as refused:
        raise bad_request(refused.words) from refused
    if message.media_edit != number:
        raise bad_request(rules.SUPERSEDED)
    message = _target(sandbox, call)
    rules.check_worded(message)
    rules.check_rich_differs(message, rich=rich, markup=markup)
    enrich(message, rich)
    message.markup = markup
    return _amended(sandbox, call, message)


async def edit_caption(sandbox: Sandbox, call: Call) -> Json:
    """editMessageCaption: of any medium."""
    message = _target(sandbox, call)
    markup = _markup(call)
    body = text.caption(call.params)
    rules.check_caption_edit(message, body=body, markup=markup)
    message.body, message.markup = body, markup
    return _amended(sandbox, call, message)


async def edit_markup(sandbox: Sandbox, call: Call) -> Json:
    """EditMessageReplyMarkup."""
    message = _target(sandbox, call)
    markup = _markup(call)
    if message.markup == markup:
        raise bad_request(rules.NOT_MODIFIED)
    message.markup = markup
    return _amended(sandbox, call, message)


async def edit_media(sandbox: Sandbox, call: Call) -> Json:
    """editMessageMedia: text or medium becomes a medium; the newest of two wins."""
    message = _target(sandbox, call)
    markup = _markup(call)
    wanted = call.params.object("media") or {}
    kind = _new_kind(wanted)
    rules.check_media_edit(message, kind)
    body = text.media_caption(wanted)
    message.media_edit += 1
    number = message.media_edit
    try:
        file = await sandbox.inbox.receive(
            call.bot, call.params, source=string(wanted.get("media")), kind=kind
        )
    except UrlRefused as refused:
        raise bad_request(refused.words) from refused
    if message.media_edit != number:
        raise bad_request(rules.SUPERSEDED)
    message = _target(sandbox, call)
    rules.check_media_edit(message, file.kind)
    spoiler = wanted.get("has_spoiler") is True
    rules.check_media_differs(message, file=file, body=body, markup=markup, spoiler=spoiler)
    message.kind, message.media, message.body = file.kind, file, body
    message.rich = None
    message.markup, message.spoiler = markup, spoiler
    return _amended(sandbox, call, message)


def _target(sandbox: Sandbox, call: Call) -> Message:
    if call.params.text("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    chat = chat_of(sandbox, call)
    message_id = call.params.integer("message_id")
    if message_id is None:
        raise bad_request("message identifier is not specified")
    return rules.check_editable(sandbox.world.find(chat, message_id), call.bot)


def _markup(call: Call) -> JsonObject | None:
    markup = rules.keyboard(call.params.object("reply_markup"))
    if markup is not None and "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    return markup


def _new_kind(wanted: JsonObject) -> Kind:
    kind = next((one for one in rules.EDITABLE_MEDIA if one == wanted.get("type")), None)
    if kind is None:
        raise bad_request("can't parse InputMedia: type must be one of the media types")
    return kind


def _amended(sandbox: Sandbox, call: Call, message: Message) -> Json:
    sandbox.amend(message, call)
    return render.message_object(message, call.bot, sandbox.world.files)
