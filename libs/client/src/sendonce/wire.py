"""What carries a bot's requests: NATS in production (`link`), memory in a bot developer's tests (`testing`)."""

import asyncio
from contextlib import AbstractContextManager
from typing import Protocol


class NoAnswer(Exception):
    """One try went unanswered; `sent` is False when it certainly never reached anybody."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Wire(Protocol):
    """One connection of one bot."""

    @property
    def closed(self) -> bool:
        """True after `close`, until it is opened again."""

    async def open(self, *, within: float) -> None:
        """Connect, trying until so many seconds have passed; harmless when open."""

    async def close(self) -> None:
        """End the connection and every loop that waits on it; harmless when repeated."""

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        """Ask once; raises `NoAnswer` when nobody answered."""

    def news(self) -> AbstractContextManager[asyncio.Event]:
        """A flag raised whenever a job of this bot moved, or may have while we were away."""

    def returns(self) -> AbstractContextManager[asyncio.Event]:
        """A flag raised whenever a lost connection is back."""
