"""Every sample of the README and the root README runs as it stands there."""

import ast
import re
import runpy
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.base import BaseSession
from aiogram.methods import AnswerCallbackQuery, SendMessage, TelegramMethod
from aiogram.types import CallbackQuery, Chat, Message, Update, User

import sendonce as sdk
from sendonce import JobState, MoneyState, SendOnce
from sendonce.testing import SendOnceDouble

README = Path(__file__).parents[1] / "README.md"
ROOT_README = Path(__file__).parents[3] / "README.md"
TOKEN = "42:TEST"
MODERATE = 30  # lines a reader takes in at one look
ANNA = User(id=5, is_bot=False, first_name="Anna", language_code="ru")


def samples(readme: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)


WHOLE_BOT, TAP, MONEY, EXPECT, DELIVER, EVENTS, DOUBLE = samples(README)
(ROOT_BOT,) = samples(ROOT_README)


class Chatted(BaseSession):
    """Telegram's side of the bot: remembers what it was told to say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    async def make_request(
        self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None
    ) -> Any:
        assert isinstance(method, SendMessage | AnswerCallbackQuery)
        self.said.append(method.text or "")
        return message(text="said")

    async def stream_content(self, *_args: Any, **_kwargs: Any) -> AsyncGenerator[bytes, None]:
        yield b""

    async def close(self) -> None:
        """Nothing is open."""


def message(text: str) -> Message:
    return Message(
        message_id=42,
        date=datetime(2026, 11, 24, tzinfo=UTC),
        chat=Chat(id=5, type="private"),
        from_user=ANNA,
        text=text,
    )


def dispatcher_of(sample: str, tmp_path: Path) -> Dispatcher:
    bot = tmp_path / "bot.py"
    bot.write_text(sample, encoding="utf-8")
    found = runpy.run_path(str(bot))["dispatcher"]
    assert isinstance(found, Dispatcher)
    return found


async def run(sample: str, **names: Any) -> dict[str, Any]:
    """Execute a sample that awaits at its top level, with the names the text around it speaks of."""
    code = compile(sample, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    public = {name: getattr(sdk, name) for name in sdk.__all__}
    space = {**public, **names}
    made = eval(code, space)  # noqa: S307, RUF100 - our own README
    if made is not None:
        await made
    return space


@pytest.fixture(params=[WHOLE_BOT, ROOT_BOT], ids=["sdk", "root"])
def dispatcher(request: pytest.FixtureRequest, tmp_path: Path) -> Dispatcher:
    return dispatcher_of(request.param, tmp_path)


async def feed(dispatcher: Dispatcher, double: SendOnce, *, times: int = 1) -> list[str]:
    """Give a bot the same update so often; return what it said."""
    telegram = Chatted()
    for number in range(times):
        update = Update(update_id=number, message=message("a cat"))
        await dispatcher.feed_update(Bot(TOKEN, session=telegram), update, sendonce=double)
    return telegram.said


async def test_the_bot_makes_one_job_of_a_repeated_update(dispatcher: Dispatcher) -> None:
    async with SendOnceDouble() as double:
        await double.topup(5, currency="RUB", amount=1_990, reference="gift")

        said = await feed(dispatcher, double, times=2)

        (job,) = double.jobs
        assert (job.price, job.currency, job.chat_id, job.user_id) == (1990, "RUB", 5, 5)
        assert said == []


async def test_the_bot_tells_its_user_about_missing_money(dispatcher: Dispatcher) -> None:
    async with SendOnceDouble() as double:
        (said,) = await feed(dispatcher, double)

        assert "Not enough money" in said
        assert double.jobs == ()


async def test_the_bot_tells_its_user_about_a_pause(tmp_path: Path) -> None:
    async with SendOnceDouble() as double:
        double.pause()

        (said,) = await feed(dispatcher_of(WHOLE_BOT, tmp_path), double)

        assert "No new pictures" in said


@pytest.mark.parametrize("sample", [WHOLE_BOT, ROOT_BOT], ids=["sdk", "root"])
async def test_the_bot_starts(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nats_url: str
) -> None:
    """Its `main` connects to NATS and begins to poll."""
    polled: list[Bot] = []
    monkeypatch.setenv("NATS_URL", nats_url)
    monkeypatch.setenv("BOT_TOKEN", TOKEN)

    async def start_polling(self: Dispatcher, bot: Bot, **names: Any) -> None:
        await self.emit_startup(bot=bot, **names)
        polled.append(bot)
        await self.emit_shutdown(bot=bot, **names)

    monkeypatch.setattr(Dispatcher, "start_polling", start_polling)
    bot = tmp_path / "bot.py"
    bot.write_text(sample, encoding="utf-8")

    await runpy.run_path(str(bot))["main"]()

    assert [bot.token for bot in polled] == [TOKEN]


async def test_a_double_tap_is_one_job() -> None:
    dispatcher, telegram = Dispatcher(), Chatted()
    await run(TAP, dispatcher=dispatcher, F=F, CallbackQuery=CallbackQuery)

    async with SendOnceDouble() as double:
        for number in range(2):
            tap = CallbackQuery(
                id=f"query-{number}",
                from_user=ANNA,
                chat_instance="1",
                data="again",
                message=message("menu"),
            )
            update = Update(update_id=number, callback_query=tap)
            await dispatcher.feed_update(Bot(TOKEN, session=telegram), update, sendonce=double)

        (job,) = double.jobs
    assert telegram.said == [f"Job {job.label}", f"Job {job.label} is under way"]


async def test_a_payment_is_credited_once() -> None:
    async with SendOnceDouble() as double:
        await run(MONEY, sendonce=double, user_id=5, charge_id="charge-1")
        space = await run(MONEY, sendonce=double, user_id=5, charge_id="charge-1")

    assert space["wallet"].balance == 50
    assert [line.reference for line in space["statement"].lines] == ["charge-1"]


@pytest.mark.parametrize("public_url", ["https://sendonce.example", None])
async def test_a_bots_own_task_is_announced_and_attached(public_url: str | None) -> None:
    told: list[str | None] = []

    async def create_task(*, callback_url: str | None) -> str:
        told.append(callback_url)
        return "task-1"

    async with SendOnceDouble(public_url=public_url) as double:
        await run(EXPECT, sendonce=double, message=message("a cat"), create_task=create_task)

        (job,) = double.jobs
    assert (job.task_ids, job.state) == (("task-1",), JobState.RUNNING)
    assert [url is not None for url in told] == [public_url is not None]


async def test_a_finished_result_is_shown() -> None:
    async with SendOnceDouble() as double:
        await run(DELIVER, sendonce=double, message=message("a song"))

        (job,) = double.jobs
    assert job.state is JobState.DELIVERED


async def test_the_events_are_followed_and_the_cursor_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    heard: list[tuple[Any, ...]] = []
    async with SendOnceDouble() as double:
        await double.create(message("a cat"), model="m", input={})
        double.succeed(double.jobs[0])
        last = double.history[-1]

        async def heard_all(*told: Any) -> None:
            heard.append(told)
            if len(heard) == len(double.history):
                await double.close()

        # `print` of the sample, so that the loop ends when everything was told.
        sample = EVENTS.replace("print(", "await heard_all(")
        await run(sample, sendonce=double, heard_all=heard_all)

    assert [str(name) for name, *_ in heard] == ["created", "running", "succeeded", "delivered"]
    assert await sdk.FileCursor("bot.cursor").load() == last.seq


async def test_a_bot_is_tested_with_the_double(tmp_path: Path) -> None:
    update = Update(update_id=1, message=message("a cat"))
    space = await run(
        DOUBLE,
        SendOnceDouble=SendOnceDouble,
        dispatcher=dispatcher_of(WHOLE_BOT, tmp_path),
        bot=Bot(TOKEN, session=Chatted()),
        update=update,
    )

    assert space["job"].money is MoneyState.HELD


def test_every_sample_is_short() -> None:
    for sample in (*samples(README), *samples(ROOT_README)):
        assert sum(bool(line.strip()) for line in sample.splitlines()) < MODERATE


def test_every_method_is_named_and_documented() -> None:
    told = README.read_text(encoding="utf-8")
    methods = [name for name in dir(SendOnce) if not name.startswith("_")]

    for name in methods:
        assert getattr(SendOnce, name).__doc__, name
        if name not in ("connect", "close"):
            assert re.search(rf"\b{name}\b", told), name


def test_every_public_name_is_documented() -> None:
    for name in sdk.__all__:
        assert getattr(getattr(sdk, name), "__doc__", None), name


def test_every_verb_of_the_double_is_documented() -> None:
    for name, verb in vars(SendOnceDouble).items():
        if not name.startswith("_"):
            assert verb.__doc__, name
