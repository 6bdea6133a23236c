"""The truth: an append-only log of what users saw, and questions about it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from testkit.telegram.sight import MessageKey, ShownMessage, names_a_medium, shown_message
from testkit.telegram.state import Chat, Message, World


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
    FAILED = "failed"  # a call that did not answer well; the note says how


_NOTED = frozenset(
    {
        Event.DELETED,
        Event.USER_DELETED,
        Event.BLOCKED,
        Event.UNBLOCKED,
        Event.MIGRATED,
        Event.FAILED,
    }
)


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

    def __init__(self, world: World, *, keeps_log: bool = True) -> None:
        self._world = world
        self._keeps_log = keeps_log
        self._count = 0
        self._entries: list[LogEntry] = []
        self._news = asyncio.Event()
        self._by_content: defaultdict[str, set[MessageKey]] = defaultdict(set)
        self._by_text: defaultdict[str, set[MessageKey]] = defaultdict(set)
        self._notes: defaultdict[tuple[int, int], list[LogEntry]] = defaultdict(list)
        self._histories: defaultdict[MessageKey, list[ShownMessage]] = defaultdict(list)

    # -- writing ------------------------------------------------------------

    def record(self, event: Event, message: Message, *, method: str) -> None:
        """Log what happened to a message."""
        shown = shown_message(message)
        if event in (Event.SENT, Event.EDITED):
            self._index(shown)
            if self._keeps_log:
                self._histories[shown.key].append(shown)
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
        self._count += 1
        self._news.set()
        self._news = asyncio.Event()
        if not self._keeps_log:
            return
        entry = LogEntry(
            seq=self._count,
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

    def _index(self, shown: ShownMessage) -> None:
        for content in (*shown.media, *shown.links):
            self._by_content[content].add(shown.key)
        # Words count wherever they can be read: in a message, or in a document of text.
        for words in (shown.text, *(part.written for part in shown.parts)):
            if words:
                self._by_text[words].add(shown.key)

    # -- reading ------------------------------------------------------------

    def log(self, *, after: int = 0, limit: int | None = None) -> Sequence[LogEntry]:
        """Entries with a number above `after`, oldest first."""
        start = max(after, 0)
        return self._entries[start : None if limit is None else start + limit]

    @property
    def last_seq(self) -> int:
        """Number of the newest entry."""
        return self._count

    def notes(self, chat: Chat) -> Sequence[LogEntry]:
        """What happened in a chat besides messages: deletions, blocks, failed calls."""
        return self._notes.get((chat.owner, chat.id), ())

    def history(self, key: MessageKey) -> Sequence[ShownMessage]:
        """Every state of a message, oldest first; deleting it ends the list."""
        return self._histories.get(key, ())

    def histories(self) -> Iterator[Sequence[ShownMessage]]:
        """The history of every message."""
        return iter(self._histories.values())

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
        if names_a_medium(content):
            return self._by_content.get(content, set())
        return set(self._by_piece_of_text(content)) if content else set()

    def standing(self, *, chat_id: int | None = None) -> Iterator[ShownMessage]:
        """Every message that is visible now, or those of one chat."""
        for chat in self._world.chats.values():
            if chat_id in (None, chat.id):
                for message in chat.messages.values():
                    if not message.deleted and not message.hidden_for_user:
                        yield shown_message(message)

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
