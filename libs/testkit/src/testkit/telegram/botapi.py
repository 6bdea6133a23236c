"""The Bot API over HTTP: read a call, let a fault strike, perform it, answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from testkit.telegram import line
from testkit.telegram.body import BodyReader
from testkit.telegram.faults import FLOOD_SECONDS, FaultPlan, Faults, Mode
from testkit.telegram.limits import Pace
from testkit.telegram.line import Line
from testkit.telegram.methods import COUNTED, METHODS
from testkit.telegram.sandbox import Call, Sandbox
from testkit.telegram.state import ChatKind
from testkit.telegram.wire import ApiError, Json, too_many_requests

_FLOOD_RETRY = 8
_CUT_BEFORE_COMMIT = frozenset(
    {
        Mode.CLOSE_BEFORE_COMMIT,
        Mode.RST_BEFORE_COMMIT,
        Mode.HANG_BEFORE_COMMIT,
        Mode.HANG_THEN_COMMIT,
        Mode.REFUSE,
    }
)


@dataclass(frozen=True, slots=True)
class _Done:
    """A performed call: what Telegram would have answered."""

    answer: web.Response
    result: Json = None
    refused: bool = False


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
        self._refuse = refuse
        self._bodies = BodyReader()
        self._late: set[asyncio.Task[None]] = set()
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
        return len(self._late)

    async def settle(self) -> None:
        """Wait until every late commit has happened."""
        while self._late:
            await asyncio.wait(self._late)

    async def close(self) -> None:
        """Forget the late commits that have not happened yet."""
        for task in self._late:
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

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
            return line.failure(too_many_requests(wait))
        plan = self._faults.strike(method=call.method, chat_id=call.chat_id, bot_id=call.bot.id)
        if plan is None:
            return (await self._perform(call)).answer
        return await self._suffer(plan, call, Line(request))

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
        if call.method not in COUNTED or call.chat_id is None:
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

    async def _perform(self, call: Call) -> _Done:
        try:
            result = await METHODS[call.method](self._sandbox, call)
        except ApiError as refused:
            return _Done(line.failure(refused), refused=True)
        return _Done(line.success(result), result)

    async def _suffer(self, plan: FaultPlan, call: Call, wire: Line) -> web.StreamResponse:
        refusal = _refusal(plan)
        if refusal is not None:
            return line.failure(refusal)
        call.fault = plan.mode
        if plan.mode in _CUT_BEFORE_COMMIT:
            return await self._cut(plan, call, wire)
        self._change_the_world(plan, call)
        done = await self._perform(call)
        lost = await self._lose(plan, done, wire)
        return lost or _disguised(plan, done)

    async def _cut(self, plan: FaultPlan, call: Call, wire: Line) -> web.StreamResponse:
        """Break the connection before the call is performed, if it ever is."""
        match plan.mode:
            case Mode.CLOSE_BEFORE_COMMIT:
                return wire.close()
            case Mode.RST_BEFORE_COMMIT:
                return wire.reset()
            case Mode.REFUSE:
                await self._refuse(self._hang(plan))
                return wire.reset()
            case Mode.HANG_THEN_COMMIT:
                self._perform_late(plan, call)
            case _:
                pass
        return await wire.hang(self._hang(plan))

    async def _lose(self, plan: FaultPlan, done: _Done, wire: Line) -> web.StreamResponse | None:
        """Lose the answer of a performed call on the wire."""
        match plan.mode:
            case Mode.COMMIT_THEN_CLOSE:
                return wire.close()
            case Mode.COMMIT_THEN_RST:
                return wire.reset()
            case Mode.COMMIT_THEN_HANG:
                return await wire.hang(self._hang(plan))
            case Mode.COMMIT_THEN_TRUNCATED:
                return wire.truncated(done.answer)
            case Mode.COMMIT_THEN_FLOOD:
                await asyncio.sleep(FLOOD_SECONDS if plan.seconds is None else plan.seconds)
            case _:
                pass
        return None

    def _change_the_world(self, plan: FaultPlan, call: Call) -> None:
        chat_id = call.chat_id
        if plan.mode is Mode.PARTIAL_ALBUM:
            call.album_items = plan.items
        elif plan.mode is Mode.BLOCKED and chat_id is not None:
            self._sandbox.block(chat_id, bot_id=call.bot.id)
        elif plan.mode is Mode.MIGRATE and chat_id is not None:
            chat = self._sandbox.world.chat(call.bot.id, chat_id)
            if chat.kind is ChatKind.GROUP:
                self._sandbox.migrate(chat_id)

    def _perform_late(self, plan: FaultPlan, call: Call) -> None:
        after = self._hang(plan) + (self._faults.hang_seconds if plan.late is None else plan.late)
        task = asyncio.create_task(self._later(after, call))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _later(self, seconds: float, call: Call) -> None:
        await asyncio.sleep(seconds)
        await self._perform(call)

    def _hang(self, plan: FaultPlan) -> float:
        return self._faults.hang_seconds if plan.seconds is None else plan.seconds


def _refusal(plan: FaultPlan) -> ApiError | None:
    """The errors that truthfully say: nothing was done."""
    match plan.mode:
        case Mode.REJECT_BEFORE_COMMIT:
            return ApiError(plan.status, plan.description)
        case Mode.BAD_GATEWAY:
            return ApiError(502, "Bad Gateway")
        case Mode.TOO_MANY:
            return too_many_requests(plan.retry_after)
        case _:
            return None


def _disguised(plan: FaultPlan, done: _Done) -> web.StreamResponse:
    """Answer a performed call, truthfully or with something that hides it."""
    match plan.mode:
        case Mode.COMMIT_THEN_RESTART:
            return line.failure(ApiError(500, "Internal Server Error: restart"))
        case Mode.COMMIT_THEN_FLOOD:
            return line.failure(too_many_requests(_FLOOD_RETRY))
        case Mode.COMMIT_THEN_HTML:
            return line.html_502()
        case Mode.COMMIT_UNDECODABLE if not done.refused:
            return line.undecodable(done.result)
        case _:
            return done.answer


def _weight(call: Call) -> int:
    if call.method != "sendmediagroup":
        return 1
    try:
        return max(1, len(call.params.objects("media") or []))
    except ApiError:
        return 1  # unreadable: refused in its own words when performed
