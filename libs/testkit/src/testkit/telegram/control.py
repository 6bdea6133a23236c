"""The /sim endpoints that change things: faults, limits, bots, chats and people."""

import dataclasses
from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import ValidationError

from testkit.telegram.botapi import BotApi
from testkit.telegram.faults import Faults
from testkit.telegram.limits import Limits, Pace
from testkit.telegram.orders import (
    FAULT_ORDERS,
    BotOrder,
    ChatOrder,
    LimitsOrder,
    PersonOrder,
    ProfileOrder,
    RefuseOrder,
)
from testkit.telegram.page.feed import chat_json, chats_json
from testkit.telegram.people import People
from testkit.telegram.replies import done, missing, number, read, unreadable
from testkit.telegram.sandbox import Sandbox


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
        self._people = People(sandbox)

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
            raise unreadable(wrong) from wrong
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
        return done()

    async def remove_fault(self, request: web.Request) -> web.Response:
        """Disarm one plan."""
        if not self._faults.remove(int(request.match_info["number"])):
            raise missing("no such fault")
        return done()

    async def set_limits(self, request: web.Request) -> web.Response:
        """Change the pace from the next call on."""
        order = await read(request, LimitsOrder)
        base = Limits(enabled=order.enabled, held_seconds=order.held_seconds)
        self._pace.limits = base.scaled(order.scale)
        return done()

    async def refuse_connections(self, request: web.Request) -> web.Response:
        """Refuse connections, /sim included, for a while."""
        order = await read(request, RefuseOrder)
        await self._refuse(order.seconds)
        return done()

    async def add_bot(self, request: web.Request) -> web.Response:
        """Register a bot."""
        order = await read(request, BotOrder)
        try:
            bot = self._sandbox.world.add_bot(order.token)
        except ValueError as malformed:
            raise unreadable(malformed) from malformed
        return web.json_response({"id": bot.id})

    async def add_chat(self, request: web.Request) -> web.Response:
        """Make a chat known."""
        order = await read(request, ChatOrder)
        self._sandbox.world.add_chat(
            order.id,
            kind=order.kind,
            title=order.title,
            topics=order.topics,
            slow_seconds=order.slow_seconds,
        )
        return done()

    async def chats(self, request: web.Request) -> web.Response:
        """Summaries, the latest active chat first; `q` searches."""
        search = request.query.get("q", "").casefold()
        return web.json_response(chats_json(self._sandbox, search=search))

    async def chat(self, request: web.Request) -> web.Response:
        """One chat as its person sees it."""
        found = chat_json(
            self._sandbox,
            int(request.match_info["chat"]),
            bot_id=number(request, "bot"),
            limit=number(request, "limit"),
        )
        if found is None:
            raise missing("no such chat")
        return web.json_response(found)

    async def act(self, request: web.Request) -> web.Response:
        """Do what a user or an admin would."""
        action = request.match_info["action"]
        deed = self._people.deeds.get(action)
        if deed is None:
            raise missing(f"no such action: {action}")
        order = await read(request, PersonOrder)
        try:
            answer = deed(int(request.match_info["chat"]), order)
        except LookupError as absent:
            raise missing(str(absent)) from absent
        return done() if answer is None else web.json_response(answer)
