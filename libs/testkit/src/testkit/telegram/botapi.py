"""The Bot API over HTTP: read a call, let a fault strike, perform it, answer."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from testkit.telegram import line
from testkit.telegram.body import BodyReader
from testkit.telegram.faults import Faults
from testkit.telegram.limits import Pace
from testkit.telegram.line import Line
from testkit.telegram.methods import COUNTED, METHODS
from testkit.telegram.ordeal import Done, Ordeal
from testkit.telegram.sandbox import Call, Sandbox
from testkit.telegram.state import ChatKind
from testkit.telegram.wire import ApiError, too_many_requests


class BotApi:
    """Serves /bot<token>/<method> and /file/bot<token>/<path>."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        faults: Faults,
        pace: Pace,
        refuse: Callable[[float], Awaitable[None]],
    ) -> None:
        self._sandbox = sandbox
        self._faults = faults
        self._pace = pace
        self._ordeal = Ordeal(sandbox, faults=faults, refuse=refuse, perform=self._perform)
        self._bodies = BodyReader()
        self.calls = 0

    def routes(self) -> list[web.RouteDef]:
        """The method and download routes."""
        return [
            web.route("*", "/bot{token:[^/]+}/{method:[^/]*}", self.serve),
            web.get("/file/bot{token:[^/]+}/{folder:[a-z]+}/{digest:[0-9a-f]+}", self.download),
        ]

    @property
    def pending_late(self) -> int:
        """Calls whose commit is still to come although the client is gone."""
        return self._ordeal.pending_late

    async def settle(self) -> None:
        """Wait until every late commit has happened."""
        await self._ordeal.settle()

    async def close(self) -> None:
        """Forget the late commits that have not happened yet."""
        await self._ordeal.close()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, truthfully unless a fault strikes."""
        self.calls += 1
        try:
            call = await self._read(request)
        except ApiError as refused:
            # An unread body would make the next request on this connection unreadable.
            answer = line.failure(refused)
            if refused.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                answer.force_close()
            return answer
        wait = await self._queue(call)
        if wait is not None:
            return self._failed(call, too_many_requests(wait))
        plan = self._faults.strike(method=call.method, chat_id=call.chat_id, bot_id=call.bot.id)
        if plan is None:
            done = await self._perform(call)
            if done.refusal:
                self._sandbox.failed(call, done.refusal)
            return done.answer
        self._sandbox.failed(call, plan.mode)
        return await self._ordeal.suffer(plan, call, Line(request))

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Serve a file by the path getFile named."""
        try:
            self._sandbox.world.bot(request.match_info["token"])
        except ApiError as refused:
            return line.failure(refused)
        content = self._sandbox.world.blobs.content(request.match_info["digest"])
        if content is None:
            return line.failure(ApiError(404, "Not Found"))
        return web.Response(body=content)

    async def _read(self, request: web.Request) -> Call:
        bot = self._sandbox.world.bot(request.match_info["token"])
        method = request.match_info["method"].lower()
        if method not in METHODS:
            raise ApiError(404, "Not Found")
        return Call(bot, method, await self._bodies.read(request))

    async def _queue(self, call: Call) -> int | None:
        """Sleep out short waits inside the server; return the wait that is too long."""
        slept = 0
        while (wait := self._admit(call)) is not None:
            if slept + wait > self._pace.limits.held_seconds:
                return wait
            await asyncio.sleep(wait)
            slept += wait
        return None

    def _admit(self, call: Call) -> int | None:
        if not self._pace.limits.enabled or call.method not in COUNTED or call.chat_id is None:
            return None
        try:
            chat = self._sandbox.world.chat(call.bot.id, call.chat_id)
        except ApiError:
            kind = ChatKind.PRIVATE  # an unknown chat is refused later, in its own words
        else:
            kind = chat.kind
        return self._pace.admit(
            bot_id=call.bot.id, chat_id=call.chat_id, kind=kind, messages=_weight(call)
        )

    async def _perform(self, call: Call) -> Done:
        try:
            result = await METHODS[call.method](self._sandbox, call)
        except ApiError as refused:
            return Done(line.failure(refused), refusal=f"{refused.code} {refused.description}")
        return Done(line.success(result), result)

    def _failed(self, call: Call, error: ApiError) -> web.Response:
        self._sandbox.failed(call, f"{error.code} {error.description}")
        return line.failure(error)


def _weight(call: Call) -> int:
    if call.method != "sendmediagroup":
        return 1
    try:
        return max(1, len(call.params.objects("media") or []))
    except ApiError:
        return 1  # unreadable: refused in its own words when performed
