"""Chats with a will of their own: topics, slow mode, what may not be sent, what is protected."""

import hashlib
from collections.abc import Awaitable, Callable

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramRetryAfter
from aiogram.types import InputMediaPhoto, InputMediaVideo, ReplyParameters
from aiohttp import ClientSession

from fake_telegram_rig import (
    CHAT,
    FORUM,
    GROUP,
    MP3,
    MP4,
    OGG,
    PDF,
    MediaHost,
    bot_on,
    fake_telegram,
    file,
    media_host,
    png,
)
from testkit.telegram import FakeTelegram, Kind, Limits


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


@pytest.fixture
async def host():
    async with media_host() as found:
        yield found


async def refusal(attempt: Awaitable[object]) -> str:
    with pytest.raises(TelegramBadRequest) as refused:
        await attempt
    return refused.value.message


async def test_a_user_may_take_no_voice_notes(tg: FakeTelegram, bot: Bot):
    tg.forbid(CHAT, Kind.VOICE)

    words = await refusal(bot.send_voice(CHAT, file(OGG, "a.ogg")))
    await bot.send_audio(CHAT, file(MP3, "a.mp3"))

    assert words == "Bad Request: VOICE_MESSAGES_FORBIDDEN"
    assert [one.kind for one in tg.visible(CHAT)] == [Kind.AUDIO]
    tg.forbid(CHAT)
    await bot.send_voice(CHAT, file(OGG, "a.ogg"))


@pytest.mark.parametrize(
    "kind,send,name",
    [
        (Kind.TEXT, lambda bot: bot.send_message(GROUP, "x"), "text messages"),
        (Kind.PHOTO, lambda bot: bot.send_photo(GROUP, file(png())), "photos"),
        (Kind.VIDEO, lambda bot: bot.send_video(GROUP, file(MP4)), "videos"),
        (Kind.AUDIO, lambda bot: bot.send_audio(GROUP, file(MP3)), "music"),
        (Kind.VOICE, lambda bot: bot.send_voice(GROUP, file(OGG)), "voice notes"),
        (Kind.DOCUMENT, lambda bot: bot.send_document(GROUP, file(PDF)), "documents"),
        (
            Kind.VIDEO,
            lambda bot: bot.send_media_group(
                GROUP, [InputMediaPhoto(media=file(png())), InputMediaVideo(media=file(MP4))]
            ),
            "videos",
        ),
    ],
)
async def test_a_group_may_forbid_a_kind(
    tg: FakeTelegram,
    bot: Bot,
    kind: Kind,
    send: Callable[[Bot], Awaitable[object]],
    name: str,
):
    tg.forbid(GROUP, kind)

    assert await refusal(send(bot)) == f"Bad Request: not enough rights to send {name} to the chat"
    assert tg.visible(GROUP) == []


async def test_slow_mode_delays_sends_and_not_edits():
    now = 1_000.0
    async with fake_telegram(clock=lambda: now) as tg, bot_on(tg) as bot:
        tg.add_chat(FORUM, kind="supergroup", slow_seconds=30)
        message = await bot.send_message(FORUM, "one")
        now += 10.5

        with pytest.raises(TelegramRetryAfter) as refused:
            await bot.send_message(FORUM, "two")
        await bot.edit_message_text("edited", chat_id=FORUM, message_id=message.message_id)
        now += 20

        assert refused.value.retry_after == 20
        await bot.send_message(FORUM, "two")


async def test_a_deleted_topic_takes_its_messages_along(tg: FakeTelegram, bot: Bot):
    tg.add_chat(FORUM, kind="supergroup", topics=(7,))
    inside = await bot.send_message(FORUM, "inside", message_thread_id=7)
    await bot.send_message(FORUM, "general")

    tg.delete_topic(FORUM, 7)

    assert [one.text for one in tg.visible(FORUM)] == ["general"]
    assert "TOPIC_DELETED" in await refusal(bot.send_message(FORUM, "x", message_thread_id=7))
    edit = bot.edit_message_text("x", chat_id=FORUM, message_id=inside.message_id)
    assert await refusal(edit) == "Bad Request: message to edit not found"


async def test_the_general_topic_is_named_by_no_number(tg: FakeTelegram, bot: Bot):
    tg.add_chat(FORUM, kind="supergroup", topics=(1, 7))

    refused = bot.send_message(FORUM, "x", message_thread_id=1)

    assert await refusal(refused) == "Bad Request: message thread not found"


async def test_a_private_chat_may_have_topics(tg: FakeTelegram, bot: Bot):
    tg.add_chat(CHAT, kind="private", topics=(3,))

    assert (await bot.send_message(CHAT, "x", message_thread_id=3)).message_thread_id == 3


async def test_protection_silence_thread_and_reply_hold_for_every_send(tg: FakeTelegram, bot: Bot):
    tg.add_chat(FORUM, kind="supergroup", topics=(7,))
    first = await bot.send_message(FORUM, "x", message_thread_id=7)
    about = {
        "protect_content": True,
        "disable_notification": True,
        "message_thread_id": 7,
        "reply_parameters": ReplyParameters(message_id=first.message_id),
    }

    await bot.send_photo(FORUM, file(png()), **about)
    await bot.send_voice(FORUM, file(OGG), **about)
    await bot.send_document(FORUM, file(PDF), **about)
    await bot.send_media_group(FORUM, [InputMediaPhoto(media=file(png()))] * 2, **about)

    for shown in tg.visible(FORUM)[1:]:
        assert shown.protected
        assert not shown.notify
        assert (shown.thread_id, shown.reply_to) == (7, first.message_id)


async def test_a_long_voice_note_by_url_arrives_as_a_file(
    tg: FakeTelegram, bot: Bot, host: MediaHost
):
    short = host.put("short.ogg", OGG, "audio/ogg")
    long = host.put("long.ogg", b"OggS" + b"\0" * (1 << 20), "audio/ogg")

    await bot.send_voice(CHAT, short)
    message = await bot.send_voice(CHAT, long)

    assert message.document is not None
    assert [one.kind for one in tg.visible(CHAT)] == [Kind.VOICE, Kind.DOCUMENT]
    mp3 = host.put("a.mp3", MP3, "audio/mpeg")
    assert "wrong type of the web page content" in await refusal(bot.send_voice(CHAT, mp3))


async def test_words_written_into_a_document_are_found(tg: FakeTelegram, bot: Bot):
    lyrics = "Кто-то поёт\nв тишине"

    message = await bot.send_document(CHAT, file(lyrics.encode(), "lyrics.txt"))
    await bot.send_document(CHAT, file(b"\0\1not words", "notes.mid"))

    assert message.document is not None
    assert message.document.mime_type == "text/plain"
    assert tg.ever_shown_count("в тишине") == 1
    assert [one.message_id for _, one in tg.shown("поёт")] == [message.message_id]
    assert tg.ever_shown_count(hashlib.sha256(lyrics.encode()).hexdigest()) == 1
    assert tg.visible(CHAT)[1].mime == "audio/midi"


async def test_an_unlimited_fake_keeps_no_log_and_still_knows_what_stood_where():
    async with FakeTelegram(unlimited=True, limits=Limits()) as tg, bot_on(tg) as bot:
        message = await bot.send_message(CHAT, "carrier")
        for _ in range(40):
            await bot.send_message(CHAT, "flood")
        await bot.edit_message_text("result", chat_id=CHAT, message_id=message.message_id)

        assert list(tg.log()) == []
        assert tg.tally(["result"]).once == ("result",)
        assert tg.ever_shown_count("flood") == 40


async def test_admins_act_over_http_and_the_page_is_told(tg: FakeTelegram, bot: Bot):
    tg.add_chat(FORUM, kind="supergroup", topics=(7, 8, 9), slow_seconds=0)
    await bot.send_message(FORUM, "x", message_thread_id=7)
    orders: list[tuple[str, dict[str, object]]] = [
        ("close_topic", {"thread_id": 8}),
        ("delete_topic", {"thread_id": 9}),
        ("forbid", {"kinds": ["voice", "video"]}),
    ]

    async with ClientSession(tg.url) as http:
        for action, order in orders:
            async with http.post(f"/sim/chats/{FORUM}/{action}", json=order) as answer:
                assert answer.status == 200
        assert "not enough rights" in await refusal(bot.send_video(FORUM, file(MP4)))
        async with http.get(f"/sim/chats/{FORUM}") as answer:
            told = await answer.json()

    assert told["chat"]["topics"] == {"7": "open", "8": "closed", "9": "deleted"}
    assert told["chat"]["forbidden"] == ["video", "voice"]
    assert [(one["event"], one["method"]) for one in told["notes"]] == [("failed", "sendvideo")]
