"""What users do reaches a bot that polls: every update once confirmed is gone, and one reader at a time."""

import asyncio

import aiohttp
import pytest
from aiogram.exceptions import TelegramConflictError
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from fake_telegram_rig import CHAT, FORUM, OTHER_TOKEN, TOKEN, bot_on, fake_telegram
from testkit.processes.waiting import holds

BUY = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="Buy", callback_data="buy:1")]]
)


async def test_a_message_is_told_until_it_is_confirmed() -> None:
    async with fake_telegram() as tg, bot_on(tg) as bot:
        me = tg.add_bot(TOKEN)
        said = tg.say(me, CHAT, "/start now")

        (first,) = await bot.get_updates()
        (again,) = await bot.get_updates()
        confirmed = await bot.get_updates(offset=first.update_id + 1)

    assert first == again
    assert confirmed == []
    assert first.message is not None
    assert (first.message.message_id, first.message.text) == (said, "/start now")
    assert first.message.from_user is not None
    assert (first.message.from_user.id, first.message.from_user.is_bot) == (CHAT, False)
    assert first.message.entities is not None
    (command,) = first.message.entities
    assert (command.type, command.extract_from(first.message.text)) == ("bot_command", "/start")


async def test_a_tap_carries_its_button_and_the_message_it_hangs_on() -> None:
    async with fake_telegram() as tg, bot_on(tg) as bot:
        words = tg.say(tg.add_bot(TOKEN), CHAT, "a cat")
        menu = await bot.send_message(CHAT, "Buy?", reply_markup=BUY, reply_to_message_id=words)

        query = tg.press(CHAT, menu.message_id, "buy:1")
        update = (await bot.get_updates())[-1]
        assert update.callback_query is not None
        assert tg.answer_to(query) is None
        assert await bot.answer_callback_query(update.callback_query.id, text="Bought")
        assert tg.answer_to(query) == "Bought"

    tap = update.callback_query
    assert (tap.id, tap.data, tap.from_user.id) == (query, "buy:1", CHAT)
    assert isinstance(tap.message, Message)
    assert tap.message.message_id == menu.message_id
    assert tap.message.reply_to_message is not None
    assert tap.message.reply_to_message.text == "a cat"


async def test_blocking_and_coming_back_are_told() -> None:
    async with fake_telegram() as tg, bot_on(tg) as bot:
        tg.say(tg.add_bot(TOKEN), CHAT, "hello")
        tg.block(CHAT)
        tg.unblock(CHAT)

        updates = await bot.get_updates()

    changes = [update.my_chat_member for update in updates if update.my_chat_member]
    assert [change.new_chat_member.status for change in changes] == ["kicked", "member"]


async def test_a_waiting_reader_is_woken() -> None:
    async with fake_telegram() as tg, bot_on(tg) as bot:
        waiting = asyncio.create_task(bot.get_updates(timeout=30))
        assert await holds(lambda: tg.calls == 1, within=5)

        tg.say(tg.add_bot(TOKEN), CHAT, "hello")

        async with asyncio.timeout(5):
            assert len(await waiting) == 1


async def test_a_second_reader_ends_the_first() -> None:
    async with fake_telegram() as tg, bot_on(tg) as bot, bot_on(tg) as twin:
        first = asyncio.create_task(bot.get_updates(timeout=30))
        assert await holds(lambda: tg.calls == 1, within=5)

        second = asyncio.create_task(twin.get_updates(timeout=30))
        with pytest.raises(TelegramConflictError):
            await first
        tg.say(tg.add_bot(TOKEN), CHAT, "hello")

        assert len(await second) == 1


async def test_each_bot_hears_its_own_users_only() -> None:
    async with fake_telegram() as tg, bot_on(tg) as bot, bot_on(tg, OTHER_TOKEN) as other:
        tg.say(tg.add_bot(TOKEN), CHAT, "hello")

        assert len(await bot.get_updates()) == 1
        assert await other.get_updates() == []


async def test_a_page_is_as_long_as_asked() -> None:
    async with fake_telegram() as tg, bot_on(tg) as bot:
        for number in range(3):
            tg.say(tg.add_bot(TOKEN), CHAT, str(number))

        page = await bot.get_updates(limit=2)
        rest = await bot.get_updates(offset=page[-1].update_id + 1)

    assert [update.message.text for update in (*page, *rest) if update.message] == ["0", "1", "2"]


async def test_the_page_lets_a_person_write_and_press() -> None:
    async with fake_telegram() as tg, aiohttp.ClientSession() as http:
        page = await (await http.get(tg.url)).text()
        script = await http.get(f"{tg.url}/talk.js")

        assert '<script type="module" src="/talk.js">' in page
        assert script.status == 200
        assert script.content_type == "text/javascript"


async def test_a_person_writes_into_the_topic_they_look_at() -> None:
    async with (
        fake_telegram() as tg,
        bot_on(tg) as bot,
        aiohttp.ClientSession() as http,
    ):
        tg.add_bot(TOKEN)
        tg.add_chat(FORUM, kind="supergroup", topics=(7,))
        order = {"text": "a cat", "thread_id": 7}
        async with http.post(f"{tg.url}/sim/chats/{FORUM}/say", json=order) as answer:
            assert answer.status == 200
        (update,) = await bot.get_updates()

    assert update.message is not None
    assert (update.message.message_thread_id, update.message.is_topic_message) == (7, True)


async def test_a_sandbox_started_again_gives_no_id_a_second_time() -> None:
    """A database that outlives it would take the new message for the old one."""
    async with fake_telegram(ids_after=1000) as tg, bot_on(tg) as bot:
        said = tg.say(tg.add_bot(TOKEN), CHAT, "hello")
        tg.add_chat(FORUM, kind="supergroup")
        sent = [(await bot.send_message(chat, "hello")).message_id for chat in (CHAT, FORUM)]
        (update,) = await bot.get_updates()

    assert [said, *sent] == [1001, 1002, 1001]
    assert update.update_id == 1001


async def test_the_page_is_told_what_a_bot_answered_to_a_button() -> None:
    async with (
        fake_telegram() as tg,
        bot_on(tg) as bot,
        aiohttp.ClientSession() as http,
    ):
        menu = await bot.send_message(CHAT, "Buy?", reply_markup=BUY)
        order = {"message_id": menu.message_id, "data": "buy:1"}
        pressed = await http.post(f"{tg.url}/sim/chats/{CHAT}/press", json=order)
        query = (await pressed.json())["callback_query_id"]

        before = await (await http.get(f"{tg.url}/sim/answers/{query}")).json()
        await bot.answer_callback_query(query, text="Bought")
        after = await (await http.get(f"{tg.url}/sim/answers/{query}")).json()

    assert (before, after) == ({"text": None}, {"text": "Bought"})
