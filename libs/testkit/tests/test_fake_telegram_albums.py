"""Albums: all files or nothing, what goes with what, and every way one can end halfway."""

import hashlib

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import (
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    MediaUnion,
)

from fake_telegram_rig import (
    CHAT,
    MP3,
    MP4,
    OGG,
    PDF,
    bot_on,
    fake_telegram,
    file,
    media_host,
    png,
)
from testkit.telegram import FakeTelegram, FaultPlan, Kind, Mode


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


def photos(count: int) -> list[MediaUnion]:
    return [InputMediaPhoto(media=file(png(shade=shade))) for shade in range(count)]


async def test_what_goes_together(tg: FakeTelegram, bot: Bot):
    await bot.send_media_group(CHAT, [*photos(1), InputMediaVideo(media=file(MP4))])
    await bot.send_media_group(CHAT, [InputMediaAudio(media=file(MP3, "a.mp3"))] * 2)
    await bot.send_media_group(CHAT, [InputMediaDocument(media=file(PDF))] * 2)

    kinds = [one.kind for one in tg.visible(CHAT)]
    assert kinds == [
        Kind.PHOTO,
        Kind.VIDEO,
        Kind.AUDIO,
        Kind.AUDIO,
        Kind.DOCUMENT,
        Kind.DOCUMENT,
    ]
    assert len({one.album for one in tg.visible(CHAT)}) == 3


@pytest.mark.parametrize(
    "media,words",
    [
        ([InputMediaDocument(media=file(PDF)), *photos(1)], "document can't be mixed"),
        ([*photos(1), InputMediaAudio(media=file(MP3))], "audio can't be mixed"),
        (photos(11), "too many messages to send as an album"),
    ],
)
async def test_what_does_not_go_together(
    tg: FakeTelegram, bot: Bot, media: list[MediaUnion], words: str
):
    with pytest.raises(TelegramBadRequest, match=words):
        await bot.send_media_group(CHAT, media)

    assert tg.visible(CHAT) == []


@pytest.mark.parametrize(
    "kind,words",
    [("animation", "can't be used in sendMediaGroup"), ("voice", "is unsupported")],
)
async def test_some_kinds_are_never_in_an_album(tg: FakeTelegram, kind: str, words: str):
    order = {"chat_id": CHAT, "media": [{"type": kind, "media": "x"}] * 2}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{tg.url}/bot42:secret/sendMediaGroup", json=order) as answer,
    ):
        assert f'type "{kind}" {words}' in (await answer.json())["description"]


async def test_a_single_item_stands_alone_and_no_album_has_buttons(tg: FakeTelegram, bot: Bot):
    await bot.send_media_group(CHAT, photos(1))
    order = {
        "chat_id": CHAT,
        "media": [{"type": "document", "media": "attach://f"}] * 2,
        "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]},
    }
    form = aiohttp.FormData({name: _json(value) for name, value in order.items()})
    form.add_field("f", PDF, filename="a.pdf")
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{tg.url}/bot42:secret/sendMediaGroup", data=form) as answer,
    ):
        assert (await answer.json())["ok"] is True

    alone, *album = tg.visible(CHAT)
    assert alone.album is None
    assert [(one.album is not None, one.markup) for one in album] == [(True, None)] * 2


async def test_one_file_that_cannot_be_fetched_and_nothing_is_sent(tg: FakeTelegram, bot: Bot):
    async with media_host() as host:
        good = host.put("a.png", png(), "image/png")
        wrong = host.put("a.html", b"<html>", "text/html")

        with pytest.raises(TelegramBadRequest) as refused:
            await bot.send_media_group(
                CHAT, [InputMediaPhoto(media=good), InputMediaPhoto(media=wrong)]
            )

    assert (
        'failed to send message #2 with the error message "WEBPAGE_MEDIA_EMPTY"'
        in refused.value.message
    )
    assert tg.visible(CHAT) == []


@pytest.mark.parametrize("items", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "reason", ["Too Many Requests: retry after 8", "Message was not sent", "WEBPAGE_CURL_FAILED"]
)
async def test_a_partial_album_commits_what_it_says(
    tg: FakeTelegram, bot: Bot, items: int, reason: str
):
    tg.faults.plan(Mode.PARTIAL_ALBUM, items=items, reason=reason)

    with pytest.raises(TelegramBadRequest) as refused:
        await bot.send_media_group(CHAT, photos(3))

    told = f'failed to send message #{min(items + 1, 3)} with the error message "{reason}"'
    assert told in refused.value.message
    assert len(tg.visible(CHAT)) == items


LOST = [
    (Mode.COMMIT_THEN_CLOSE, TelegramNetworkError),
    (Mode.COMMIT_THEN_RST, TelegramNetworkError),
    (Mode.COMMIT_THEN_HANG, TelegramNetworkError),
    (Mode.COMMIT_THEN_TRUNCATED, TelegramNetworkError),
    (Mode.COMMIT_THEN_RESTART, TelegramServerError),
    (Mode.COMMIT_THEN_FLOOD, TelegramRetryAfter),
    (Mode.COMMIT_THEN_HTML, ClientDecodeError),
]


@pytest.mark.parametrize("mode,error", LOST)
async def test_an_album_commits_whole_behind_a_lost_answer(
    tg: FakeTelegram, bot: Bot, mode: Mode, error: type[Exception]
):
    tg.faults.plan(mode, "sendMediaGroup", seconds=0.05)

    with pytest.raises(error):
        await bot.send_media_group(CHAT, photos(2))

    assert len(tg.visible(CHAT)) == 2


async def test_an_undecodable_album_still_carries_every_message_id(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.COMMIT_UNDECODABLE)

    with pytest.raises(ClientDecodeError) as failed:
        await bot.send_media_group(CHAT, photos(3))

    told = [one["message_id"] for one in failed.value.data["result"]]
    assert told == [one.message_id for one in tg.visible(CHAT)]


async def test_an_album_can_be_a_late_zombie(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.HANG_THEN_COMMIT, seconds=0.05, late=0.05)
    with pytest.raises(TelegramNetworkError):
        await bot.send_media_group(CHAT, photos(2))
    assert tg.visible(CHAT) == []

    await tg.settle()

    assert len(tg.visible(CHAT)) == 2


async def test_a_plan_for_albums_leaves_other_calls_alone(tg: FakeTelegram, bot: Bot):
    tg.faults.add(FaultPlan(mode=Mode.PARTIAL_ALBUM))

    await bot.send_photo(CHAT, file(png()))
    await bot.send_voice(CHAT, file(OGG, "a.ogg"))

    assert len(tg.visible(CHAT)) == 2


async def test_every_item_is_counted_by_its_bytes(tg: FakeTelegram, bot: Bot):
    await bot.send_media_group(CHAT, photos(3))

    digests = [hashlib.sha256(png(shade=shade)).hexdigest() for shade in range(3)]
    assert tg.tally(digests).is_clean


def _json(value: object) -> str:
    return value if isinstance(value, str) else aiohttp.payload.JsonPayload(value).decode()
