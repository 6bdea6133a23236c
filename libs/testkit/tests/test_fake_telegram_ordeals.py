"""The 429s and 500s that hide a commit, zombies that edit, handshakes that are reset."""

import time

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import InputMediaPhoto

from fake_telegram_rig import CHAT, bot_on, collage, fake_telegram, file, png
from testkit.telegram import Event, FakeTelegram, Mode, resetting_handshakes


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


@pytest.mark.parametrize(
    "mode,wait,committed",
    [
        (Mode.TOO_MANY, 33, 0),
        (Mode.OVERLOADED, 60, 0),
        (Mode.COMMIT_THEN_FLOOD, 8, 1),
        (Mode.COMMIT_THEN_BUSY, 1, 1),
        (Mode.COMMIT_THEN_DROPPED, 5, 1),
    ],
)
async def test_the_five_faces_of_a_429(
    tg: FakeTelegram, bot: Bot, mode: Mode, wait: int, committed: int
):
    tg.faults.plan(mode, retry_after=33, seconds=0.1)

    began = time.monotonic()
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.send_message(CHAT, "x")

    assert refused.value.retry_after == wait
    assert tg.ever_shown_count("x") == committed
    if mode is not Mode.TOO_MANY:
        assert time.monotonic() - began >= 0.1


async def test_an_edit_may_apply_and_say_it_changed_nothing(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.COMMIT_THEN_NOT_MODIFIED)
    message = await bot.send_message(CHAT, "carrier")

    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_text("result", chat_id=CHAT, message_id=message.message_id)

    assert [one.text for one in tg.visible(CHAT)] == ["result"]


async def test_a_message_may_be_deleted_the_moment_it_is_sent(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.COMMIT_THEN_DELETED)

    with pytest.raises(TelegramServerError, match="sent message was immediately deleted"):
        await bot.send_message(CHAT, "x")

    assert tg.visible(CHAT) == []
    assert tg.ever_shown_count("x") == 1


async def test_a_zombie_edit_lands_on_top_of_what_came_after_it(tg: FakeTelegram, bot: Bot):
    message = await bot.send_message(CHAT, "carrier")
    tg.faults.plan(Mode.HANG_THEN_COMMIT, "edit", seconds=0.05, late=0.1)
    with pytest.raises(TelegramNetworkError):
        await bot.edit_message_text("50 %", chat_id=CHAT, message_id=message.message_id)
    await bot.edit_message_text("the answer", chat_id=CHAT, message_id=message.message_id)

    await tg.settle()

    states = tg.history(CHAT, message.message_id)
    assert [one.text for one in states] == ["carrier", "the answer", "50 %"]
    (overwrite,) = tg.overwritten(["the answer"])
    assert (overwrite.before.text, overwrite.after.text) == ("the answer", "50 %")


async def test_a_zombie_cannot_turn_a_picture_back_into_words(tg: FakeTelegram, bot: Bot):
    message = await bot.send_message(CHAT, "carrier")
    tg.faults.plan(Mode.HANG_THEN_COMMIT, "editMessageText", seconds=0.05, late=0.1)
    with pytest.raises(TelegramNetworkError):
        await bot.edit_message_text("50 %", chat_id=CHAT, message_id=message.message_id)
    await bot.edit_message_media(
        InputMediaPhoto(media=file(png())), chat_id=CHAT, message_id=message.message_id
    )

    await tg.settle()

    assert tg.overwritten() == []
    assert tg.visible(CHAT)[0].digest is not None


async def test_a_rich_edit_commits_behind_a_lost_answer(tg: FakeTelegram, bot: Bot):
    message = await bot.send_message(CHAT, "carrier")
    tg.faults.plan(Mode.COMMIT_THEN_CLOSE, "edit")
    pictures = [InputMediaPhoto(media=file(png(shade=shade))) for shade in (1, 2)]

    with pytest.raises(TelegramNetworkError):
        await bot.edit_message_text(
            chat_id=CHAT, message_id=message.message_id, rich_message=collage(*pictures)
        )

    assert len(tg.visible(CHAT)[0].parts) == 2


async def test_failed_calls_are_told_in_their_chat(tg: FakeTelegram, bot: Bot):
    await bot.send_message(CHAT, "x")
    tg.faults.plan(Mode.BAD_GATEWAY)
    with pytest.raises(TelegramServerError):
        await bot.send_message(CHAT, "x")
    with pytest.raises(TelegramBadRequest):
        await bot.edit_message_text("x", chat_id=CHAT, message_id=999)

    failed = [one for one in tg.log() if one.event is Event.FAILED]
    assert [(one.chat_id, one.method, one.note) for one in failed] == [
        (CHAT, "sendmessage", "bad_gateway"),
        (CHAT, "editmessagetext", "400 Bad Request: message to edit not found"),
    ]


async def test_a_reset_handshake_is_certainly_not_sent():
    async with resetting_handshakes() as url:
        session = AiohttpSession(api=TelegramAPIServer.from_base(url))
        bot = Bot("42:secret", session=session)

        with pytest.raises(TelegramNetworkError) as failed:
            await bot.send_message(CHAT, "x")

        await session.close()
    assert isinstance(failed.value.__cause__, aiohttp.ClientConnectorError)
