"""The example shop, end to end: from /start to the picture, with every tap counted once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from bot_process import EXAMPLES, STOP_WITHIN, bot_process, told
from chat_user import ChatUser
from shop import catalogue, notices
from shop.__main__ import dispatcher

from deployment import TOKEN, Deployment
from sendonce import FileCursor, JobState, MoneyState
from sendonce_cli.stack.supply import SANDBOX_TOKEN, TELEGRAM_PORT
from testkit.kie import Plan
from testkit.telegram import Kind, ShownMessage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@asynccontextmanager
async def running(deployment: Deployment, cursor: Path) -> AsyncIterator[None]:
    """The shop, polling the fake Telegram."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(deployment.telegram.url))
    updates, bot = dispatcher(deployment.sendonce), Bot(TOKEN, session=session)
    polling = asyncio.create_task(updates.start_polling(bot, handle_signals=False))
    following = asyncio.create_task(notices.follow(deployment.sendonce, FileCursor(cursor)))
    try:
        yield
    finally:
        await updates.stop_polling()
        following.cancel()
        await asyncio.wait({polling, following})


@pytest_asyncio.fixture
async def anna(deployment: Deployment, tmp_path: Path) -> AsyncIterator[ChatUser]:
    """Somebody who has just found the shop."""
    async with running(deployment, tmp_path / "cursor"):
        yield ChatUser(deployment.telegram, TOKEN, 501)


async def topped_up(anna: ChatUser) -> None:
    anna.say("/start")
    greeting = await anna.reads("Tell me what you would like")
    for _ in range(2):
        assert await anna.taps(greeting, "topup") == "Your balance is 500.00 RUB."


async def offered(anna: ChatUser, wish: str) -> ShownMessage:
    """Write a wish and wait for the menu that answers it."""
    said = anna.say(wish)
    return await anna.sees(lambda one: one.reply_to == said and one.markup is not None)


async def test_from_start_to_the_picture(anna: ChatUser, deployment: Deployment) -> None:
    await topped_up(anna)
    menu = await offered(anna, "a cat in a hat")

    answer = await anna.taps(menu, "buy:picture")
    picture = await anna.is_shown(Kind.PHOTO)

    assert answer.endswith("19.90 RUB set aside.")
    assert anna.telegram.ever_shown_count(picture.digest or "") == 1
    greeting = await anna.reads("Tell me what you would like")
    assert await anna.taps(greeting, "balance") == "Your balance is 480.10 RUB."
    (task,) = deployment.kie.tasks()
    assert task.request["input"] == {"prompt": "a cat in a hat", "output_format": "png"}


async def test_a_double_tap_is_one_purchase(anna: ChatUser, deployment: Deployment) -> None:
    await topped_up(anna)
    menu = await offered(anna, "a cat")

    answers = [await anna.taps(menu, "buy:picture") for _ in range(3)]
    await anna.is_shown(Kind.PHOTO)

    assert [answer.endswith("under way already.") for answer in answers] == [False, True, True]
    assert len(deployment.kie.tasks()) == 1
    wallet = await deployment.sendonce.wallet(anna.id, "RUB")
    assert (wallet.balance, wallet.held) == (480_10, 0)
    assert len([one for one in anna.chat if one.kind is Kind.PHOTO]) == 1


async def test_every_product_can_be_bought_from_one_wish(
    anna: ChatUser, deployment: Deployment
) -> None:
    await topped_up(anna)
    menu = await offered(anna, "a cat that sings")

    for product in catalogue.CATALOGUE:
        await anna.taps(menu, f"buy:{product}")
    for kind in (Kind.PHOTO, Kind.VIDEO, Kind.AUDIO):
        await anna.is_shown(kind)

    assert len({task.family for task in deployment.kie.tasks()}) == 3
    wallet = await deployment.sendonce.wallet(anna.id, "RUB")
    assert (wallet.balance, wallet.held) == (332_10, 0)


async def test_who_cannot_pay_gets_nothing(anna: ChatUser, deployment: Deployment) -> None:
    menu = await offered(anna, "a cat")

    answer = await anna.taps(menu, "buy:video")

    assert answer == "This costs 99.00 RUB, and your balance is lower. /start to top up."
    assert deployment.kie.tasks() == ()


async def test_a_failure_gives_the_money_back_and_says_so_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    anna = ChatUser(deployment.telegram, TOKEN, 502)
    async with running(deployment, tmp_path / "cursor"):
        await topped_up(anna)
        await anna.taps(await offered(anna, "plan:fail a forbidden cat"), "buy:picture")
        await anna.reads("Your balance is 500.00 RUB. Shall we try something else?")
    seen = await deployment.sendonce.changes()

    # A shop that lost its cursor hears every event once more.
    cursor = FileCursor(tmp_path / "another")
    async with running(deployment, tmp_path / "another"):
        await deployment.eventually(lambda: reached(cursor, seen.next - 1))

    (failed,) = [event for event in seen.events if event.state is JobState.FAILED]
    assert failed.money is MoneyState.RELEASED
    assert len([one for one in anna.chat if one.text.startswith("Your balance is")]) == 1


async def test_a_user_who_comes_back_gets_what_they_paid_for(
    anna: ChatUser, deployment: Deployment
) -> None:
    await topped_up(anna)
    deployment.kie.plan_next(Plan(held=True))
    await anna.taps(await offered(anna, "a cat"), "buy:picture")
    await deployment.kie.until(lambda kie: len(kie.tasks()) == 1)
    task_id = deployment.kie.tasks()[0].task_id
    (job,) = await deployment.eventually(lambda: deployment.sendonce.find_by_task_id(task_id))
    deployment.telegram.block(anna.id)
    deployment.kie.finish(task_id)
    await deployment.until_part(job, "parked")

    deployment.telegram.unblock(anna.id)

    await anna.is_shown(Kind.PHOTO)


async def test_the_shop_runs_as_its_page_says(deployment: Deployment, tmp_path: Path) -> None:
    env = told(deployment, CURSOR_FILE=str(tmp_path / "cursor"))
    anna = ChatUser(deployment.telegram, TOKEN, 503)

    async with bot_process("-m", "shop", directory=EXAMPLES / "bot", env=env) as shop:
        await topped_up(anna)
        await anna.taps(await offered(anna, "a cat"), "buy:picture")
        await anna.is_shown(Kind.PHOTO)
        await deployment.eventually(lambda: reached(FileCursor(tmp_path / "cursor"), 3))
        shop.terminate()
        await asyncio.wait_for(shop.wait(), STOP_WITHIN)

    assert shop.returncode == 0


def test_the_page_names_the_sandbox_of_sendonce_up() -> None:
    page = (EXAMPLES / "bot" / "README.md").read_text(encoding="utf-8")

    assert f"BOT_TOKEN={SANDBOX_TOKEN}\n" in page
    assert f"http://127.0.0.1:{TELEGRAM_PORT}" in page


async def reached(cursor: FileCursor, seq: int) -> bool:
    return (await cursor.load() or 0) >= seq
