"""The four calls we make, each ending in an answer and never in an exception of aiogram's."""

import asyncio
from typing import Final, TypeVar, cast

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import (
    DeleteMessage,
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
    SendMessage,
    TelegramMethod,
)
from aiogram.types import LinkPreviewOptions, Message, MessageEntity, ReplyParameters
from pydantic import SecretStr

from chassis.clock import Clock
from chassis.metrics import counter, histogram
from contracts.markup import Entity
from deliverer.domain.answers import Answer, BotStopped, Call, Done
from deliverer.domain.bodies import Body, CaptionBody, File, MediaBody, TextBody
from deliverer.domain.faults import judge
from deliverer.domain.posts import Place
from deliverer.telegram import media_types
from deliverer.telegram.failures import fault_of
from deliverer.telegram.session import WitnessedSession, timeout, witnessed
from deliverer.telegram.tokens import TokenMissing, Tokens

log = structlog.get_logger()
R = TypeVar("R")

FILE_ID_LONGEST: Final = 100  # what the bus takes; the id only saves an upload

_CALLS = counter("telegram_calls_total", "Calls by method and answer.", ["method", "answer"])
_SECONDS = histogram("telegram_call_seconds", "Telegram calls.", ["method"])


class Telegram:
    """All bots of this process; each has its own connections."""

    def __init__(self, tokens: Tokens, *, api_url: str, clock: Clock) -> None:
        """Open nothing: a bot's session is made by its first call."""
        self._tokens = tokens
        self._api_url = api_url.rstrip("/")
        self._clock = clock
        self._bots: dict[str, tuple[SecretStr, Bot]] = {}
        self._retired: list[Bot] = []

    async def send_text(self, ref: str, place: Place, text: str, *, silent: bool) -> Answer:
        """Post one line; Telegram reads no markup in it."""
        reply = place.reply_to and ReplyParameters(
            message_id=place.reply_to, allow_sending_without_reply=True
        )
        method = SendMessage(
            chat_id=place.chat_id,
            message_thread_id=place.thread_id,
            text=text,
            parse_mode=None,
            disable_notification=silent,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_parameters=reply or None,
        )
        return await self._call(ref, Call.SEND, method)

    async def edit(self, ref: str, chat_id: int, message_id: int, body: Body) -> Answer:
        """Make the message show this and nothing else."""
        method = _edit(chat_id, message_id, body)
        return await self._call(ref, Call.EDIT, method, upload=_upload_bytes(body))

    async def delete(self, ref: str, chat_id: int, message_id: int) -> Answer:
        """Take a message away."""
        method = DeleteMessage(chat_id=chat_id, message_id=message_id)
        return await self._call(ref, Call.DELETE, method)

    async def close(self) -> None:
        """Close every bot's connections."""
        bots = [bot for _, bot in self._bots.values()] + self._retired
        self._bots.clear()
        self._retired.clear()
        await asyncio.gather(*(bot.session.close() for bot in bots))

    async def _call(
        self, ref: str, call: Call, method: TelegramMethod[R], *, upload: int = 0
    ) -> Answer:
        answer = await self._once(ref, call, method, upload)
        if isinstance(answer, BotStopped) and self._token_changed(ref):
            answer = await self._once(ref, call, method, upload)
        _CALLS.labels(method.__api_method__, type(answer).__name__.lower()).inc()
        return answer

    async def _once(self, ref: str, call: Call, method: TelegramMethod[R], upload: int) -> Answer:
        try:
            bot = self._bot(ref)
        except TokenMissing as missing:
            return BotStopped(missing.why)
        started = self._clock.monotonic()
        with witnessed() as witness, _SECONDS.labels(method.__api_method__).time():
            try:
                # Forwarded to aiohttp untouched, though aiogram types it as whole seconds.
                result = await bot(method, request_timeout=cast("int", timeout(upload)))
            except (AiogramError, OSError) as problem:
                fault = fault_of(problem, witness)
                return judge(fault, call=call, elapsed=self._clock.monotonic() - started)
        return _done(result)

    def _bot(self, ref: str) -> Bot:
        token = self._tokens.token(ref)
        held = self._bots.get(ref)
        if held is not None and held[0] == token:
            return held[1]
        if held is not None:
            # Its calls in flight end on their own; the connections close with the service.
            self._retired.append(held[1])
        bot = Bot(token.get_secret_value(), session=WitnessedSession(self._api_url))
        self._bots[ref] = (token, bot)
        return bot

    def _token_changed(self, ref: str) -> bool:
        """Read a refused token again; say whether another one stands there now."""
        held = self._bots.get(ref)
        self._tokens.forget(ref)
        try:
            return held is not None and self._tokens.token(ref) != held[0]
        except TokenMissing:
            return False


def _edit(chat_id: int, message_id: int, body: Body) -> TelegramMethod[Message | bool]:
    match body:
        case TextBody():
            return EditMessageText(
                chat_id=chat_id,
                message_id=message_id,
                text=body.text,
                parse_mode=None,
                entities=_entities(body.entities),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        case CaptionBody():
            return EditMessageCaption(
                chat_id=chat_id,
                message_id=message_id,
                caption=body.caption,
                parse_mode=None,
                caption_entities=_entities(body.entities),
            )
        case MediaBody():
            media = media_types.input_media(body, _entities(body.entities))
            return EditMessageMedia(chat_id=chat_id, message_id=message_id, media=media)


def _done(result: object) -> Done:
    if not isinstance(result, Message):
        return Done()
    file_id = media_types.file_id(result)
    if file_id is not None and len(file_id) > FILE_ID_LONGEST:
        log.info("telegram.file_id_dropped", length=len(file_id))
        file_id = None
    return Done(message_id=result.message_id, file_id=file_id)


def _entities(entities: tuple[Entity, ...]) -> list[MessageEntity]:
    return [
        MessageEntity(type=one.type, offset=one.offset, length=one.length, url=one.url)
        for one in entities
    ]


def _upload_bytes(body: Body) -> int:
    if isinstance(body, MediaBody) and isinstance(body.source, File):
        return len(body.source.content)
    return 0
