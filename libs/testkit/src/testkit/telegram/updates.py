"""What users do, told to their bot: getUpdates with its queue, its offset and its one reader."""

import asyncio
from collections import defaultdict, deque
from itertools import count

from testkit.telegram import render
from testkit.telegram.media import FileRegistry
from testkit.telegram.state import Bot, Chat, ChatKind, Message, World
from testkit.telegram.wire import ApiError, Json, JsonObject, Params, string

LARGEST_PAGE = 100
LONGEST_POLL = 50  # s, as Telegram cuts it
KEPT = 10_000  # per bot; most bots of a test never ask
LANGUAGE = "en"


class Updates:
    """The updates of every bot, kept until the bot confirms them with an offset."""

    def __init__(self, *, ids_after: int = 0) -> None:
        self.answers: dict[str, str] = {}  # callback query id → what its user was told
        self._waiting: defaultdict[int, deque[JsonObject]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._numbers = count(ids_after + 1)
        self._news = asyncio.Event()
        self._readers: dict[int, object] = {}

    def said(self, bot: Bot, message: Message, files: FileRegistry) -> None:
        """A user wrote a message."""
        self._tell(bot.id, "message", _spoken(render.message_object(message, bot, files)))

    def pressed(self, world: World, message: Message, *, query: str, data: str) -> None:
        """A user pressed a button under a message."""
        bot = _owner(world, message.bot_id)
        told: JsonObject = {
            "id": query,
            "from": _person(message.chat),
            "chat_instance": str(message.chat.id),
            "message": render.message_object(message, bot, world.files),
            "data": data,
        }
        self._tell(bot.id, "callback_query", told)

    def membership(self, world: World, chat_id: int, *, bot_id: int | None, is_back: bool) -> None:
        """A user blocked the bot in their private chat, or took it back."""
        for chat in world.views_of(chat_id, bot_id=bot_id):
            if chat.kind is not ChatKind.PRIVATE:
                continue
            bot = _owner(world, chat.owner)
            member: JsonObject = {"user": render.bot_user(bot), "status": "member"}
            gone: JsonObject = {"user": render.bot_user(bot), "status": "kicked", "until_date": 0}
            told: JsonObject = {
                "chat": render.chat_object(chat),
                "from": _person(chat),
                "date": int(world.clock()),
                "old_chat_member": gone if is_back else member,
                "new_chat_member": member if is_back else gone,
            }
            self._tell(bot.id, "my_chat_member", told)

    async def read(self, bot: Bot, params: Params) -> Json:
        """Answer getUpdates: forget what the offset confirms, then wait for news as long as asked."""
        reader = self._readers[bot.id] = object()
        seconds = min(params.integer("timeout") or 0, LONGEST_POLL)
        limit = min(params.integer("limit") or LARGEST_PAGE, LARGEST_PAGE)
        self._confirm(bot.id, params.integer("offset") or 0)
        try:
            async with asyncio.timeout(seconds):
                while not self._waiting[bot.id]:
                    await self._news.wait()
                    if self._readers[bot.id] is not reader:
                        raise ApiError(
                            409,
                            "Conflict: terminated by other getUpdates request;"
                            " make sure that only one bot instance is running",
                        )
        except TimeoutError:
            return []
        page: list[Json] = [*self._waiting[bot.id]]
        return page[:limit]

    def _confirm(self, bot_id: int, offset: int) -> None:
        waiting = self._waiting[bot_id]
        while waiting and _number(waiting[0]) < offset:
            waiting.popleft()
        # Another reader of this bot's updates finds out that it is not the only one.
        self._ring()

    def _tell(self, bot_id: int, kind: str, what: JsonObject) -> None:
        self._waiting[bot_id].append({"update_id": next(self._numbers), kind: what})
        self._ring()

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _owner(world: World, bot_id: int) -> Bot:
    return next(bot for bot in world.bots.values() if bot.id == bot_id)


def _person(chat: Chat) -> JsonObject:
    return {
        "id": abs(chat.id),
        "is_bot": False,
        "first_name": chat.title,
        "language_code": LANGUAGE,
    }


def _number(update: JsonObject) -> int:
    number = update["update_id"]
    assert isinstance(number, int)
    return number


def _spoken(message: JsonObject) -> JsonObject:
    """A user's message as their bot receives it: with a language, and its commands marked."""
    author = message["from"]
    assert isinstance(author, dict)
    text = string(message.get("text"))
    spoken: JsonObject = {**message, "from": {**author, "language_code": LANGUAGE}}
    if text.startswith("/"):
        command: JsonObject = {
            "type": "bot_command",
            "offset": 0,
            "length": len(text.split(maxsplit=1)[0]),
        }
        spoken["entities"] = [command]
    return spoken
