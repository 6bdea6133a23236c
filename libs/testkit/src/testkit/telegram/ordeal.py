"""What a struck call goes through: cut before its effect, or performed and its answer spoilt."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from testkit.telegram import line, rules
from testkit.telegram.faults import FLOOD_SECONDS, OVERLOAD_SECONDS, FaultPlan, Faults, Mode
from testkit.telegram.line import Line
from testkit.telegram.oracle import Event
from testkit.telegram.sandbox import AlbumCut, Call, Sandbox
from testkit.telegram.state import ChatKind
from testkit.telegram.wire import ApiError, Json, bad_request, integer, too_many_requests

_CUT_BEFORE_COMMIT = frozenset(
    {
        Mode.CLOSE_BEFORE_COMMIT,
        Mode.RST_BEFORE_COMMIT,
        Mode.HANG_BEFORE_COMMIT,
        Mode.HANG_THEN_COMMIT,
        Mode.REFUSE,
    }
)
# A 429 behind a commit: the wait it names, and the seconds the server tried before.
_DISGUISES = {
    Mode.COMMIT_THEN_FLOOD: (8, FLOOD_SECONDS),
    Mode.COMMIT_THEN_BUSY: (1, 8.0),
    Mode.COMMIT_THEN_DROPPED: (5, 0.0),
}
_OVERLOAD_RETRY = 60


@dataclass(frozen=True, slots=True)
class Done:
    """A performed call: what Telegram would have answered."""

    answer: web.Response
    result: Json = None
    refusal: str = ""


class Ordeal:
    """Puts calls through fault plans; remembers the ones that commit late."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        faults: Faults,
        refuse: Callable[[float], Awaitable[None]],
        perform: Callable[[Call], Awaitable[Done]],
    ) -> None:
        self._sandbox = sandbox
        self._faults = faults
        self._refuse = refuse
        self._perform = perform
        self._late: set[asyncio.Task[None]] = set()

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

    async def suffer(self, plan: FaultPlan, call: Call, wire: Line) -> web.StreamResponse:
        """Let the plan strike the call."""
        if plan.mode is Mode.OVERLOADED:
            await asyncio.sleep(OVERLOAD_SECONDS if plan.seconds is None else plan.seconds)
        refusal = _refusal(plan)
        if refusal is not None:
            return line.failure(refusal)
        call.fault = plan.mode
        if plan.mode in _CUT_BEFORE_COMMIT:
            return await self._cut(plan, call, wire)
        self._change_the_world(plan, call)
        done = await self._perform(call)
        if plan.mode is Mode.COMMIT_THEN_DELETED and not done.refusal:
            self._delete(call, done)
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

    async def _lose(self, plan: FaultPlan, done: Done, wire: Line) -> web.StreamResponse | None:
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
            case mode if mode in _DISGUISES:
                await asyncio.sleep(_DISGUISES[mode][1] if plan.seconds is None else plan.seconds)
            case _:
                pass
        return None

    def _change_the_world(self, plan: FaultPlan, call: Call) -> None:
        chat_id = call.chat_id
        if plan.mode is Mode.PARTIAL_ALBUM:
            call.album_cut = AlbumCut(items=plan.items, reason=plan.reason)
        elif plan.mode is Mode.BLOCKED and chat_id is not None:
            self._sandbox.block(chat_id, bot_id=call.bot.id)
        elif plan.mode is Mode.MIGRATE and chat_id is not None:
            chat = self._sandbox.world.chat(call.bot.id, chat_id)
            if chat.kind is ChatKind.GROUP:
                self._sandbox.migrate(chat_id)

    def _delete(self, call: Call, done: Done) -> None:
        chat = self._sandbox.world.chat(call.bot.id, call.chat_id or 0)
        for sent in done.result if isinstance(done.result, list) else [done.result]:
            number = integer(sent.get("message_id")) if isinstance(sent, dict) else None
            message = self._sandbox.world.find(chat, number)
            if message is not None:
                message.deleted = True
                self._sandbox.oracle.record(Event.DELETED, message, method=call.method)

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
        case Mode.OVERLOADED:
            return too_many_requests(_OVERLOAD_RETRY)
        case _:
            return None


def _disguised(plan: FaultPlan, done: Done) -> web.StreamResponse:
    """Answer a performed call, truthfully or with something that hides it."""
    match plan.mode:
        case Mode.COMMIT_THEN_RESTART:
            return line.failure(ApiError(500, "Internal Server Error: restart"))
        case mode if mode in _DISGUISES:
            return line.failure(too_many_requests(_DISGUISES[mode][0]))
        case Mode.COMMIT_THEN_HTML:
            return line.html_502()
        case Mode.COMMIT_UNDECODABLE if not done.refusal:
            return line.undecodable(done.result)
        case Mode.COMMIT_THEN_NOT_MODIFIED if not done.refusal:
            return line.failure(bad_request(rules.NOT_MODIFIED))
        case Mode.COMMIT_THEN_DELETED if not done.refusal:
            return line.failure(ApiError(500, _VANISHED))
        case _:
            return done.answer


_VANISHED = "Internal Server Error: sent message was immediately deleted and can't be returned"
