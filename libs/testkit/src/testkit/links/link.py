"""One address in front of one or several others; every byte passes through it, until told otherwise."""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from testkit.links.robbers import CUT, Robber
from testkit.ports import LOOPBACK

CHUNK: Final = 65_536
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


class State(StrEnum):
    """What the link does with bytes."""

    OPEN = "open"
    SLOW = "slow"  # every chunk waits `delay` seconds, in both directions
    SILENT = "silent"  # nothing passes, nobody is told
    DEAF = "deaf"  # what is asked passes, what is answered does not: half a connection
    SHUT = "shut"  # new connections are reset at once


class Link:
    """A proxy on loopback; several targets are taken by turn, one that is away is passed over."""

    def __init__(
        self,
        *targets: int,
        port: int,
        robber: Callable[[], Robber] | None = None,
    ) -> None:
        self.port = port
        self.state = State.OPEN
        self.delay = 0.0
        self._targets: Sequence[int] = targets
        self._robber = robber
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._open = asyncio.Event()
        self._open.set()

    @property
    def connections(self) -> int:
        """How many pass through now."""
        return len(self._pairs)

    def set(self, state: State, *, delay: float = 0.0) -> None:
        """Change what happens to every byte from now on."""
        self.state, self.delay = state, delay
        if state in (State.SILENT, State.DEAF):
            self._open.clear()
        else:
            self._open.set()

    def cut(self) -> int:
        """Reset every connection on both sides; returns how many."""
        pairs = list(self._pairs)
        for pair in pairs:
            pair.reset()
        return len(pairs)

    def half_close(self) -> int:
        """Tell every client that nothing more will come, while it may go on talking."""
        pairs = list(self._pairs)
        for pair in pairs:
            pair.end_answers()
        return len(pairs)

    async def listen(self) -> None:
        """Open the port, also again."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    async def refuse(self) -> None:
        """Cut what passes and close the port: whoever connects is refused, and knows that nothing was sent."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for pair in list(self._pairs):
            await pair.over()

    async def passes(self, *, is_answer: bool) -> None:
        """Wait as long as this link keeps a chunk."""
        if self.state is State.SLOW:
            await asyncio.sleep(self.delay)
        while self.state is State.SILENT or (self.state is State.DEAF and is_answer):
            await self._open.wait()

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.set()
        self.state = State.SHUT
        await self.refuse()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = None if self.state is State.SHUT else await self._connect()
        if far is None:
            _reset(writer)
            return
        pair = _Pair(self, (reader, writer), far, self._robber() if self._robber else None)
        self._pairs.add(pair)
        try:
            await pair.run()
        finally:
            self._pairs.discard(pair)

    async def _connect(self) -> "_Ends | None":
        self._turn += 1
        for number in range(len(self._targets)):
            target = self._targets[(self._turn + number) % len(self._targets)]
            with suppress(OSError):
                return await asyncio.open_connection(LOOPBACK, target)
        return None


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pair:
    """One connection: its near end, its far end and who may steal from the answers."""

    def __init__(self, link: Link, near: _Ends, far: _Ends, robber: Robber | None) -> None:
        self._link, self._near, self._far, self._robber = link, near, far, robber
        self._pumps: list[asyncio.Task[None]] = []
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Pass bytes both ways until either side ends."""
        self._pumps = [
            asyncio.create_task(self._asks()),
            asyncio.create_task(self._answers()),
        ]
        try:
            await asyncio.wait(self._pumps)
        finally:
            for pump in self._pumps:
                pump.cancel()
            for _, writer in (self._near, self._far):
                writer.close()
            self._done.set()

    async def over(self) -> None:
        """Wait until nothing of it is left."""
        await self._done.wait()

    def reset(self) -> None:
        """End both sides as a cable does that is torn out."""
        for pump in self._pumps:
            pump.cancel()
        for _, writer in (self._near, self._far):
            _reset(writer)

    def end_answers(self) -> None:
        """Half-close towards the client."""
        if len(self._pumps) > 1:
            self._pumps[1].cancel()
        with suppress(OSError, RuntimeError):
            self._near[1].write_eof()

    async def _asks(self) -> None:
        try:
            while chunk := await self._near[0].read(CHUNK):
                await self._link.passes(is_answer=False)
                if self._robber is not None:
                    self._robber.asks(chunk)
                self._far[1].write(chunk)
                await self._far[1].drain()
            self._far[1].write_eof()
        except OSError:
            self.reset()  # whoever was killed with something unread leaves by a reset, not by an end

    async def _answers(self) -> None:
        try:
            while chunk := await self._far[0].read(CHUNK):
                await self._link.passes(is_answer=True)
                left = chunk if self._robber is None else self._robber.answers(chunk)
                if left is CUT:
                    self.reset()
                    return
                self._near[1].write(left)
                await self._near[1].drain()
            self._near[1].write_eof()
        except OSError:
            self.reset()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    with suppress(OSError):
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
