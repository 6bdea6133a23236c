"""The calls we make, each ending in an answer and never in an exception of aiogram's."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import DeleteMessage, TelegramMethod
from aiohttp import ClientTimeout
from pydantic import SecretStr

from chassis import tracing
from chassis.clock import Clock
from chassis.metrics import counter, histogram
from deliverer.domain.answers import Answer, BotStopped, Call
from deliverer.domain.bodies import Body, TextBody
from deliverer.domain.faults import judge
from deliverer.domain.posts import Place
from deliverer.telegram import methods, session
from deliverer.telegram.failures import fault_of
from deliverer.telegram.session import WitnessedSession, timeout, witnessed
from deliverer.telegram.tokens import TokenMissing, Tokens

_CALLS = counter("telegram_calls_total", "Calls by method and answer.", ["method", "answer"])
_SECONDS = histogram("telegram_call_seconds", "Telegram calls.", ["method"])


class Telegram:
    """All bots of this process; each has its own connections."""

    def __init__(self, tokens: Tokens, *, api_url: str, clock: Clock) -> None:
        """Open nothing: a bot's session is made by its first call."""
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._clock = clock
        self._bots: dict[str, tuple[SecretStr, Bot, WitnessedSession]] = {}
        self._retired: list[WitnessedSession] = []

    async def send_text(self, ref: str, place: Place, text: str, *, silent: bool) -> Answer:
        """Post one line; Telegram reads no markup in it."""
        method = methods.send(place, TextBody(text), silent=silent)
        return await self._call(ref, Call.SEND, method, timeout())

    async def send(
        self, ref: str, place: Place, bodies: tuple[Body, ...], *, silent: bool, within: float
    ) -> Answer:
        """Post one message, or several as an album; never longer than `within` seconds."""
        if len(bodies) > 1:
            album = methods.send_album(place, bodies, silent=silent)
            return await self._call(ref, Call.SEND, album, timeout(within))
        method = methods.send(place, bodies[0], silent=silent)
        return await self._call(ref, Call.SEND, method, timeout(within))

    async def edit(self, ref: str, chat_id: int, message_id: int, body: Body) -> Answer:
        """Make the message show this and nothing else."""
        method = methods.edit(chat_id, message_id, body)
        seconds = session.TOTAL + methods.upload_bytes(body) / session.UPLOAD_RATE
        return await self._call(ref, Call.EDIT, method, timeout(seconds))

    async def delete(self, ref: str, chat_id: int, message_id: int) -> Answer:
        """Take a message away."""
        method = DeleteMessage(chat_id=chat_id, message_id=message_id)
        return await self._call(ref, Call.DELETE, method, timeout())

    async def close(self) -> None:
        """Close every bot's connections."""
        sessions = [opened for _, _, opened in self._bots.values()] + self._retired
        self._bots.clear()
        self._retired.clear()
        await asyncio.gather(*(opened.close() for opened in sessions))

    async def _call(
        self, ref: str, call: Call, method: TelegramMethod[Any], limits: ClientTimeout
    ) -> Answer:
        started = self._clock.monotonic()
        answer = await self._once(ref, call, method, limits)
        if isinstance(answer, BotStopped) and self._token_changed(ref):
            # Both calls together keep within the time of one.
            left = (limits.total or session.TOTAL) - (self._clock.monotonic() - started)
            answer = await self._once(ref, call, method, timeout(max(left, session.CONNECT)))
        _CALLS.labels(method.__api_method__, type(answer).__name__.lower()).inc()
        return answer

    async def _once(
        self, ref: str, call: Call, method: TelegramMethod[Any], limits: ClientTimeout
    ) -> Answer:
        try:
            bot, opened = self._bot(ref)
        except TokenMissing as missing:
            return BotStopped(missing.why)
        name = method.__api_method__
        with tracing.span(f"telegram {name}", tracing.Kind.CLIENT), _SECONDS.labels(name).time():
            answer = await self._judged(opened.call(bot, method, limits), call)
            tracing.note(answer=type(answer).__name__.lower())
            return answer

    async def _judged(self, calling: Awaitable[Answer], call: Call) -> Answer:
        started = self._clock.monotonic()
        with witnessed() as witness:
            try:
                return await calling
            except (AiogramError, OSError) as problem:
                fault = fault_of(problem, witness)
                return judge(fault, call=call, elapsed=self._clock.monotonic() - started)

    def _bot(self, ref: str) -> tuple[Bot, WitnessedSession]:
        token = self._tokens.token(ref)
        held = self._bots.get(ref)
        if held is not None and held[0] == token:
            return held[1], held[2]
        if held is not None:
            # Its calls in flight end on their own; the connections close with the service.
            self._retired.append(held[2])
        opened = WitnessedSession(self._api_url)
        bot = Bot(token.get_secret_value(), session=opened)
        self._bots[ref] = (token, bot, opened)
        return bot, opened

    def _token_changed(self, ref: str) -> bool:
        """Read a refused token again; say whether another one stands there now."""
        held = self._bots.get(ref)
        self._tokens.forget(ref)
        try:
            return held is not None and self._tokens.token(ref) != held[0]
        except TokenMissing:
            return False
