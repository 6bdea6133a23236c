"""Bots, chats and messages: what the Telegram side remembers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from testkit.telegram.media import BlobStore, FileRegistry, Kind, MediaFile
from testkit.telegram.rich import RichBody
from testkit.telegram.text import StyledText
from testkit.telegram.wire import ApiError, JsonObject, bad_request, forbidden, integer, migrated

Clock = Callable[[], float]
SUPERGROUP_BASE = -1_000_000_000_000


class ChatKind(StrEnum):
    """The kinds of chat the sandbox has."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"


class Topic(StrEnum):
    """A forum topic's state."""

    OPEN = "open"
    CLOSED = "closed"
    DELETED = "deleted"


@dataclass(slots=True)
class Bot:
    """One bot account."""

    id: int
    token: str
    last_message_id: int = 0

    @property
    def name(self) -> str:
        """The name people see."""
        return f"Bot {self.id}"

    @property
    def username(self) -> str:
        """The bot's @name."""
        return f"sandbox_{self.id}_bot"


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of a chat, as the server keeps it."""

    id: int
    chat: "Chat"
    bot_id: int  # the bot that sees this id; the author unless from_user
    date: float
    from_user: bool = False
    kind: Kind = Kind.TEXT
    body: StyledText = field(default_factory=StyledText)  # text, or caption of a medium
    media: MediaFile | None = None
    rich: RichBody | None = None
    markup: JsonObject | None = None
    album: str | None = None
    thread_id: int | None = None
    reply_to: int | None = None
    forwarded: bool = False
    protected: bool = False
    spoiler: bool = False
    notify: bool = True
    edited: float | None = None
    edits: int = 0
    deleted: bool = False
    hidden_for_user: bool = False  # deleted by the user for themself only
    reaction: str = ""
    fault: str = ""
    media_edit: int = 0  # number of the newest editMessageMedia on this message

    @property
    def editable_keyboard(self) -> bool:
        """Claim that the keyboard, if any, is inline: others forbid editing."""
        return self.markup is None or "inline_keyboard" in self.markup


@dataclass(slots=True, kw_only=True)
class Chat:
    """One chat; private chats and basic groups as one bot sees them."""

    id: int
    kind: ChatKind
    title: str
    owner: int  # the bot whose private chat or basic group this is; 0 when shared
    last_message_id: int = 0
    forum: bool = False
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    migrated_to: int | None = None
    action: str = ""
    active: float = 0.0
    forbidden: frozenset[Kind] = frozenset()  # what nobody may send here
    slow_seconds: int = 0  # slow mode: one message of a bot in so many seconds
    last_sent: dict[int, float] = field(default_factory=dict)  # by bot


class World:
    """The state of the whole sandbox."""

    def __init__(
        self, *, clock: Clock, auto_bots: bool, open_chats: bool, ids_after: int = 0
    ) -> None:
        self.clock = clock
        self.ids_after = ids_after
        self.auto_bots = auto_bots
        self.open_chats = open_chats
        self.blobs = BlobStore()
        self.files = FileRegistry()
        self.bots: dict[str, Bot] = {}
        self.chats: dict[tuple[int, int], Chat] = {}
        self._known_chats: dict[int, Chat] = {}  # templates made by hand
        self._blocked: set[tuple[int | None, int]] = set()
        self._supergroups_made = 0

    # -- bots ---------------------------------------------------------------

    def add_bot(self, token: str) -> Bot:
        """Register a token; the digits before its colon are the bot's id."""
        bot_id = integer(token.partition(":")[0])
        if bot_id is None or not token.partition(":")[2]:
            raise ValueError("a token reads <digits>:<secret>")
        return self.bots.setdefault(token, Bot(bot_id, token))

    def renew_token(self, old: str, new: str) -> None:
        """Let the bot of a token in by another, and by that one no more."""
        bot = self.bots.pop(old)
        bot.token = new
        self.bots[new] = bot

    def bot(self, token: str) -> Bot:
        """The bot of a token, or 401."""
        found = self.bots.get(token)
        if found is not None:
            return found
        if not self.auto_bots:
            raise ApiError(401, "Unauthorized")
        try:
            return self.add_bot(token)
        except ValueError as malformed:
            raise ApiError(401, "Unauthorized") from malformed

    # -- chats --------------------------------------------------------------

    def add_chat(
        self,
        chat_id: int,
        *,
        kind: ChatKind,
        title: str = "",
        topics: tuple[int, ...] | None = None,
        slow_seconds: int = 0,
    ) -> None:
        """Make a chat known; `topics` (even empty) makes it a forum."""
        self._known_chats[chat_id] = Chat(
            id=chat_id,
            kind=kind,
            title=title or _default_title(kind, chat_id),
            owner=0,
            forum=topics is not None,
            topics=dict.fromkeys(topics or (), Topic.OPEN),
            slow_seconds=slow_seconds,
        )

    def set_topic(self, chat_id: int, thread_id: int, topic: Topic) -> None:
        """Open, close or delete a topic of a forum."""
        for chat in self._template_and_views(chat_id):
            chat.topics[thread_id] = topic

    def forbid(self, chat_id: int, kinds: frozenset[Kind]) -> None:
        """Say what nobody may send to a chat; an empty set allows everything."""
        if chat_id not in self._known_chats:
            kind = next((one.kind for one in self.views_of(chat_id)), _kind_of(chat_id))
            self.add_chat(chat_id, kind=kind)
        for chat in self._template_and_views(chat_id):
            chat.forbidden = kinds

    def _template_and_views(self, chat_id: int) -> Iterator[Chat]:
        known = self._known_chats.get(chat_id)
        yield from (*([known] if known else ()), *self.views_of(chat_id))

    def new_supergroup_id(self) -> int:
        """An id no chat has."""
        self._supergroups_made += 1
        return SUPERGROUP_BASE - 1_700_000_000 - self._supergroups_made

    def chat(self, bot_id: int, chat_id: int) -> Chat:
        """Find the chat as this bot sees it; open worlds invent it on first use."""
        found = self.chats.get((bot_id, chat_id)) or self.chats.get((0, chat_id))
        if found is not None:
            return found
        known = self._known_chats.get(chat_id)
        if known is None and not self.open_chats:
            raise bad_request("chat not found")
        kind = known.kind if known else _kind_of(chat_id)
        owner = 0 if kind is ChatKind.SUPERGROUP else bot_id
        chat = Chat(
            id=chat_id,
            kind=kind,
            title=known.title if known else _default_title(kind, chat_id),
            owner=owner,
            forum=known.forum if known else False,
            topics=dict(known.topics) if known else {},
            forbidden=known.forbidden if known else frozenset(),
            slow_seconds=known.slow_seconds if known else 0,
            active=self.clock(),
        )
        self.chats[owner, chat_id] = chat
        return chat

    def views_of(self, chat_id: int, *, bot_id: int | None = None) -> Iterator[Chat]:
        """Every bot's view of one chat id."""
        for (owner, known_id), chat in self.chats.items():
            if known_id == chat_id and bot_id in (None, owner, owner or bot_id):
                yield chat

    def reachable_chat(self, bot: Bot, chat_id: int | None) -> Chat:
        """Find a chat the bot may write to, or refuse as Telegram does."""
        if chat_id is None:
            raise bad_request("chat not found")
        chat = self.chat(bot.id, chat_id)
        if chat.migrated_to is not None:
            raise migrated(chat.migrated_to)
        if self.is_blocked(bot.id, chat_id):
            raise forbidden(
                "bot was blocked by the user"
                if chat.kind is ChatKind.PRIVATE
                else f"bot was kicked from the {chat.kind} chat"
            )
        return chat

    def block(self, chat_id: int, *, bot_id: int | None = None) -> None:
        """Make every call to the chat a 403."""
        self._blocked.add((bot_id, chat_id))

    def unblock(self, chat_id: int, *, bot_id: int | None = None) -> None:
        """Take a block back."""
        for entry in [one for one in self._blocked if one[1] == chat_id]:
            if bot_id is None or entry[0] in (None, bot_id):
                self._blocked.discard(entry)

    def is_blocked(self, bot_id: int, chat_id: int) -> bool:
        """Claim that this bot may not write there."""
        return (bot_id, chat_id) in self._blocked or (None, chat_id) in self._blocked

    # -- messages -----------------------------------------------------------

    def next_message_id(self, chat: Chat, bot: Bot) -> int:
        """Count one message."""
        # Private chats and basic groups share the bot's counter; a supergroup has its own.
        if chat.kind is ChatKind.SUPERGROUP:
            chat.last_message_id += 1
            return self.ids_after + chat.last_message_id
        bot.last_message_id += 1
        return self.ids_after + bot.last_message_id

    def find(self, chat: Chat, message_id: int | None) -> Message | None:
        """A message that exists and is not deleted."""
        if message_id is None:
            return None
        message = chat.messages.get(message_id)
        return None if message is None or message.deleted else message


def _kind_of(chat_id: int) -> ChatKind:
    if chat_id > 0:
        return ChatKind.PRIVATE
    return ChatKind.SUPERGROUP if chat_id <= SUPERGROUP_BASE else ChatKind.GROUP


def _default_title(kind: ChatKind, chat_id: int) -> str:
    return f"User {chat_id}" if kind is ChatKind.PRIVATE else f"{kind.title()} {chat_id}"
