"""What a test asks at the end: shown once, never overwritten, nothing left lying about."""

import hashlib

import pytest
from aiogram import Bot
from aiogram.types import InputMediaPhoto
from aiohttp import ClientSession

from fake_telegram_rig import CHAT, bot_on, collage, fake_telegram, file, media_host, png
from testkit.telegram import FakeTelegram


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_a_tally_tells_once_twice_never_and_gone_apart(tg: FakeTelegram, bot: Bot):
    await bot.send_photo(CHAT, file(png(shade=1)))
    for _ in range(2):
        await bot.send_photo(CHAT, file(png(shade=2)))
    gone = await bot.send_photo(CHAT, file(png(shade=3)))
    await bot.delete_message(CHAT, gone.message_id)

    tally = tg.tally({f"job {shade}": [digest(png(shade=shade))] for shade in range(1, 5)})

    assert tally.once == ("job 1",)
    assert tally.doubled == ("job 2",)
    assert tally.vanished == ("job 3",)
    assert tally.missing == ("job 4",)
    assert not tally.is_clean


async def test_a_result_found_as_picture_and_as_link_is_doubled(tg: FakeTelegram, bot: Bot):
    async with media_host() as host:
        url = host.put("a.png", png(), "image/png")
        await bot.send_photo(CHAT, url)
        assert tg.tally({"job": [url, digest(png())]}).is_clean

        await bot.send_message(CHAT, f"Here it is: {url}")

    assert tg.tally({"job": [url, digest(png())]}).doubled == ("job",)


async def test_a_collage_part_shown_elsewhere_too_is_doubled(tg: FakeTelegram, bot: Bot):
    carrier = await bot.send_message(CHAT, "Ready")
    pictures = [InputMediaPhoto(media=file(png(shade=shade))) for shade in (1, 2)]
    await bot.edit_message_text(
        chat_id=CHAT, message_id=carrier.message_id, rich_message=collage(*pictures)
    )
    results = [digest(png(shade=shade)) for shade in (1, 2)]
    assert tg.tally(results).is_clean

    await bot.send_photo(CHAT, file(png(shade=2)))

    assert tg.tally(results).doubled == (results[1],)


async def test_progress_and_a_new_caption_overwrite_nothing(tg: FakeTelegram, bot: Bot):
    status = await bot.send_message(CHAT, "queued")
    for text in ("10 %", "90 %"):
        await bot.edit_message_text(text, chat_id=CHAT, message_id=status.message_id)
    for caption in ("first", "second"):
        await bot.edit_message_media(
            InputMediaPhoto(media=file(png()), caption=caption),
            chat_id=CHAT,
            message_id=status.message_id,
        )

    states = tg.history(CHAT, status.message_id)

    assert [one.text for one in states] == ["queued", "10 %", "90 %", "first", "second"]
    assert tg.overwritten() == []


async def test_another_picture_in_the_place_of_a_result_is_an_overwrite(tg: FakeTelegram, bot: Bot):
    message = await bot.send_photo(CHAT, file(png(shade=1)))
    await bot.edit_message_media(
        InputMediaPhoto(media=file(png(shade=2))), chat_id=CHAT, message_id=message.message_id
    )

    (found,) = tg.overwritten()

    assert (found.before.digest, found.after.digest) == (
        digest(png(shade=1)),
        digest(png(shade=2)),
    )


async def test_a_collage_that_loses_a_part_is_an_overwrite_unless_a_link_stays(
    tg: FakeTelegram, bot: Bot
):
    async with media_host() as host:
        urls = [host.put(f"{one}.png", png(shade=one), "image/png") for one in (1, 2)]
        for chat in (CHAT, 7):
            carrier = await bot.send_message(chat, "Ready")
            await bot.edit_message_text(
                chat_id=chat,
                message_id=carrier.message_id,
                rich_message=collage(*(InputMediaPhoto(media=url) for url in urls)),
            )
            links = urls if chat == CHAT else urls[:1]
            await bot.edit_message_text(
                "\n".join(links), chat_id=chat, message_id=carrier.message_id
            )

    assert [one.after.chat_id for one in tg.overwritten()] == [7]


async def test_spares_are_what_shows_no_result(tg: FakeTelegram, bot: Bot):
    tg.say(tg.add_bot("42:secret"), CHAT, "draw me a sea")
    await bot.send_message(CHAT, "Ready: image · job 7F3K")
    await bot.send_photo(CHAT, file(png()), caption="Ready: image · job 7F3K")
    await bot.send_message(7, "Working on it…")

    spares = tg.spares([digest(png())])

    assert [(one.chat_id, one.text) for one in spares] == [
        (CHAT, "Ready: image · job 7F3K"),
        (7, "Working on it…"),
    ]
    assert [one.chat_id for one in tg.spares([digest(png())], chat_id=7)] == [7]


async def test_the_same_verdicts_over_http(tg: FakeTelegram, bot: Bot):
    message = await bot.send_photo(CHAT, file(png(shade=1)), caption="one")
    await bot.edit_message_media(
        InputMediaPhoto(media=file(png(shade=2))), chat_id=CHAT, message_id=message.message_id
    )
    await bot.send_message(CHAT, "spare")
    wanted = {"contents": [digest(png(shade=2))]}

    async with ClientSession(tg.url) as http:
        async with http.post("/sim/tally", json=wanted) as answer:
            tally = await answer.json()
        async with http.post("/sim/overwritten", json=wanted) as answer:
            overwritten = await answer.json()
        async with http.post("/sim/spares", json=wanted) as answer:
            spares = await answer.json()
        path = f"/sim/chats/{CHAT}/history?message={message.message_id}"
        async with http.get(path) as answer:
            history = await answer.json()

    assert tally["once"] == wanted["contents"]
    assert [one["before"]["text"] for one in overwritten] == ["one"]
    assert [one["text"] for one in spares] == ["spare"]
    assert [one["text"] for one in history] == ["one", ""]
