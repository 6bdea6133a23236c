"""The truth: an append-only log of what users saw, and questions about it."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from testkit.telegram.media import Kind
from testkit.telegram.state import Chat, Message, World
from testkit.telegram.wire import JsonObject, string

_LINK = re.compile(r"https?://[^\s<>\"]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
MessageKey = tuple[int, int, int]  # owner (0 in shared chats), chat, message


class Event(StrEnum):
    """What can happen in a chat."""

    SENT = "sent"
    EDITED = "edited"
    DELETED = "deleted"
    USER_DELETED = "user_deleted"
    USER_SAID = "user_said"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    MIGRATED = "migrated"
    ACTION = "action"
    REACTION = "reaction"


_NOTED = frozenset(
    {Event.DELETED, Event.USER_DELETED, Event.BLOCKED, Event.UNBLOCKED, Event.MIGRATED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A message as it stood in a chat at one moment."""

    owner: int
    bot_id: int
    chat_id: int
    message_id: int
    kind: Kind
    text: str  # the text, or the caption of a medium
    digest: str | None  # sha256 of the medium's bytes
    url: str | None
    sent_at: float
    edited_at: float | None
    edits: int
    notify: bool
    from_user: bool
    album: str | None
    thread_id: int | None
    reply_to: int | None
    markup: JsonObject | None
    entities: tuple[JsonObject, ...]
    file_name: str | None
    mime: str | None
    width: int | None
    height: int | None
    reaction: str
    fault: str  # the fault the last commit went through, if any

    @property
    def key(self) -> MessageKey:
        """Owner, chat and message id: one message, ever."""
        return (self.owner, self.chat_id, self.message_id)

    def contains(self, content: str) -> bool:
        """Claim that this message shows the medium (by digest or URL) or the text."""
        if content in (self.digest, self.url) or content in self.links:
            return True
        return bool(content) and not _names_a_medium(content) and content in self.text

    @property
    def links(self) -> list[str]:
        """URLs a user can open from the text, written out or behind words."""
        behind = [string(entity.get("url")) for entity in self.entities if "url" in entity]
        return [*_LINK.findall(self.text), *behind] if behind or "http" in self.text else []


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that happened, with the message as it stood then."""

    seq: int
    at: float
    event: Event
    bot_id: int
    chat_id: int
    owner: int
    method: str
    shown: ShownMessage | None
    note: str = ""

    @property
    def notify(self) -> bool:
        """Claim that a phone rang."""
        return self.event is Event.SENT and self.shown is not None and self.shown.notify


class Oracle:
    """Sees every commit; answers what stands where now, and what ever stood."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._entries: list[LogEntry] = []
        self._news = asyncio.Event()
        self._by_content: defaultdict[str, set[MessageKey]] = defaultdict(set)
        self._by_text: defaultdict[str, set[MessageKey]] = defaultdict(set)
        self._notes: defaultdict[tuple[int, int], list[LogEntry]] = defaultdict(list)

    # -- writing ------------------------------------------------------------

    def record(self, event: Event, message: Message, *, method: str) -> None:
        """Log what happened to a message."""
        shown = shown_message(message)
        if event in (Event.SENT, Event.EDITED):
            self._index(shown)
        self._append(event, message.chat, bot_id=message.bot_id, method=method, shown=shown)

    def record_chat(
        self, event: Event, chat: Chat, *, bot_id: int, method: str, note: str = ""
    ) -> None:
        """Log what happened to a chat."""
        self._append(event, chat, bot_id=bot_id, method=method, shown=None, note=note)

    def _append(  # one row of the log has this many columns
        self,
        event: Event,
        chat: Chat,
        *,
        bot_id: int,
        method: str,
        shown: ShownMessage | None,
        note: str = "",
    ) -> None:
        now = self._world.clock()
        chat.active = now
        entry = LogEntry(
            seq=len(self._entries) + 1,
            at=now,
            event=event,
            bot_id=bot_id,
            chat_id=chat.id,
            owner=chat.owner,
            method=method,
            shown=shown,
            note=note,
        )
        self._entries.append(entry)
        if event in _NOTED:
            self._notes[chat.owner, chat.id].append(entry)
        self._news.set()
        self._news = asyncio.Event()

    def _index(self, shown: ShownMessage) -> None:
        for content in (shown.digest, shown.url, *shown.links):
            if content:
                self._by_content[content].add(shown.key)
        if shown.text:
            self._by_text[shown.text].add(shown.key)

    # -- reading ------------------------------------------------------------

    def log(self, *, after: int = 0, limit: int | None = None) -> Sequence[LogEntry]:
        """Entries with a number above `after`, oldest first."""
        start = max(after, 0)
        return self._entries[start : None if limit is None else start + limit]

    @property
    def last_seq(self) -> int:
        """Number of the newest entry."""
        return len(self._entries)

    def notes(self, chat: Chat) -> Sequence[LogEntry]:
        """What happened in a chat besides messages: deletions, blocks, migrations."""
        return self._notes.get((chat.owner, chat.id), ())

    async def news(self) -> None:
        """Wait for the next entry."""
        await self._news.wait()

    def visible(self, chat_id: int, *, bot_id: int | None = None) -> list[ShownMessage]:
        """What stands in the chat now, oldest first; what the user deleted is gone."""
        found = [
            shown_message(message)
            for chat in self._world.views_of(chat_id, bot_id=bot_id)
            for message in chat.messages.values()
            if not message.deleted and not message.hidden_for_user
        ]
        return sorted(found, key=lambda one: (one.sent_at, one.message_id))

    def shown(self, content: str) -> list[tuple[int, ShownMessage]]:
        """Where the content (digest, URL, or piece of text) is visible now: (chat, message)."""
        standing = (self._standing(key) for key in sorted(self._ever(content)))
        return [(one.chat_id, one) for one in standing if one and one.contains(content)]

    def ever_shown_count(self, content: str) -> int:
        """In how many distinct messages the content has ever stood."""
        return len(self._ever(content))

    def ever_shown(self, content: str) -> list[MessageKey]:
        """Every message the content has ever stood in."""
        return sorted(self._ever(content))

    def _ever(self, content: str) -> set[MessageKey]:
        if _names_a_medium(content):
            return self._by_content.get(content, set())
        return set(self._by_piece_of_text(content)) if content else set()

    def _by_piece_of_text(self, piece: str) -> Iterator[MessageKey]:
        for text, keys in self._by_text.items():
            if piece in text:
                yield from keys

    def _standing(self, key: MessageKey) -> ShownMessage | None:
        owner, chat_id, message_id = key
        chat = self._world.chats.get((owner, chat_id))
        message = chat.messages.get(message_id) if chat else None
        if message is None or message.deleted or message.hidden_for_user:
            return None
        return shown_message(message)


def _names_a_medium(content: str) -> bool:
    # Digests and URLs are looked up, so that asking for thousands of them stays cheap.
    return content.startswith(("http://", "https://")) or bool(_DIGEST.fullmatch(content))


def shown_message(message: Message) -> ShownMessage:
    """A message as it stands now."""
    media = message.media
    return ShownMessage(
        owner=message.chat.owner,
        bot_id=message.bot_id,
        chat_id=message.chat.id,
        message_id=message.id,
        kind=message.kind,
        text=message.body.text,
        digest=media.blob.digest if media else None,
        url=media.source_url if media else None,
        sent_at=message.date,
        edited_at=message.edited,
        edits=message.edits,
        notify=message.notify,
        from_user=message.from_user,
        album=message.album,
        thread_id=message.thread_id,
        reply_to=message.reply_to,
        markup=message.markup,
        entities=message.body.entity_objects,
        file_name=media.name if media else None,
        mime=media.blob.mime if media else None,
        width=media.blob.size.width if media else None,
        height=media.blob.size.height if media else None,
        reaction=message.reaction,
        fault=message.fault,
    )
