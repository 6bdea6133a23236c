"""One HTTP session per bot: limits for every wait, and a witness of what has left us.

aiogram writes the calls and reads the refusals. Of a success only the ids are read: the chat, the
sender and the words that come back are what we sent, and validating them costs as much as the call.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Final, cast
from urllib.parse import urlencode

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import Response, TelegramMethod
from aiogram.types import InputFile
from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    FormData,
    TraceConfig,
    TraceRequestHeadersSentParams,
)

from deliverer.domain.answers import Done
from deliverer.telegram import replies

TOTAL: Final = 75.0  # seconds; Telegram itself may hold a call for 8, an upload takes longer
CONNECT: Final = 10.0  # seconds for a free connection, pool wait included
SOCK_CONNECT: Final = 5.0  # seconds for TCP and TLS
UPLOAD_RATE: Final = 256 * 1024  # bytes a second of the slowest line we wait for
CONNECTIONS: Final = 300  # three times the workers: an upload never starves an edit
KEEP_ALIVE: Final = 30.0  # seconds; a kept connection saves a handshake, telegram.md 7.4


@dataclass(slots=True)
class Witness:
    """What is known of one call whatever exception it ends in."""

    left_us: bool = False
    status: int = 0


_witness: ContextVar[Witness | None] = ContextVar("telegram_call_witness", default=None)


@contextmanager
def witnessed() -> Iterator[Witness]:
    """Watch the one call made inside the block."""
    witness = Witness()
    token = _witness.set(witness)
    try:
        yield witness
    finally:
        _witness.reset(token)


def timeout(seconds: float | None = None) -> ClientTimeout:
    """Return the limits of one call; plain seconds would lose the limits on connecting."""
    total = TOTAL if seconds is None else seconds
    return ClientTimeout(total=total, connect=CONNECT, sock_connect=SOCK_CONNECT)


class WitnessedSession(AiohttpSession):
    """aiogram's session with precise connect limits, one TLS curve, and the witness."""

    def __init__(self, api_url: str) -> None:
        """`api_url` is the root of the Bot API, a sandbox's or Telegram's own."""
        super().__init__(
            limit=CONNECTIONS,
            api=TelegramAPIServer.from_base(api_url),
            timeout=cast("float", timeout()),
        )
        if api_url.startswith("https://"):
            self._connector_init["ssl"] = _one_curve(self._connector_init["ssl"])
        self._connector_init["keepalive_timeout"] = KEEP_ALIVE

    async def create_session(self) -> ClientSession:
        """Open the session once, with the tracing that aiogram has no door for."""
        if self._session is None or self._session.closed:
            trace = TraceConfig()
            trace.on_request_headers_sent.append(_note_sent)
            self._session = ClientSession(
                connector=self._connector_type(**self._connector_init), trace_configs=[trace]
            )
            self._should_reset_connector = False
        return self._session

    async def close(self) -> None:
        """Close without aiogram's pause: aiohttp itself waits for its transports."""
        if self._session is not None and not self._session.closed:
            await self._session.close()

    async def call(self, bot: Bot, method: TelegramMethod[Any], limits: ClientTimeout) -> Done:
        """Make one call; raises aiogram's errors for all that did not succeed readably."""
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        body, headers = self._body(bot, method)
        try:
            # Telegram never redirects; whoever does would get the call, or its answer would be believed.
            async with session.post(
                url, data=body, headers=headers, timeout=limits, allow_redirects=False
            ) as answer:
                raw = await answer.read()
        except TimeoutError as late:
            raise TelegramNetworkError(method=method, message="no answer in time") from late
        except ClientError as broken:
            raise TelegramNetworkError(method=method, message=type(broken).__name__) from broken
        if (witness := _witness.get()) is not None:
            witness.status = answer.status
        done = replies.read(raw) if answer.status == HTTPStatus.OK else None
        if done is None:
            _response_of(method.__returning__)
            self.check_response(bot, method, answer.status, raw.decode("utf-8", "replace"))
        return done or Done()

    def _body(
        self, bot: Bot, method: TelegramMethod[Any]
    ) -> tuple[bytes | FormData, dict[str, str]]:
        """Write a call as aiogram does, without a form's parts where no file travels."""
        files: dict[str, InputFile] = {}
        prepared = (
            (name, self.prepare_value(value, bot=bot, files=files))
            # What is not set has no default here: no bot of ours has properties of its own.
            for name, value in method.model_dump(
                warnings=False, include=method.model_fields_set
            ).items()
        )
        fields = [(name, value) for name, value in prepared if value]
        if files:
            return self.build_form_data(bot, method), {}
        return urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}


@cache
def _response_of(returning: Any) -> type[Response[Any]]:  # noqa: ANN401 - aiogram keeps it untyped
    """Hold aiogram's model of a reply: pydantic forgets one that nobody holds, and building it is slow."""
    return Response[returning]


async def _note_sent(
    session: ClientSession,  # noqa: ARG001 - the signature is given
    context: SimpleNamespace,  # noqa: ARG001 - the signature is given
    params: TraceRequestHeadersSentParams,  # noqa: ARG001 - the signature is given
) -> None:
    if (witness := _witness.get()) is not None:
        witness.left_us = True


def _one_curve(context: Any) -> ssl.SSLContext:  # noqa: ANN401 - aiogram keeps it untyped
    # OpenSSL 3.5's default groups make every sixth fresh handshake fail; telegram.md 7.4.
    chosen = cast("ssl.SSLContext", context)
    chosen.set_ecdh_curve("X25519")
    return chosen
