"""A callback receiver for tests: answers as scripted and keeps what it was sent."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from aiohttp import web

STOP_WITHIN = 0.2


@dataclass(frozen=True, slots=True)
class Received:
    """One callback as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """The body read as an object."""
        body: dict[str, object] = json.loads(self.body)
        return body


class CallbackReceiver:
    """`async with CallbackReceiver() as receiver:` answers 200 unless `answers` says otherwise."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answers: deque[int] = deque()  # statuses of the next callbacks
        self.gate = asyncio.Event()  # while it is clear, no callback is answered
        self.gate.set()
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/{path:.*}", self._receive)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_WITHIN
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/callbacks"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, claim: Callable[[Self], bool], *, within: float = 10.0) -> None:
        """Wait for a fact about what arrived; TimeoutError if it does not come true."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: claim(self))

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append(Received(request.path_qs, dict(request.headers), body))
        async with self._changed:
            self._changed.notify_all()
        status = self.answers.popleft() if self.answers else 200
        await self.gate.wait()
        return web.Response(status=status, text='{"status":"received"}')
