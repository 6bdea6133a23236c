"""One sandbox Telegram: its world, its oracle, its files, and what its people do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from testkit.telegram.fetch import UrlFetcher
from testkit.telegram.inbox import Inbox
from testkit.telegram.oracle import Event, Oracle
from testkit.telegram.state import Bot, Chat, ChatKind, Message, Topic, World
from testkit.telegram.text import StyledText
from testkit.telegram.updates import Updates
from testkit.telegram.wire import Params, integer, string


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumCut:
    """An album that gets only so far: items committed, and why the next one failed."""

    items: int
    reason: str


class Call:
    """One call of a method by a bot."""

    __slots__ = ("album_cut", "bot", "fault", "method", "params")

    def __init__(self, bot: Bot, method: str, params: Params) -> None:
        self.bot = bot
        self.method = method
        self.params = params
        self.fault = ""
        self.album_cut: AlbumCut | None = None

    @property
    def chat_id(self) -> int | None:
        """The chat the call is about, if any."""
        return self.params.integer("chat_id")


class Sandbox:
    """Everything a method may touch."""

    def __init__(self, world: World, fetcher: UrlFetcher, *, keeps_log: bool = True) -> None:
        self.world = world
        self.oracle = Oracle(world, keeps_log=keeps_log)
        self.inbox = Inbox(world, fetcher)
        self.callback_queries: set[str] = set()
        self.updates = Updates(ids_after=world.ids_after)

    def post(self, message: Message, call: Call) -> None:
        """Put a new message into its chat: from here on the user sees it."""
        message.fault = call.fault
        message.chat.messages[message.id] = message
        message.chat.action = ""
        message.chat.last_sent[message.bot_id] = message.date
        self.oracle.record(Event.SENT, message, method=call.method)

    def amend(self, message: Message, call: Call) -> None:
        """Log an edit that has just been applied."""
        message.edited = self.world.clock()
        message.edits += 1
        message.fault = call.fault
        self.oracle.record(Event.EDITED, message, method=call.method)

    def failed(self, call: Call, note: str) -> None:
        """Log a call that did not simply succeed, in the chat it was about."""
        if call.chat_id is None:
            return
        for owner in (call.bot.id, 0):
            chat = self.world.chats.get((owner, call.chat_id))
            if chat is not None:
                self.oracle.record_chat(
                    Event.FAILED, chat, bot_id=call.bot.id, method=call.method, note=note
                )

    # -- what people do -----------------------------------------------------

    def block(self, chat_id: int, *, bot_id: int | None = None) -> None:
        """Block the bot as the user; without `bot_id`, every bot."""
        self.world.block(chat_id, bot_id=bot_id)
        self._note(Event.BLOCKED, chat_id, bot_id=bot_id)
        self.updates.membership(self.world, chat_id, bot_id=bot_id, is_back=False)

    def unblock(self, chat_id: int, *, bot_id: int | None = None) -> None:
        """Take a block back."""
        self.world.unblock(chat_id, bot_id=bot_id)
        self._note(Event.UNBLOCKED, chat_id, bot_id=bot_id)
        self.updates.membership(self.world, chat_id, bot_id=bot_id, is_back=True)

    def migrate(self, chat_id: int) -> int:
        """Turn a basic group into a supergroup; return the new chat id."""
        views = [chat for chat in self.world.views_of(chat_id) if chat.kind is ChatKind.GROUP]
        if not views:
            raise LookupError(f"no basic group {chat_id}")
        moved = next((one.migrated_to for one in views if one.migrated_to is not None), None)
        if moved is not None:
            return moved
        new_id = self.world.new_supergroup_id()
        self.world.add_chat(new_id, kind=ChatKind.SUPERGROUP, title=views[0].title)
        for chat in views:
            chat.migrated_to = new_id
        self._note(Event.MIGRATED, chat_id, note=str(new_id))
        return new_id

    def delete_topic(self, chat_id: int, thread_id: int) -> None:
        """Delete a topic of a forum, and with it what stands in it."""
        self.world.set_topic(chat_id, thread_id, Topic.DELETED)
        for chat in self.world.views_of(chat_id):
            for message in chat.messages.values():
                if message.thread_id == thread_id and not message.deleted:
                    message.deleted = True
                    self.oracle.record(Event.USER_DELETED, message, method="user")

    def delete_message(
        self, chat_id: int, message_id: int, *, bot_id: int | None = None, one_sided: bool = False
    ) -> bool:
        """Delete as a user: for both sides, or only for themself."""
        for chat in self.world.views_of(chat_id, bot_id=bot_id):
            message = self.world.find(chat, message_id)
            if message is not None:
                message.hidden_for_user = True
                message.deleted = not one_sided
                self.oracle.record(Event.USER_DELETED, message, method="user")
                return True
        return False

    def say(self, bot: Bot, chat_id: int, text: str, *, thread_id: int | None = None) -> int:
        """Write as the user; return the message id (it moves the bot's counter)."""
        chat = self.world.chat(bot.id, chat_id)
        message = Message(
            id=self.world.next_message_id(chat, bot),
            chat=chat,
            bot_id=bot.id,
            date=self.world.clock(),
            from_user=True,
            body=StyledText(text),
            thread_id=thread_id,
            notify=False,
        )
        chat.messages[message.id] = message
        self.oracle.record(Event.USER_SAID, message, method="user")
        self.updates.said(bot, message, self.world.files)
        return message.id

    def press(self, chat_id: int, message_id: int, data: str) -> str:
        """Press an inline button; return the callback query id the bot must answer."""
        for chat in self.world.views_of(chat_id):
            message = self.world.find(chat, message_id)
            if message is not None and data in callback_data_of(message):
                query = f"{len(self.callback_queries) + 1}{message.bot_id}"
                self.callback_queries.add(query)
                self.updates.pressed(self.world, message, query=query, data=data)
                return query
        raise LookupError("no such button")

    async def until(self, fact: Callable[[], bool], *, seconds: float) -> None:
        """Wait until the fact holds, looking again after every commit."""
        async with asyncio.timeout(seconds):
            while not fact():
                await self.oracle.news()

    def _note(
        self, event: Event, chat_id: int, *, bot_id: int | None = None, note: str = ""
    ) -> None:
        for chat in list(self.world.views_of(chat_id, bot_id=bot_id)):
            self.oracle.record_chat(
                event, chat, bot_id=bot_id or chat.owner, method="user", note=note
            )


def callback_data_of(message: Message) -> list[str]:
    """The data behind the inline buttons of a message."""
    rows = (message.markup or {}).get("inline_keyboard")
    buttons = [
        button
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, list)
        for button in row
        if isinstance(button, dict)
    ]
    return [string(one["callback_data"]) for one in buttons if "callback_data" in one]


def first_integer(*values: object) -> int | None:
    """Read the first of several spellings that is a number."""
    for value in values:
        found = integer(value) if isinstance(value, int | str) else None
        if found is not None:
            return found
    return None


def chat_of(sandbox: Sandbox, call: Call) -> Chat:
    """The call's chat, if the bot may write there."""
    return sandbox.world.reachable_chat(call.bot, call.chat_id)
