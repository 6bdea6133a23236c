"""Telegram never redirects: who does so is somebody in between, and what they do with a call is not known."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import SecretStr

from deliverer.domain.answers import Unclear
from deliverer.domain.posts import Place
from deliverer.telegram.calls import Telegram
from deliverer.telegram.tokens import Tokens
from slow_telegram import listening

CHAT = 1001


@dataclass
class Middlebox:
    """Redirects every call to a page of its own that would answer as Telegram does."""

    url: str = ""
    status: int = 302
    paths: list[str] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        if request.path != "/elsewhere":
            return web.Response(status=self.status, headers={"Location": "/elsewhere"})
        message = {"message_id": 5, "date": 1, "chat": {"id": CHAT, "type": "private"}}
        return web.json_response({"ok": True, "result": message})


@pytest.fixture
async def middlebox() -> AsyncIterator[Middlebox]:
    made = Middlebox()
    async with listening(made.serve) as made.url:
        yield made


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_fault_45_a_redirect_is_not_followed_and_not_believed(
    middlebox, stack, system_clock, token, status: int
):
    middlebox.status = status
    tokens = Tokens(default=SecretStr(token), secrets_dir=None)
    room = Telegram(tokens, api_url=middlebox.url, clock=system_clock)
    stack.push_async_callback(room.close)

    answer = await room.send_text("default", Place(chat_id=CHAT), "hello", silent=True)

    assert isinstance(answer, Unclear), answer
    assert len(middlebox.paths) == 1
