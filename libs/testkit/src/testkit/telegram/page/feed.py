"""The oracle's answers as JSON, for the page and for /sim."""

import dataclasses
from collections.abc import Iterable

from testkit.telegram.oracle import LogEntry
from testkit.telegram.sandbox import Sandbox
from testkit.telegram.sight import ShownMessage, shown_message
from testkit.telegram.state import Chat, Message
from testkit.telegram.wire import JsonObject

PREVIEW_CHARACTERS = 120
WRITTEN_CHARACTERS = 500


def shown_json(message: ShownMessage) -> JsonObject:
    """A message as it stood."""
    found: JsonObject = dataclasses.asdict(message)
    found["kind"] = str(message.kind)
    found["entities"] = [dict(entity) for entity in message.entities]
    found["parts"] = [
        {**dataclasses.asdict(part), "written": part.written[:WRITTEN_CHARACTERS]}
        for part in message.parts
    ]
    return found


def entry_json(entry: LogEntry) -> JsonObject:
    """One log entry."""
    return {
        "seq": entry.seq,
        "at": entry.at,
        "event": str(entry.event),
        "bot_id": entry.bot_id,
        "chat_id": entry.chat_id,
        "owner": entry.owner,
        "method": entry.method,
        "message_id": entry.shown.message_id if entry.shown else None,
        "notify": entry.notify,
        "note": entry.note,
        "message": shown_json(entry.shown) if entry.shown else None,
    }


def chats_json(sandbox: Sandbox, *, search: str = "") -> list[JsonObject]:
    """Every chat, the latest active first."""
    chats = sorted(sandbox.world.chats.values(), key=lambda chat: -chat.active)
    summaries = (_summary(sandbox, chat) for chat in chats)
    return [one for one in summaries if not search or search in _haystack(one)]


def chat_json(
    sandbox: Sandbox, chat_id: int, *, bot_id: int | None, limit: int | None
) -> JsonObject | None:
    """One chat as a person would see it; two bots' private chats with one user are merged."""
    views = list(sandbox.world.views_of(chat_id, bot_id=bot_id))
    if not views:
        return None
    messages = sandbox.oracle.visible(chat_id, bot_id=bot_id)
    if limit is not None:
        messages = messages[-limit:]
    notes = [entry for chat in views for entry in sandbox.oracle.notes(chat)]
    return {
        "chat": _summary(sandbox, views[-1]),
        "messages": [shown_json(one) for one in messages],
        "notes": [entry_json(one) for one in notes[-(limit or len(notes)) :]],
        "last_seq": sandbox.oracle.last_seq,
    }


def _summary(sandbox: Sandbox, chat: Chat) -> JsonObject:
    last = _last_visible(chat.messages.values())
    return {
        "key": f"{chat.owner}:{chat.id}",
        "owner": chat.owner,
        "chat_id": chat.id,
        "kind": str(chat.kind),
        "title": chat.title,
        "active": chat.active,
        "count": len(chat.messages),
        "preview": shown_message(last).text[:PREVIEW_CHARACTERS] if last else "",
        "preview_kind": str(last.kind) if last else "",
        "blocked": sandbox.world.is_blocked(chat.owner, chat.id),
        "migrated_to": chat.migrated_to,
        "action": chat.action,
        "topics": {str(number): str(topic) for number, topic in chat.topics.items()},
        "slow_seconds": chat.slow_seconds,
        "forbidden": [str(kind) for kind in sorted(chat.forbidden)],
    }


def _last_visible(messages: Iterable[Message]) -> Message | None:
    newest_first = reversed(list(messages))
    return next((one for one in newest_first if not one.deleted and not one.hidden_for_user), None)


def _haystack(summary: JsonObject) -> str:
    return f"{summary['title']} {summary['chat_id']} {summary['preview']}".casefold()
