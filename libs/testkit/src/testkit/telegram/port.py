"""A listening port that can be shut for a while and opened again, still ours."""

import asyncio
import socket

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

BACKLOG = 1024


class Port:
    """Holds one TCP port for a runner."""

    def __init__(self, *, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Bound but never listening: while the server does not listen, connections are refused,
        # and nobody else is given the number.
        self._guard = socket.socket(family, socket.SOCK_STREAM)
        self._guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._guard.bind((host, port))
        self.number = int(self._guard.getsockname()[1])
        self._host = host
        self._site: web.TCPSite | None = None
        self._runner: web.AppRunner | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._serving: set[asyncio.BaseTransport] = set()

    async def open(self, runner: web.AppRunner) -> None:
        """Listen."""
        self._runner = runner
        await self._listen(runner)

    async def _listen(self, runner: web.AppRunner) -> None:
        site = web.TCPSite(
            runner, self._host, self.number, backlog=BACKLOG, reuse_address=True, reuse_port=True
        )
        await site.start()
        self._site = site

    async def refuse(self, seconds: float) -> None:
        """Refuse connections for a while, and drop the idle ones."""
        if self._site is None or self._runner is None:
            return
        site, self._site = self._site, None
        await site.stop()
        self._drop_idle(self._runner)
        self._reopening = asyncio.create_task(self._reopen(self._runner, seconds))

    def _drop_idle(self, runner: web.AppRunner) -> None:
        for connection in list(runner.server.connections if runner.server else ()):
            transport = connection.transport
            if transport is not None and transport not in self._serving:
                transport.close()

    async def open_again(self) -> None:
        """Wait until a refusal is over."""
        if self._reopening is not None:
            await self._reopening

    async def _reopen(self, runner: web.AppRunner, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen(runner)

    async def close(self) -> None:
        """Give the port up."""
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        self._guard.close()

    def watch(self) -> Middleware:
        """A middleware that knows which connections are in the middle of a request."""

        @web.middleware
        async def watching(request: web.Request, handler: Handler) -> web.StreamResponse:
            transport = request.transport
            if transport is None:
                return await handler(request)
            self._serving.add(transport)
            try:
                return await handler(request)
            finally:
                self._serving.discard(transport)

        return watching
