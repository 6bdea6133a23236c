"""Heads of requests are read within bounds of time and size: who dawdles or babbles is hung up on.

uvicorn bounds neither, nor how many connections there are. A connection that never ends its head would be
kept for ever, one that adds a header a second would grow until the process is out of memory, and enough of
either would take every file descriptor. So a port that is full makes room: whoever has asked nothing for
longest goes, and callers who ask are served.
"""

import asyncio
from typing import ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from chassis.metrics import counter

HEAD_SECONDS: Final = (
    10.0  # from the connection, or a later request's first byte, to the head's end
)
HEAD_BYTES: Final = 32_768  # KIE's heads take some hundred
TOO_SLOW: Final = b"408 Request Timeout"
CROWDED: Final = b"503 Service Unavailable"
TOO_LARGE: Final = b"431 Request Header Fields Too Large"

_GIVEN_UP = counter("http_heads_given_up_total", "Connections closed over their head.", ["reason"])


class BoundedHeads(HttpToolsProtocol):
    """One connection of uvicorn's, with both bounds."""

    head_seconds: ClassVar[float] = HEAD_SECONDS
    head_bytes: ClassVar[int] = HEAD_BYTES

    _deadline: asyncio.TimerHandle | None = None
    _since = 0.0  # when the wait for its latest head began
    _read = 0  # bytes since the head began; what follows it in its last chunk is not counted

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for a head, and make room if there are too many that do."""
        super().connection_made(transport)
        self._await_head()
        # uvicorn refuses requests when there are as many connections as allowed.
        while self.limit_concurrency and len(self.connections) >= self.limit_concurrency:
            if not self._make_room():
                return

    def data_received(self, data: bytes) -> None:
        """Parse, and give up on a head that grew too large."""
        super().data_received(data)
        if self._deadline is not None:
            self._read += len(data)
            if self._read > self.head_bytes:
                self._give_up(TOO_LARGE, "large")

    def on_message_begin(self) -> None:
        """Begin to wait for a later head; the first is waited for already."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _make_room(self) -> bool:
        resting = [
            one
            for one in self.connections
            if isinstance(one, BoundedHeads) and one.is_resting and one is not self
        ]
        if not resting:
            return False
        longest = min(resting, key=lambda one: one._since)  # noqa: SLF001 - one of us
        self.connections.discard(longest)  # closing takes it another turn of the loop
        longest._give_up(CROWDED, "crowded")  # noqa: SLF001 - one of us
        return True

    @property
    def is_resting(self) -> bool:
        """True while nothing that was asked here waits for its answer."""
        latest = cast("RequestResponseCycle | None", self.cycle)  # None before the first head's end
        return latest is None or latest.response_complete

    def _await_head(self) -> None:
        self._read = 0
        self._since = self.loop.time()
        self._deadline = self.loop.call_later(self.head_seconds, self._give_up, TOO_SLOW, "slow")

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self, status: bytes, reason: str) -> None:
        self._stop_waiting()
        if self.transport.is_closing():
            return
        _GIVEN_UP.labels(reason).inc()
        # An answer that is under way is not spoken into.
        if self.is_resting:
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
        self.transport.close()


def bounded(*, seconds: float = HEAD_SECONDS, size: int = HEAD_BYTES) -> type[BoundedHeads]:
    """Return the protocol with these bounds, for uvicorn's ``http``; size in bytes."""

    class Bounded(BoundedHeads):
        head_seconds = seconds
        head_bytes = size

    return Bounded
