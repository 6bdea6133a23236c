"""A Telegram that keeps every call open until it is told to answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

CHAT = 1001
MESSAGE_ID = 77


@dataclass
class SlowTelegram:
    """Answers when it is told to, and counts who asked."""

    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0

    async def serve(self, _request: web.Request) -> web.Response:
        self.calls += 1
        self.asked.set()
        await self.answer.wait()
        chat = {"id": CHAT, "type": "private", "first_name": "U"}
        return web.json_response(
            {"ok": True, "result": {"message_id": MESSAGE_ID, "date": 1, "chat": chat}}
        )


@asynccontextmanager
async def listening(serve: Handler) -> AsyncIterator[str]:
    """Have every call on a port of loopback served; yields the address."""
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@asynccontextmanager
async def serving() -> AsyncIterator[SlowTelegram]:
    """Serve it on loopback."""
    made = SlowTelegram()
    async with listening(made.serve) as made.url:
        yield made
