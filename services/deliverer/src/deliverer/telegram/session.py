"""One HTTP session per bot: limits for every wait, and a witness of what has left us."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, cast

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import ClientSession, ClientTimeout, TraceConfig, TraceRequestHeadersSentParams

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

    def check_response(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        status_code: int,
        content: str,
    ) -> Response[TelegramType]:
        """Note the status, which aiogram's exceptions lose, and go on."""
        if (witness := _witness.get()) is not None:
            witness.status = status_code
        return super().check_response(bot, method, status_code, content)


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
