"""The least HTTP/1.1 that aiohttp, httpx and uvicorn speak: keep-alive, bodies of a told length."""

import asyncio
import re
from collections.abc import Callable
from typing import cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
END = b"\r\n\r\n"

Answer = Callable[[bytes, bytes], bytes]


class Unreadable(ValueError):
    """A message without a length; nobody here sends one."""


def split(held: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return head, body and the rest behind the first message, or None while it is incomplete."""
    head_ends = held.find(END)
    if head_ends < 0:
        return None
    head = held[:head_ends]
    told = LENGTH.search(head)
    if told is None and not head.startswith(b"GET "):
        raise Unreadable(head[:200])
    body_ends = head_ends + len(END) + (int(told[1]) if told else 0)
    if len(held) < body_ends:
        return None
    return head, held[head_ends + len(END) : body_ends], held[body_ends:]


def answer_of(body: bytes) -> bytes:
    """A good answer with this JSON."""
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    ) % (len(body), body)


class Serving(asyncio.Protocol):
    """One accepted connection; every request is answered at once, in order."""

    def __init__(self, answer: Answer) -> None:
        """`answer` gets path and body and returns JSON."""
        self._answer = answer
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (message := split(self._held)) is not None:
            head, body, self._held = message
            path = head.split(b" ", 2)[1]
            if self._transport is not None:
                self._transport.write(answer_of(self._answer(path, body)))


class Calling(asyncio.Protocol):
    """One kept connection; a call at a time."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[int] | None = None
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, problem: Exception | None) -> None:
        self.is_open = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(problem or ConnectionResetError("closed by the other side"))

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (message := split(self._held)) is not None:
            head, _, self._held = message
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(int(head[9:12]))

    async def send(self, request: bytes) -> int:
        """Send one whole request and return the status of its answer."""
        if self._transport is None or not self.is_open:
            raise ConnectionResetError("not connected")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def post(path: str, body: bytes, *, host: str, headers: dict[str, str] | None = None) -> bytes:
    """One whole POST request."""
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
        f"{more}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def call(host: str, port: int) -> Calling:
    """Open a connection."""
    loop = asyncio.get_running_loop()
    _, calling = await loop.create_connection(Calling, host, port)
    return calling
