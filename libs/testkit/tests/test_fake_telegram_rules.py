"""Sending: what is accepted, how it comes back, and the exact words of every refusal."""

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyParameters,
)

from fake_telegram_rig import CHAT, FORUM, GROUP, OTHER_TOKEN, bot_on, fake_telegram
from testkit.telegram import FakeTelegram


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


async def test_get_me_and_a_plain_text(tg: FakeTelegram, bot: Bot):
    me = await bot.get_me()
    message = await bot.send_message(CHAT, "  hello\n")

    assert me.id == 42
    assert message.text == "hello"
    assert message.from_user is not None
    assert message.from_user.id == 42
    assert [one.text for one in tg.visible(CHAT)] == ["hello"]


async def test_html_becomes_text_and_entities(bot: Bot):
    message = await bot.send_message(
        CHAT,
        '🙂 <b>bold <i>both</i></b> &lt;x&gt; <a href="https://e.org/?a=1&amp;b=2">link</a>',
        parse_mode="HTML",
    )

    assert message.text == "🙂 bold both <x> link"
    assert message.entities is not None
    assert [(one.type, one.offset, one.length) for one in message.entities] == [
        ("bold", 3, 9),
        ("italic", 8, 4),
        ("text_link", 17, 4),
    ]
    assert message.entities[2].url == "https://e.org/?a=1&b=2"


@pytest.mark.parametrize(
    "source,words",
    [
        ("<b>open", "can't find end tag corresponding to start tag b"),
        ("<div>x</div>", 'unsupported start tag "div" at byte offset 0'),
        ("<b>x</i>", 'unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("x</b>", "unexpected end tag at byte offset 1"),
        ("a < b", "unclosed start tag"),
    ],
)
async def test_broken_html_is_refused(bot: Bot, source: str, words: str):
    with pytest.raises(TelegramBadRequest, match="can't parse entities") as refused:
        await bot.send_message(CHAT, source, parse_mode="HTML")

    assert words in refused.value.message


async def test_entities_are_kept_clipped_and_moved_with_the_trim(bot: Bot):
    message = await bot.send_message(
        CHAT, " 🙂ok", entities=[MessageEntity(type="bold", offset=3, length=99)]
    )

    assert message.text == "🙂ok"
    assert message.entities is not None
    assert (message.entities[0].offset, message.entities[0].length) == (2, 2)


async def test_lengths_are_utf16_units(bot: Bot):
    await bot.send_message(CHAT, "🙂" * 2048)

    with pytest.raises(TelegramBadRequest, match="message is too long"):
        await bot.send_message(CHAT, "🙂" * 2048 + "x")
    with pytest.raises(TelegramBadRequest, match="message text is empty"):
        await bot.send_message(CHAT, "   ")


@pytest.mark.parametrize(
    "button,words",
    [
        ({"callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"url": "javascript:alert(1)"}, "BUTTON_URL_INVALID"),
        ({}, "text buttons are unallowed"),
    ],
)
async def test_bad_buttons_are_refused(bot: Bot, button: dict[str, str], words: str):
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="b", **button)]])

    with pytest.raises(TelegramBadRequest, match=words):
        await bot.send_message(CHAT, "x", reply_markup=keyboard)


async def test_message_ids_are_counted_per_bot_but_per_chat_in_supergroups(
    tg: FakeTelegram, bot: Bot
):
    first = await bot.send_message(CHAT, "a")
    second = await bot.send_message(GROUP, "b")
    said = tg.say(tg.add_bot("42:secret"), CHAT, "user text")
    in_supergroup = await bot.send_message(-1_001_000_000_777, "c")
    async with bot_on(tg, OTHER_TOKEN) as other:
        of_other_bot = await other.send_message(CHAT, "d")
        shared = await other.send_message(-1_001_000_000_777, "e")

    assert [first.message_id, second.message_id, said] == [1, 2, 3]
    assert [in_supergroup.message_id, shared.message_id] == [1, 2]
    assert of_other_bot.message_id == 1


async def test_replies_need_their_message_unless_told_otherwise(bot: Bot):
    message = await bot.send_message(CHAT, "a")

    reply = await bot.send_message(
        CHAT, "b", reply_parameters=ReplyParameters(message_id=message.message_id)
    )
    lenient = await bot.send_message(
        CHAT,
        "c",
        reply_parameters=ReplyParameters(message_id=999, allow_sending_without_reply=True),
    )

    assert reply.reply_to_message is not None
    assert reply.reply_to_message.text == "a"
    assert lenient.reply_to_message is None
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(CHAT, "d", reply_parameters=ReplyParameters(message_id=999))


async def test_topics_exist_or_are_refused(tg: FakeTelegram, bot: Bot):
    tg.add_chat(FORUM, kind="supergroup", title="Forum", topics=(7, 8))
    tg.close_topic(FORUM, 8)

    message = await bot.send_message(FORUM, "x", message_thread_id=7)

    assert message.message_thread_id == 7
    assert message.chat.is_forum
    for thread, words in ((9, "message thread not found"), (1, "not found"), (8, "TOPIC_CLOSED")):
        with pytest.raises(TelegramBadRequest, match=words):
            await bot.send_message(FORUM, "x", message_thread_id=thread)
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(CHAT, "x", message_thread_id=7)


async def test_a_blocked_bot_is_forbidden_until_unblocked(tg: FakeTelegram, bot: Bot):
    tg.block(CHAT)
    tg.block(GROUP)

    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(CHAT, "x")
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the group chat"):
        await bot.send_message(GROUP, "x")
    tg.unblock(CHAT)
    await bot.send_message(CHAT, "back")
    assert [one.text for one in tg.visible(CHAT)] == ["back"]


async def test_a_migrated_group_names_its_successor(tg: FakeTelegram, bot: Bot):
    await bot.send_message(GROUP, "before")
    successor = tg.migrate(GROUP)

    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(GROUP, "x")

    assert moved.value.migrate_to_chat_id == successor
    message = await bot.send_message(successor, "after")
    assert (message.message_id, message.chat.type) == (1, "supergroup")
    assert [one.text for one in tg.visible(GROUP)] == ["before"]


async def test_wrong_token_method_and_chat():
    async with FakeTelegram(auto_bots=False, open_chats=False) as tg:
        tg.add_bot("42:secret")
        async with bot_on(tg, OTHER_TOKEN) as stranger:
            with pytest.raises(TelegramUnauthorizedError):
                await stranger.get_me()
        async with bot_on(tg) as bot:
            with pytest.raises(TelegramNotFound):
                await bot.get_my_commands()
            with pytest.raises(TelegramBadRequest, match="chat not found"):
                await bot.send_message(CHAT, "x")
            with pytest.raises(TelegramBadRequest, match="chat not found"):
                await bot.send_message("@nowhere", "x")


async def test_delete_react_act_forward_and_answer(tg: FakeTelegram, bot: Bot):
    keyboard = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="go", callback_data="job")]]
    )
    message = await bot.send_message(CHAT, "x", reply_markup=keyboard)

    assert await bot.send_chat_action(CHAT, "typing")
    assert await bot.set_message_reaction(CHAT, message.message_id, [ReactionTypeEmoji(emoji="👀")])
    forwarded = await bot.forward_message(7, CHAT, message.message_id)
    query = tg.press(CHAT, message.message_id, "job")
    assert await bot.answer_callback_query(query)
    assert await bot.delete_message(CHAT, message.message_id)

    assert forwarded.text == "x"
    assert forwarded.forward_origin is not None
    assert tg.visible(CHAT) == []
    for attempt, words in (
        (bot.delete_message(CHAT, message.message_id), "message to delete not found"),
        (bot.set_message_reaction(CHAT, message.message_id), "message to react not found"),
        (bot.forward_message(7, CHAT, message.message_id), "message to forward not found"),
        (bot.answer_callback_query("unknown"), "query is too old"),
    ):
        with pytest.raises(TelegramBadRequest, match=words):
            await attempt


async def test_protected_content_is_not_forwarded_and_old_messages_stay():
    now = 1_700_000_000.0

    def clock() -> float:
        return now

    async with fake_telegram(clock=clock) as tg, bot_on(tg) as bot:
        message = await bot.send_message(CHAT, "x", protect_content=True)
        with pytest.raises(TelegramBadRequest, match="has protected content"):
            await bot.forward_message(7, CHAT, message.message_id)
        now += 49 * 3600

        with pytest.raises(TelegramBadRequest, match="message can't be deleted for everyone"):
            await bot.delete_message(CHAT, message.message_id)
        # Deleting ends after 48 h; editing one's own message never does.
        await bot.edit_message_text("still editable", chat_id=CHAT, message_id=message.message_id)
