"""The fake Telegram: a real HTTP server on loopback, and its Python handles."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from testkit.telegram.body import BODY_BYTES
from testkit.telegram.botapi import BotApi
from testkit.telegram.control import Control
from testkit.telegram.enquiry import Enquiry
from testkit.telegram.faults import Faults, Profile
from testkit.telegram.fetch import UrlFetcher
from testkit.telegram.limits import Limits, Pace
from testkit.telegram.media import Kind
from testkit.telegram.oracle import LogEntry
from testkit.telegram.page import Page
from testkit.telegram.port import Port
from testkit.telegram.sandbox import Sandbox
from testkit.telegram.shelf import Files
from testkit.telegram.sight import MessageKey, ShownMessage
from testkit.telegram.state import Bot, ChatKind, Clock, Topic, World
from testkit.telegram.verdicts import Overwrite, Tally, Verdicts

SHUTDOWN_SECONDS = 0.2
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not bound


class FakeTelegram:
    """`async with FakeTelegram() as tg:` serves the Bot API at `tg.url`."""

    def __init__(  # each is one property of the sandbox, all keyword-only
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
        faults: Profile | str = Profile.NONE,
        limits: Limits | None = None,
        unlimited: bool = False,
        hang_seconds: float = 1.5,
        auto_bots: bool = True,
        open_chats: bool = True,
        fetch_hosts: frozenset[str] = frozenset(),
        fetch_seconds: float = 20.0,
        ids_after: int = 0,
        clock: Clock = time.time,
    ) -> None:
        self._host = host
        self._wanted_port = port
        self.faults = Faults(seed=seed, hang_seconds=hang_seconds)
        self.faults.use(faults)
        # For benchmarks: no pace and no log, only what is needed to say what stood where.
        pace = Limits.off() if unlimited else limits or Limits()
        self.pace = Pace(pace, monotonic=time.monotonic)
        self._fetcher = UrlFetcher(hosts=fetch_hosts, seconds=fetch_seconds)
        world = World(clock=clock, auto_bots=auto_bots, open_chats=open_chats, ids_after=ids_after)
        self._sandbox = Sandbox(world, self._fetcher, keeps_log=not unlimited)
        self._verdicts = Verdicts(self._sandbox.oracle)
        self._api = BotApi(self._sandbox, faults=self.faults, pace=self.pace, refuse=self.refuse)
        self._port: Port | None = None
        self._runner: web.AppRunner | None = None

    # -- life ---------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._port = Port(host=self._host, port=self._wanted_port)
        app = web.Application(client_max_size=BODY_BYTES, middlewares=[self._port.watch()])
        control = Control(
            self._sandbox, faults=self.faults, pace=self.pace, api=self._api, refuse=self.refuse
        )
        for part in (self._api, Page(self._sandbox), control, Enquiry(self._sandbox), Files()):
            app.add_routes(part.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await self._port.open(self._runner)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._port is not None:
            await self._port.close()
        await self._api.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._fetcher.close()

    @property
    def url(self) -> str:
        """Base URL, for TelegramAPIServer.from_base and for a browser."""
        number = self._port.number if self._port else self._wanted_port
        host = "127.0.0.1" if self._host in ANY_ADDRESS else self._host
        return f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"

    async def refuse(self, seconds: float) -> None:
        """Refuse connections for a while; this includes /sim and the page."""
        if self._port is not None:
            await self._port.refuse(seconds)

    async def open_again(self) -> None:
        """Wait until a refusal is over."""
        if self._port is not None:
            await self._port.open_again()

    async def settle(self) -> None:
        """Wait until every late zombie has committed."""
        await self._api.settle()

    @property
    def pending_late(self) -> int:
        """Calls whose commit is still to come although the client is gone."""
        return self._api.pending_late

    @property
    def calls(self) -> int:
        """Bot API requests seen so far, refused and broken ones included."""
        return self._api.calls

    # -- bots and people ----------------------------------------------------

    def add_bot(self, token: str) -> Bot:
        """Register a token; without `auto_bots` only registered ones are let in."""
        return self._sandbox.world.add_bot(token)

    def renew_token(self, old: str, new: str) -> None:
        """Revoke a token, as BotFather does; the same bot goes on under the new one."""
        self._sandbox.world.renew_token(old, new)

    def add_chat(
        self,
        chat_id: int,
        *,
        kind: ChatKind | str,
        title: str = "",
        topics: tuple[int, ...] | None = None,
        slow_seconds: int = 0,
    ) -> None:
        """Make a chat known; `topics`, even empty, makes it a forum; it may be in slow mode."""
        self._sandbox.world.add_chat(
            chat_id, kind=ChatKind(kind), title=title, topics=topics, slow_seconds=slow_seconds
        )

    def close_topic(self, chat_id: int, thread_id: int) -> None:
        """Close a topic of a forum."""
        self._sandbox.world.set_topic(chat_id, thread_id, Topic.CLOSED)

    def delete_topic(self, chat_id: int, thread_id: int) -> None:
        """Delete a topic of a forum, and with it what stands in it."""
        self._sandbox.delete_topic(chat_id, thread_id)

    def forbid(self, chat_id: int, *kinds: Kind) -> None:
        """Say what nobody may send to the chat: a group's rights, or a user who takes no voice."""
        self._sandbox.world.forbid(chat_id, frozenset(kinds))

    def block(self, chat_id: int, *, bot_id: int | None = None) -> None:
        """Block the bot as the user; without `bot_id`, every bot."""
        self._sandbox.block(chat_id, bot_id=bot_id)

    def unblock(self, chat_id: int, *, bot_id: int | None = None) -> None:
        """Take a block back."""
        self._sandbox.unblock(chat_id, bot_id=bot_id)

    def migrate(self, chat_id: int) -> int:
        """Upgrade a basic group the bot has written to; return the supergroup's id."""
        return self._sandbox.migrate(chat_id)

    def delete_message(
        self, chat_id: int, message_id: int, *, bot_id: int | None = None, one_sided: bool = False
    ) -> bool:
        """Delete as a user; one-sided, edits go on succeeding and the user sees nothing."""
        return self._sandbox.delete_message(chat_id, message_id, bot_id=bot_id, one_sided=one_sided)

    def say(self, bot: Bot, chat_id: int, text: str) -> int:
        """Write as the user; return the message id."""
        return self._sandbox.say(bot, chat_id, text)

    def press(self, chat_id: int, message_id: int, data: str) -> str:
        """Press an inline button; return the callback query id."""
        return self._sandbox.press(chat_id, message_id, data)

    def answer_to(self, query: str) -> str | None:
        """What the bot answered to a pressed button; None while it has not."""
        return self._sandbox.updates.answers.get(query)

    # -- the oracle ---------------------------------------------------------

    def log(self, *, after: int = 0) -> Sequence[LogEntry]:
        """Everything that happened, oldest first."""
        return self._sandbox.oracle.log(after=after)

    def visible(self, chat_id: int, *, bot_id: int | None = None) -> list[ShownMessage]:
        """What stands in the chat now, oldest first."""
        return self._sandbox.oracle.visible(chat_id, bot_id=bot_id)

    def shown(self, content: str) -> list[tuple[int, ShownMessage]]:
        """Visible messages holding the content: a sha256, a URL, or a piece of text."""
        return self._sandbox.oracle.shown(content)

    def ever_shown_count(self, content: str) -> int:
        """In how many distinct messages the content has ever stood."""
        return self._sandbox.oracle.ever_shown_count(content)

    def ever_shown(self, content: str) -> list[MessageKey]:
        """Every (owner, chat, message) the content has ever stood in."""
        return self._sandbox.oracle.ever_shown(content)

    def history(
        self, chat_id: int, message_id: int, *, bot_id: int | None = None
    ) -> Sequence[ShownMessage]:
        """Every state a message has had, oldest first."""
        views = self._sandbox.world.views_of(chat_id, bot_id=bot_id)
        return self._verdicts.history((one.owner, chat_id, message_id) for one in views)

    def tally(self, contents: Mapping[str, Collection[str]] | Iterable[str]) -> Tally:
        """Which results were shown exactly once, and which were not."""
        return self._verdicts.tally(contents)

    def overwritten(self, contents: Iterable[str] = ()) -> list[Overwrite]:
        """Messages that showed a medium, or one of the contents, and later something else."""
        return self._verdicts.overwritten(contents)

    def spares(self, contents: Iterable[str], *, chat_id: int | None = None) -> list[ShownMessage]:
        """What bots left standing that shows none of the contents: carriers, statuses, pointers."""
        return list(self._verdicts.spares(contents, chat_id=chat_id))

    def chat_ids(self) -> list[int]:
        """Every chat anybody wrote to."""
        return sorted({chat.id for chat in self._sandbox.world.chats.values()})

    async def until(self, fact: Callable[[], bool], *, seconds: float = 10.0) -> None:
        """Wait until the fact holds, looking again after every commit."""
        await self._sandbox.until(fact, seconds=seconds)
