"""An internet of our own: every name is answered as told, every address leads to one server on loopback.

Only the edges are played: what a resolver says, and where a connection goes. So an address that is not refused answers,
and a file comes back from it.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

PUBLIC = "93.184.215.14"
Writer = asyncio.StreamWriter
Answer = Callable[[Writer], Any]


@dataclass
class Internet:
    """What was asked, and what was connected to."""

    port: int = 0
    dialled: list[str] = field(default_factory=list)  # addresses, in turn
    asked: list[str] = field(default_factory=list)  # names, in turn
    names: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)  # by path
    serving: set["asyncio.Task[None]"] = field(default_factory=set)
    down: set[str] = field(default_factory=set)  # addresses where nobody answers

    def addresses(self, name: str) -> tuple[str, ...]:
        """Answer a question; the last answer stands for all later ones."""
        self.asked.append(name)
        told = self.names[name]
        return told.pop(0) if len(told) > 1 else told[0]

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """Answer one request; who is served may leave in the middle."""
        self.serving.add(cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            with contextlib.suppress(ConnectionError):
                head = await reader.readuntil(b"\r\n\r\n")
                await self.answers[urlsplit(head.split(b" ")[1].decode()).path](writer)
                await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def leave(self) -> None:
        """Give up whoever is being served."""
        for each in self.serving:
            each.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)


@asynccontextmanager
async def played(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Internet]:
    """Let the event loop's connections lead here until the block is left."""
    made = Internet()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    connect, look_up = loop.sock_connect, socket.getaddrinfo

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        made.dialled.append(address[0])
        if address[0] in made.down:
            raise ConnectionRefusedError(address[0])
        here = "127.0.0.1" if sock.family is socket.AF_INET else "::ffff:127.0.0.1"
        await connect(sock, (here, made.port))

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        addresses = made.addresses(host) if host in made.names else (host,)
        return [one for each in addresses for one in look_up(each, port, *args, **kwargs)]

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with server:
        yield made
        await made.leave()


def file(content: bytes, mime: str = "image/png") -> Answer:
    """Answer with a file."""

    async def answer(writer: Writer) -> None:
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\nContent-Length: {len(content)}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        writer.write(content)

    return answer


def endless(piece: bytes, *, every: float = 0.0, declared: int | None = None) -> Answer:
    """Answer with pieces that never end, so many seconds apart."""
    length = "" if declared is None else f"Content-Length: {declared}\r\n"

    async def answer(writer: Writer) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n{length}\r\n".encode())
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)  # noqa: TID251 - how slow it is

    return answer


def moved(target: str) -> Answer:
    """Answer with a redirect."""

    async def answer(writer: Writer) -> None:
        writer.write(
            f"HTTP/1.1 302 Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n".encode()
        )

    return answer
