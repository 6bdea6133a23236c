"""The NATS connection: it never gives up, buffers nothing, and tells who waits that something happened."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nkeys import NkeysError, from_seed  # type: ignore[import-untyped]  # ships no types

from contracts.subjects import job_event
from sendonce.errors import InvalidRequest, NotConnected, Unavailable
from sendonce.wire import NoAnswer

log = logging.getLogger("sendonce")

PING_INTERVAL = 5  # s; with two outstanding pings a dead link is noticed in 15 s instead of minutes
PINGS_OUTSTANDING = 2
RECONNECT_WAIT = 0.5  # s between attempts; a restarted server is found within one
CONNECT_TIMEOUT = 3  # s for one attempt
CLOSE_TIMEOUT = 5.0  # s to say goodbye
SEED_OF_A_USER = "SU"  # how the text of an nkey's seed begins
JWT = "BEGIN NATS USER JWT"  # what nats-py looks for in the other kind of file, for ever
WAITING_TO_CONNECT = "not connected to NATS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where NATS is and who we are there; holds secrets, so it is never shown."""

    servers: Sequence[str]
    bot: str
    creds: str | Path | None = None
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"Address(bot={self.bot!r})"


class Link:
    """One connection of one bot."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: Client | None = None
        self._readers: set[asyncio.Event] = set()
        self._askers: set[asyncio.Event] = set()
        self._relinking = asyncio.Lock()
        self._complaint = ""
        self._closed = False

    @property
    def closed(self) -> bool:
        """True after `close`, until it is opened again."""
        return self._closed

    async def open(self, *, within: float) -> None:
        """Connect, trying until so many seconds have passed.

        Raises:
            Unavailable: nobody let us in by then.
            InvalidRequest: the address or the credentials file cannot be used at all.
        """
        if self._client is not None:
            return
        self._closed = False
        self._client = await self._connect(within)

    async def close(self) -> None:
        """End the connection and every loop that waits on it; harmless when repeated."""
        client, self._client = self._client, None
        self._closed = True
        self._wake_all()
        if client is not None:
            await _leave(client)

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        """Ask once.

        Raises:
            NoAnswer: nobody answered.
            InvalidRequest: the request is larger than NATS carries.
            NotConnected: before `open`, or closed meanwhile.
        """
        client = await self._live(timeout)
        try:
            reply = await client.request(subject, payload, timeout=timeout)
        except errors.MaxPayloadError:
            raise InvalidRequest(
                f"the request is {len(payload)} bytes and NATS carries {client.max_payload}",
                "hand media over as URLs, not inline; nothing was changed",
            ) from None
        except errors.NoRespondersError:
            raise NoAnswer("nobody serves this bot's requests now", sent=False) from None
        except errors.OutboundBufferLimitError:
            raise NoAnswer(self._saying(WAITING_TO_CONNECT), sent=False) from None
        except (errors.Error, OSError) as problem:
            # A refused publish is silence too; the server's complaint then says so.
            reason = "no reply" if isinstance(problem, TimeoutError) else type(problem).__name__
            raise NoAnswer(self._saying(reason), sent=True) from None
        self._complaint = ""
        return reply.data

    @contextlib.contextmanager
    def news(self) -> Iterator[asyncio.Event]:
        """A flag raised whenever a job of this bot moved, or may have while we were away."""
        with _listed(self._readers) as flag:
            yield flag

    @contextlib.contextmanager
    def returns(self) -> Iterator[asyncio.Event]:
        """A flag raised whenever a lost connection is back."""
        with _listed(self._askers) as flag:
            yield flag

    async def _live(self, within: float) -> Client:
        if self._client is None:
            raise NotConnected(
                "not connected: use `async with SendOnce(...)`, or await connect() first"
            )
        if self._client.is_closed:
            # nats-py ends a connection for good on an expired login or a protocol error.
            async with self._relinking:
                return await self._relink(within)
        return self._client

    async def _relink(self, within: float) -> Client:
        ours = self._client
        if ours is not None and not ours.is_closed:
            return ours
        try:
            client = await self._connect(within)
        except Unavailable as problem:
            raise NoAnswer(problem.message, sent=False) from None
        if self.closed:
            await _leave(client)
            raise NotConnected("closed while reconnecting")
        self._client = client
        self._wake_all()
        return client

    async def _connect(self, within: float) -> Client:
        client = Client()
        try:
            async with asyncio.timeout(within):
                await self._dial(client)
                await client.subscribe(job_event("*", self._address.bot), cb=self._on_news)
        except asyncio.CancelledError:
            await _leave(client)
            raise
        except (TimeoutError, errors.ConnectionClosedError):
            await _leave(client)
            raise Unavailable(
                self._saying(f"could not connect to NATS within {within:g} s"),
                "is it running, is nats_url right, does it accept these credentials; nothing was asked",
            ) from None
        except (errors.Error, OSError, ValueError, ImportError, NkeysError) as problem:
            # The text of a parser may quote a part of the password.
            raise InvalidRequest(
                f"the connection arguments cannot be used ({type(problem).__name__})",
                "correct nats_url, creds or tls",
            ) from None
        return client

    async def _dial(self, client: Client) -> None:
        address = self._address
        seed, creds = _login(address.creds)
        await client.connect(
            list(address.servers),
            name=f"bot {address.bot}",
            # The default of 60 attempts closes the connection for good after two minutes.
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT,  # type: ignore[arg-type]  # it is slept for, a float is fine
            connect_timeout=CONNECT_TIMEOUT,
            ping_interval=PING_INTERVAL,
            max_outstanding_pings=PINGS_OUTSTANDING,
            # No reconnect buffer: what cannot be sent now fails now and is asked again.
            pending_size=0,
            # An inbox of its own, so that permissions can keep bots out of each other's replies.
            inbox_prefix=f"_INBOX_{address.bot}",
            tls=address.tls,
            nkeys_seed=seed,
            user_credentials=creds,
            error_cb=self._on_error,
            reconnected_cb=self._on_reconnected,
        )
        _follow(client, seed)

    async def _on_news(self, _msg: Msg) -> None:
        for flag in self._readers:
            flag.set()

    async def _on_reconnected(self) -> None:
        log.info("nats.reconnected bot=%s", self._address.bot)
        self._wake_all()

    async def _on_error(self, problem: Exception) -> None:
        told = str(problem) or type(problem).__name__
        # What NATS says explains more than the broken pipe that follows it.
        if isinstance(problem, errors.Error) or not self._complaint:
            self._complaint = told
        log.warning("nats.error bot=%s problem=%s", self._address.bot, told)

    def _wake_all(self) -> None:
        for flag in self._readers | self._askers:
            flag.set()

    def _saying(self, reason: str) -> str:
        return f"{reason} (NATS: {self._complaint})" if self._complaint else reason


def _login(file: str | Path | None) -> tuple[str | None, str | None]:
    """Return the file as the seed of an nkey, or as JWT and key; never as both."""
    if file is None:
        return None, None
    text = Path(file).read_text("utf-8").lstrip()
    if text.startswith(SEED_OF_A_USER):
        return str(file), None
    if JWT not in text:
        raise ValueError("the file is neither the seed of an nkey nor a .creds file")
    return None, str(file)


def _follow(client: Client, seed: str | None) -> None:
    """Have each later connect show the seed that then stands in the file: it may be replaced.

    nats-py signs with the file's seed of the moment, but under the public key it saw first.
    """
    sign = client._signature_cb  # noqa: SLF001 - there is no public way to replace an nkey
    if seed is None or sign is None:
        return

    def signed(nonce: str) -> bytes:
        pair = from_seed(bytearray(Path(seed).read_bytes().strip()))
        client._public_nkey = pair.public_key.decode()  # noqa: SLF001 - as above; read after the signature is made
        pair.wipe()
        signature: bytes = sign(nonce)
        return signature

    client._signature_cb = signed  # noqa: SLF001 - as above


async def _leave(client: Client) -> None:
    # The server may be gone already; there is nothing left to save, everything was asked or refused.
    with contextlib.suppress(errors.Error, OSError):
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await client.close()


@contextlib.contextmanager
def _listed(flags: set[asyncio.Event]) -> Iterator[asyncio.Event]:
    flag = asyncio.Event()
    flags.add(flag)
    try:
        yield flag
    finally:
        flags.discard(flag)
