"""The pace: bursts, waits, what counts, and how it can be changed."""

import pytest
from aiogram.exceptions import TelegramRetryAfter
from aiogram.types import InputMediaPhoto
from aiohttp import ClientSession

from fake_telegram_rig import CHAT, GROUP, bot_on, fake_telegram, file, png
from testkit.telegram import ChatKind, FakeTelegram, Limits
from testkit.telegram.limits import Pace

SLOW_CHAT = Limits(chat_per_second=0.1, chat_burst=2)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def waits(pace: Pace, clock: Clock, *, chat: int, kind: ChatKind, calls: int) -> int | None:
    """Seconds asked for by the last of `calls` calls made at one moment."""
    last = None
    for _ in range(calls):
        last = pace.admit(bot_id=1, chat_id=chat, kind=kind)
    return last


def test_a_chat_takes_a_burst_then_one_a_second():
    clock = Clock()
    pace = Pace(Limits(chat_burst=3), monotonic=clock)

    assert waits(pace, clock, chat=1, kind=ChatKind.PRIVATE, calls=3) is None
    assert waits(pace, clock, chat=1, kind=ChatKind.PRIVATE, calls=1) == 1
    assert waits(pace, clock, chat=2, kind=ChatKind.PRIVATE, calls=1) is None
    clock.now += 1
    assert waits(pace, clock, chat=1, kind=ChatKind.PRIVATE, calls=1) is None


def test_a_group_takes_twenty_a_minute():
    clock = Clock()
    pace = Pace(Limits(chat_per_second=1000, chat_burst=1000), monotonic=clock)

    assert waits(pace, clock, chat=-1, kind=ChatKind.GROUP, calls=20) is None
    assert waits(pace, clock, chat=-1, kind=ChatKind.GROUP, calls=1) == 3


def test_a_bot_takes_thirty_a_second_over_all_chats():
    clock = Clock()
    pace = Pace(Limits(), monotonic=clock)
    fast = [pace.admit(bot_id=1, chat_id=chat, kind=ChatKind.PRIVATE) for chat in range(31)]

    assert fast == [None] * 30 + [1]
    assert pace.admit(bot_id=2, chat_id=1, kind=ChatKind.PRIVATE) is None


def test_limits_scale_and_switch_off():
    clock = Clock()
    pace = Pace(Limits().scaled(10), monotonic=clock)
    assert waits(pace, clock, chat=1, kind=ChatKind.PRIVATE, calls=50) is None
    assert waits(pace, clock, chat=1, kind=ChatKind.PRIVATE, calls=1) == 1

    pace.limits = Limits.off()
    assert waits(pace, clock, chat=1, kind=ChatKind.PRIVATE, calls=500) is None


async def test_429_names_the_wait_in_body_and_header_and_sends_nothing():
    async with fake_telegram(limits=SLOW_CHAT) as tg, bot_on(tg) as bot:
        message = await bot.send_message(CHAT, "one")
        # An edit counts like a send.
        await bot.edit_message_text("two", chat_id=CHAT, message_id=message.message_id)

        with pytest.raises(TelegramRetryAfter) as wait:
            await bot.send_message(CHAT, "three")
        async with (
            ClientSession() as http,
            http.post(
                f"{tg.url}/bot{bot.token}/sendMessage", data={"chat_id": CHAT, "text": "x"}
            ) as answer,
        ):
            header = answer.headers["Retry-After"]

        assert wait.value.retry_after == int(header) == 10
        assert [one.text for one in tg.visible(CHAT)] == ["two"]
        # What is no message is free.
        await bot.send_chat_action(CHAT, "typing")
        await bot.delete_message(CHAT, message.message_id)


async def test_an_album_costs_its_items():
    async with fake_telegram(limits=SLOW_CHAT) as tg, bot_on(tg) as bot:
        await bot.send_media_group(
            GROUP, [InputMediaPhoto(media=file(png(shade=one))) for one in range(3)]
        )

        with pytest.raises(TelegramRetryAfter):
            await bot.send_message(GROUP, "x")


async def test_short_waits_can_be_slept_out_inside_the_server():
    patient = Limits(chat_per_second=2, chat_burst=1, held_seconds=8)
    async with fake_telegram(limits=patient) as tg, bot_on(tg) as bot:
        await bot.send_message(CHAT, "one")
        await bot.send_message(CHAT, "two")

        assert [one.text for one in tg.visible(CHAT)] == ["one", "two"]


async def test_real_limits_are_the_default():
    assert FakeTelegram().pace.limits == Limits()
