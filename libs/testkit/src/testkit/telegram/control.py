"""The /sim endpoints: faults, people, limits and the oracle over HTTP."""

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from testkit.telegram.botapi import BotApi
from testkit.telegram.faults import Faults
from testkit.telegram.limits import Limits, Pace
from testkit.telegram.orders import (
    FAULT_ORDERS,
    BotOrder,
    ChatOrder,
    ContentsOrder,
    LimitsOrder,
    PersonOrder,
    ProfileOrder,
    RefuseOrder,
)
from testkit.telegram.page.feed import chat_json, chats_json, entry_json, shown_json
from testkit.telegram.sandbox import Sandbox

LOG_PAGE = 1000
Shape = TypeVar("Shape", bound=BaseModel)


class Control:
    """Serves what tests and operators of the sandbox ask for."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        faults: Faults,
        pace: Pace,
        api: BotApi,
        refuse: Callable[[float], Awaitable[None]],
    ) -> None:
        self._sandbox = sandbox
        self._faults = faults
        self._pace = pace
        self._api = api
        self._refuse = refuse

    def routes(self) -> list[web.RouteDef]:
        """Every /sim route but the event stream."""
        return [
            web.get("/sim", self.summary),
            web.get("/sim/faults", self.list_faults),
            web.post("/sim/faults", self.arm_faults),
            web.delete("/sim/faults", self.clear_faults),
            web.delete("/sim/faults/{number:\\d+}", self.remove_fault),
            web.post("/sim/limits", self.set_limits),
            web.post("/sim/refuse", self.refuse_connections),
            web.post("/sim/bots", self.add_bot),
            web.get("/sim/chats", self.chats),
            web.post("/sim/chats", self.add_chat),
            web.get("/sim/chats/{chat:-?\\d+}", self.chat),
            web.post("/sim/chats/{chat:-?\\d+}/{action:[a-z_]+}", self.act),
            web.get("/sim/log", self.log),
            web.get("/sim/shown", self.shown),
            web.get("/sim/ever", self.ever),
            web.post("/sim/ever", self.ever_many),
        ]

    async def summary(self, _request: web.Request) -> web.Response:
        """Counters of the whole sandbox."""
        return web.json_response(
            {
                "calls": self._api.calls,
                "last_seq": self._sandbox.oracle.last_seq,
                "chats": len(self._sandbox.world.chats),
                "bots": [bot.id for bot in self._sandbox.world.bots.values()],
                "pending_late": self._api.pending_late,
                "faults_fired": dict(self._faults.fired),
                "seed": self._faults.seed,
                "limits": dataclasses.asdict(self._pace.limits),
            }
        )

    async def list_faults(self, _request: web.Request) -> web.Response:
        """The armed plans and how often each struck."""
        return web.json_response(
            [
                {"id": number, "struck": struck, "plan": plan.model_dump(mode="json")}
                for number, plan, struck in self._faults.armed()
            ]
        )

    async def arm_faults(self, request: web.Request) -> web.Response:
        """Arm a plan, a list of plans, or a profile."""
        try:
            order = FAULT_ORDERS.validate_json(await request.read())
        except ValidationError as wrong:
            raise _unreadable(wrong) from wrong
        if isinstance(order, ProfileOrder):
            if order.seed is not None:
                self._faults.reseed(order.seed)
            self._faults.use(order.profile)
            return web.json_response({"profile": order.profile})
        plans = order if isinstance(order, list) else [order]
        return web.json_response({"ids": [self._faults.add(plan) for plan in plans]})

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """Disarm everything."""
        self._faults.clear()
        return _done()

    async def remove_fault(self, request: web.Request) -> web.Response:
        """Disarm one plan."""
        if not self._faults.remove(int(request.match_info["number"])):
            raise _missing("no such fault")
        return _done()

    async def set_limits(self, request: web.Request) -> web.Response:
        """Change the pace from the next call on."""
        order = await _read(request, LimitsOrder)
        base = Limits(enabled=order.enabled, held_seconds=order.held_seconds)
        self._pace.limits = base.scaled(order.scale)
        return _done()

    async def refuse_connections(self, request: web.Request) -> web.Response:
        """Refuse connections, /sim included, for a while."""
        order = await _read(request, RefuseOrder)
        await self._refuse(order.seconds)
        return _done()

    async def add_bot(self, request: web.Request) -> web.Response:
        """Register a bot."""
        order = await _read(request, BotOrder)
        try:
            bot = self._sandbox.world.add_bot(order.token)
        except ValueError as malformed:
            raise _unreadable(malformed) from malformed
        return web.json_response({"id": bot.id})

    async def add_chat(self, request: web.Request) -> web.Response:
        """Make a chat known."""
        order = await _read(request, ChatOrder)
        self._sandbox.world.add_chat(
            order.id, kind=order.kind, title=order.title, topics=order.topics
        )
        return _done()

    async def chats(self, request: web.Request) -> web.Response:
        """Summaries, the latest active chat first; `q` searches."""
        search = request.query.get("q", "").casefold()
        return web.json_response(chats_json(self._sandbox, search=search))

    async def chat(self, request: web.Request) -> web.Response:
        """One chat as its person sees it."""
        found = chat_json(
            self._sandbox,
            int(request.match_info["chat"]),
            bot_id=_number(request, "bot"),
            limit=_number(request, "limit"),
        )
        if found is None:
            raise _missing("no such chat")
        return web.json_response(found)

    async def act(self, request: web.Request) -> web.Response:
        """Do what a user would: block, unblock, migrate, delete_message, say, press."""
        chat_id = int(request.match_info["chat"])
        order = await _read(request, PersonOrder)
        try:
            match request.match_info["action"]:
                case "block":
                    self._sandbox.block(chat_id, bot_id=order.bot_id)
                case "unblock":
                    self._sandbox.unblock(chat_id, bot_id=order.bot_id)
                case "migrate":
                    return web.json_response({"new_chat_id": self._sandbox.migrate(chat_id)})
                case "delete_message":
                    self._delete(chat_id, order)
                case "say":
                    return web.json_response({"message_id": self._say(chat_id, order)})
                case "press":
                    query = self._sandbox.press(chat_id, order.message_id, order.data)
                    return web.json_response({"callback_query_id": query})
                case unknown:
                    raise _missing(f"no such action: {unknown}")
        except LookupError as absent:
            raise _missing(str(absent)) from absent
        return _done()

    def _delete(self, chat_id: int, order: PersonOrder) -> None:
        found = self._sandbox.delete_message(
            chat_id, order.message_id, bot_id=order.bot_id, one_sided=order.one_sided
        )
        if not found:
            raise LookupError("no such message")

    def _say(self, chat_id: int, order: PersonOrder) -> int:
        bots = self._sandbox.world.bots.values()
        bot = next((one for one in bots if order.bot_id in (None, one.id)), None)
        if bot is None:
            raise LookupError("no such bot")
        return self._sandbox.say(bot, chat_id, order.text)

    async def log(self, request: web.Request) -> web.Response:
        """Log entries after a number, in pages."""
        limit = min(_number(request, "limit") or LOG_PAGE, LOG_PAGE)
        after = _number(request, "after") or 0
        entries = self._sandbox.oracle.log(after=after, limit=limit)
        return web.json_response(
            {
                "entries": [entry_json(entry) for entry in entries],
                "last_seq": self._sandbox.oracle.last_seq,
            }
        )

    async def shown(self, request: web.Request) -> web.Response:
        """Where a content is visible now."""
        standing = self._sandbox.oracle.shown(request.query.get("content", ""))
        return web.json_response([shown_json(message) for _, message in standing])

    async def ever(self, request: web.Request) -> web.Response:
        """In which messages a content has ever stood."""
        keys = self._sandbox.oracle.ever_shown(request.query.get("content", ""))
        return web.json_response({"count": len(keys), "messages": keys})

    async def ever_many(self, request: web.Request) -> web.Response:
        """Both counts for each of many contents."""
        order = await _read(request, ContentsOrder)
        oracle = self._sandbox.oracle
        return web.json_response(
            {
                content: {
                    "ever": oracle.ever_shown_count(content),
                    "now": len(oracle.shown(content)),
                }
                for content in order.contents
            }
        )


async def _read(request: web.Request, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate_json(await request.read() or b"{}")
    except ValidationError as wrong:
        raise _unreadable(wrong) from wrong


def _number(request: web.Request, name: str) -> int | None:
    raw = request.query.get(name)
    if raw is None:
        return None
    try:
        return int(raw)
    except ValueError as wrong:
        raise _unreadable(wrong) from wrong


def _unreadable(wrong: Exception) -> web.HTTPException:
    return web.HTTPBadRequest(
        text=json.dumps({"error": str(wrong)}), content_type="application/json"
    )


def _missing(reason: str) -> web.HTTPException:
    return web.HTTPNotFound(text=json.dumps({"error": reason}), content_type="application/json")


def _done() -> web.Response:
    return web.json_response({"ok": True})
