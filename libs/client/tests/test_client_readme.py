"""The README's bot is real: it is compiled, given an update, and makes one job of it."""

import ast
import re
import runpy
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import Chat, Message, Update, User

from client_store import Service, refuse
from contracts.api import RefusalName
from sendonce import SendOnce

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
TOKEN = "42:TEST"
MODERATE = 30  # lines a reader takes in at one look


class Chatted(BaseSession):
    """Telegram's side of the bot: remembers what it was told to say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    async def make_request(
        self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None
    ) -> Any:
        assert isinstance(method, SendMessage)
        self.said.append(method.text)
        return message(text=method.text)

    async def stream_content(self, *_args: Any, **_kwargs: Any) -> AsyncGenerator[bytes, None]:
        yield b""

    async def close(self) -> None:
        """Nothing is open."""


def message(text: str) -> Message:
    return Message(
        message_id=42,
        date=datetime(2026, 11, 24, tzinfo=UTC),
        chat=Chat(id=5, type="private"),
        from_user=User(id=5, is_bot=False, first_name="Anna", language_code="ru"),
        text=text,
    )


@pytest.fixture
def dispatcher(tmp_path: Path) -> Dispatcher:
    bot = tmp_path / "bot.py"
    bot.write_text(BLOCKS[0], encoding="utf-8")
    found = runpy.run_path(str(bot))["dispatcher"]
    assert isinstance(found, Dispatcher)
    return found


async def test_the_bot_makes_one_job_of_a_repeated_update(
    sendonce: SendOnce, service: Service, dispatcher: Dispatcher
) -> None:
    bot = Bot(TOKEN, session=(telegram := Chatted()))

    for number in (1, 2):
        update = Update(update_id=number, message=message("a cat"))
        await dispatcher.feed_update(bot, update, sendonce=sendonce)

    (job,) = service.store.jobs.values()
    assert (job.key, job.price, job.currency) == ("5:42", 1990, "RUB")
    assert len(service.store.asked) == 2
    assert telegram.said == []


@pytest.mark.parametrize(
    "code, said",
    [(RefusalName.INSUFFICIENT_FUNDS, "Not enough money"), (RefusalName.PAUSED, "No new pictures")],
)
async def test_the_bot_tells_its_user_about_a_refusal(
    sendonce: SendOnce, service: Service, dispatcher: Dispatcher, code: RefusalName, said: str
) -> None:
    bot = Bot(TOKEN, session=(telegram := Chatted()))
    service.store.scripts.append(refuse(code))

    await dispatcher.feed_update(
        bot, Update(update_id=1, message=message("a cat")), sendonce=sendonce
    )

    (answer,) = telegram.said
    assert said in answer


def test_every_example_is_valid_code_and_short() -> None:
    for block in BLOCKS:
        compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert sum(bool(line.strip()) for line in block.splitlines()) < MODERATE


def test_every_method_is_named_and_documented() -> None:
    methods = [name for name in vars(SendOnce) if not name.startswith("_")]

    for name in methods:
        assert getattr(SendOnce, name).__doc__, name
        if name not in ("connect", "close"):
            assert re.search(rf"\b{name}\b", README.read_text(encoding="utf-8")), name
