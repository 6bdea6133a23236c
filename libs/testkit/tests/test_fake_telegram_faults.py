"""Every fault mode: what the client sees, what the user sees, and when a plan strikes."""

import random

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    RestartingTelegram,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import InputMediaPhoto

from fake_telegram_rig import CHAT, GROUP, bot_on, fake_telegram, file, png
from testkit.telegram import FakeTelegram, FaultPlan, Faults, Mode

NOTHING: type[BaseException] = type(None)  # type: ignore[assignment]  # the cause when there is none


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


BROKEN = [
    (Mode.REJECT_BEFORE_COMMIT, TelegramServerError, NOTHING, 0),
    (Mode.BAD_GATEWAY, TelegramServerError, NOTHING, 0),
    (Mode.TOO_MANY, TelegramRetryAfter, NOTHING, 0),
    (Mode.CLOSE_BEFORE_COMMIT, TelegramNetworkError, aiohttp.ServerDisconnectedError, 0),
    (Mode.RST_BEFORE_COMMIT, TelegramNetworkError, aiohttp.ClientOSError, 0),
    (Mode.HANG_BEFORE_COMMIT, TelegramNetworkError, aiohttp.ServerDisconnectedError, 0),
    (Mode.REFUSE, TelegramNetworkError, aiohttp.ClientOSError, 0),
    (Mode.HANG_THEN_COMMIT, TelegramNetworkError, aiohttp.ServerDisconnectedError, 0),
    (Mode.COMMIT_THEN_CLOSE, TelegramNetworkError, aiohttp.ServerDisconnectedError, 1),
    (Mode.COMMIT_THEN_RST, TelegramNetworkError, aiohttp.ClientOSError, 1),
    (Mode.COMMIT_THEN_HANG, TelegramNetworkError, aiohttp.ServerDisconnectedError, 1),
    (Mode.COMMIT_THEN_TRUNCATED, TelegramNetworkError, aiohttp.ClientPayloadError, 1),
    (Mode.COMMIT_THEN_RESTART, RestartingTelegram, NOTHING, 1),
    (Mode.COMMIT_THEN_FLOOD, TelegramRetryAfter, NOTHING, 1),
    (Mode.COMMIT_THEN_HTML, ClientDecodeError, ValueError, 1),
    (Mode.COMMIT_UNDECODABLE, ClientDecodeError, ValueError, 1),
]


@pytest.mark.parametrize("mode,error,cause,committed", BROKEN)
async def test_a_send_fails_as_told_and_commits_as_told(  # the table's columns
    tg: FakeTelegram,
    bot: Bot,
    mode: Mode,
    error: type[Exception],
    cause: type[BaseException],
    committed: int,
):
    tg.faults.plan(mode, "sendMessage", seconds=0.1, late=0.1)

    with pytest.raises(error) as failed:
        await bot.send_message(CHAT, "hello")

    assert isinstance(failed.value.__cause__, cause)
    assert tg.ever_shown_count("hello") == committed
    assert tg.faults.fired[mode] == 1


@pytest.mark.parametrize("mode,error,cause,committed", BROKEN)
async def test_an_edit_fails_as_told_and_commits_as_told(  # the table's columns
    tg: FakeTelegram,
    bot: Bot,
    mode: Mode,
    error: type[Exception],
    cause: type[BaseException],
    committed: int,
):
    message = await bot.send_message(CHAT, "working")
    tg.faults.plan(mode, "edit", seconds=0.1, late=0.1)

    with pytest.raises(error):
        await bot.edit_message_text("done", chat_id=CHAT, message_id=message.message_id)

    assert tg.ever_shown_count("done") == committed


async def test_a_late_zombie_commits_after_the_client_gave_up(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.HANG_THEN_COMMIT, "sendMessage", seconds=0.05, late=0.05)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(CHAT, "ghost")
    assert (tg.visible(CHAT), tg.pending_late) == ([], 1)

    await tg.until(lambda: tg.ever_shown_count("ghost") == 1)
    await tg.settle()

    assert [one.text for one in tg.visible(CHAT)] == ["ghost"]
    assert tg.pending_late == 0


async def test_a_client_timeout_does_not_cancel_the_call(tg: FakeTelegram):
    api = TelegramAPIServer.from_base(tg.url)
    session = AiohttpSession(api=api, timeout=aiohttp.ClientTimeout(total=0.1))  # type: ignore[arg-type]  # forwarded untouched
    tg.faults.plan(Mode.HANG_THEN_COMMIT, seconds=0.3, late=0.0)

    with pytest.raises(TelegramNetworkError) as failed:
        await Bot("42:secret", session=session).send_message(CHAT, "x")
    await session.close()

    assert isinstance(failed.value.__cause__, TimeoutError)
    await tg.until(lambda: tg.ever_shown_count("x") == 1)


async def test_an_undecodable_answer_still_carries_the_message_id(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.COMMIT_UNDECODABLE)

    with pytest.raises(ClientDecodeError) as failed:
        await bot.send_message(CHAT, "x")

    assert failed.value.data["result"]["message_id"] == tg.visible(CHAT)[0].message_id


async def test_a_partial_album_leaves_what_got_through(tg: FakeTelegram, bot: Bot):
    tg.faults.add(FaultPlan(mode=Mode.PARTIAL_ALBUM, items=2))

    with pytest.raises(TelegramBadRequest) as failed:
        await bot.send_media_group(
            CHAT, [InputMediaPhoto(media=file(png(shade=one))) for one in range(3)]
        )

    assert (
        'failed to send message #3 with the error message "Too Many Requests: retry after 8"'
        in failed.value.message
    )
    assert len(tg.visible(CHAT)) == 2


async def test_migrate_and_blocked_change_the_world(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.MIGRATE, chat_id=GROUP)
    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(GROUP, "x")
    await bot.send_message(moved.value.migrate_to_chat_id, "x")

    tg.faults.plan(Mode.BLOCKED, chat_id=CHAT)
    for _ in range(2):
        with pytest.raises(TelegramForbiddenError):
            await bot.send_message(CHAT, "x")


async def test_a_refusing_port_opens_again_by_itself(tg: FakeTelegram, bot: Bot):
    await bot.send_message(CHAT, "before")
    await tg.refuse(0.3)

    # A kept-alive connection may meet the close halfway; a fresh one is refused for certain.
    async with bot_on(tg) as fresh:
        with pytest.raises(TelegramNetworkError) as refused:
            await fresh.send_message(CHAT, "x")
    await tg.open_again()
    await bot.send_message(CHAT, "after")

    assert isinstance(refused.value.__cause__, aiohttp.ClientConnectorError)
    assert [one.text for one in tg.visible(CHAT)] == ["before", "after"]


async def test_plans_choose_by_method_chat_and_number(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.BAD_GATEWAY, "sendMessage", chat_id=CHAT, nth=2, times=2)

    outcomes = []
    for chat in (CHAT, 7, CHAT, 7, CHAT, CHAT):
        try:
            await bot.send_message(chat, "x")
        except TelegramServerError:
            outcomes.append("failed")
        else:
            outcomes.append("ok")

    assert outcomes == ["ok", "ok", "failed", "ok", "failed", "ok"]


def test_the_same_seed_strikes_the_same_calls():
    def strikes(seed: int) -> list[Mode | None]:
        faults = Faults(seed=seed)
        faults.use("hard")
        met = [faults.strike(method="sendmessage", chat_id=1, bot_id=1) for _ in range(400)]
        return [plan.mode if plan else None for plan in met]

    assert strikes(5) == strikes(5)
    assert strikes(5) != strikes(6)


@pytest.mark.parametrize(
    "profile,least,most", [("none", 0.0, 0.0), ("light", 0.02, 0.07), ("hard", 0.10, 0.20)]
)
def test_profiles_strike_as_often_as_they_say(profile: str, least: float, most: float):
    faults = Faults(seed=random.Random(1).randrange(1000))
    faults.use(profile)

    struck = [
        faults.strike(method="editmessagetext", chat_id=1, bot_id=1) is not None
        for _ in range(4000)
    ]

    assert least <= sum(struck) / len(struck) <= most
    assert faults.strike(method="sendchataction", chat_id=1, bot_id=1) is None
