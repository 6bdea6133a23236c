"""Media: by upload, by URL the server really fetches, and by file_id; alone and in albums."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramEntityTooLarge
from aiogram.types import InputMediaAudio, InputMediaPhoto, InputMediaVideo
from aiohttp import ClientSession, FormData

from fake_telegram_rig import (
    CHAT,
    GIF,
    MP3,
    MP4,
    OTHER_TOKEN,
    PDF,
    MediaHost,
    bot_on,
    fake_telegram,
    file,
    file_id_of,
    media_host,
    png,
)
from testkit.telegram import FakeTelegram, Kind

CURL_FAILED = "Bad Request: failed to get HTTP URL content"
WRONG_TYPE = "Bad Request: wrong type of the web page content"
WRONG_FILE = "Bad Request: wrong file identifier/HTTP URL specified"


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


async def test_a_photo_by_url_is_fetched_once_and_shown(
    tg: FakeTelegram, bot: Bot, host: MediaHost
):
    url = host.put("a.png", png(width=900, height=600), "image/png")

    first = await bot.send_photo(CHAT, url, caption="c")
    await bot.send_photo(CHAT, url)

    assert first.photo is not None
    assert [(one.width, one.height) for one in first.photo] == [(90, 60), (320, 213), (900, 600)]
    assert host.asked == ["a.png"]
    assert tg.ever_shown_count(url) == 2
    assert tg.visible(CHAT)[0].digest == tg.visible(CHAT)[1].digest


@pytest.mark.parametrize(
    "method,content,content_type,field",
    [
        ("send_video", MP4, "video/mp4", "video"),
        ("send_animation", GIF, "image/gif", "animation"),
        ("send_audio", MP3, "audio/mpeg", "audio"),
        ("send_document", PDF, "application/pdf", "document"),
        ("send_voice", b"OggS" + b"\0" * 40, "audio/ogg", "voice"),
    ],
)
async def test_every_kind_by_url_and_by_upload(  # the columns of the table
    bot: Bot, host: MediaHost, method: str, content: bytes, content_type: str, field: str
):
    by_url = await getattr(bot, method)(CHAT, host.put("f", content, content_type))
    by_upload = await getattr(bot, method)(CHAT, file(content))

    for message in (by_url, by_upload):
        assert getattr(message, field).mime_type == content_type
        assert getattr(message, field).file_size == len(content)


@pytest.mark.parametrize(
    "name,content,content_type,words",
    [
        ("absent", None, "", CURL_FAILED),
        ("page.html", b"<html>", "text/html", WRONG_TYPE),
        ("liar.png", b"<html> not a picture", "image/png", WRONG_TYPE),
        ("big.png", png() + b"\0" * (5 << 20), "image/png", WRONG_FILE),
        ("empty.png", b"", "image/png", WRONG_FILE),
        ("thin.png", png(width=2100, height=100), "image/png", "PHOTO_INVALID_DIMENSIONS"),
    ],
)
async def test_a_url_is_refused_in_telegrams_words(  # noqa: PLR0917  # the columns of the table
    tg: FakeTelegram,
    bot: Bot,
    host: MediaHost,
    name: str,
    content: bytes | None,
    content_type: str,
    words: str,
):
    url = f"{host.url}/{name}" if content is None else host.put(name, content, content_type)

    with pytest.raises(TelegramBadRequest) as refused:
        await bot.send_photo(CHAT, url)

    assert words in refused.value.message
    assert tg.visible(CHAT) == []


async def test_a_failed_url_stays_failed_until_its_query_changes(bot: Bot, host: MediaHost):
    url = f"{host.url}/late.png"
    with pytest.raises(TelegramBadRequest, match="failed to get HTTP URL content"):
        await bot.send_photo(CHAT, url)
    host.put("late.png", png(), "image/png")

    with pytest.raises(TelegramBadRequest, match="failed to get HTTP URL content"):
        await bot.send_photo(CHAT, url)
    await bot.send_photo(CHAT, f"{url}?again=1")


async def test_documents_by_url_are_pdf_or_zip_only(bot: Bot, host: MediaHost):
    await bot.send_document(CHAT, host.put("a.zip", b"PK\x03\x04" + b"\0" * 30, "application/zip"))

    with pytest.raises(TelegramBadRequest, match="wrong type of the web page content"):
        await bot.send_document(CHAT, host.put("a.png", png(), "image/png"))


async def test_nothing_beyond_loopback_is_fetched(bot: Bot):
    with pytest.raises(TelegramBadRequest, match="failed to get HTTP URL content"):
        await bot.send_photo(CHAT, "https://media.example/a.png")
    with pytest.raises(TelegramBadRequest, match="wrong HTTP URL specified"):
        await bot.send_photo(CHAT, "http://")


async def test_file_ids_belong_to_one_bot_and_keep_their_kind(tg: FakeTelegram, bot: Bot):
    file_id = file_id_of(await bot.send_photo(CHAT, file(png())))

    again = await bot.send_photo(7, file_id)

    assert file_id_of(again) == file_id
    with pytest.raises(TelegramBadRequest, match="can't use file of type Photo as Document"):
        await bot.send_document(CHAT, file_id)
    with pytest.raises(TelegramBadRequest, match="wrong remote file identifier specified"):
        await bot.send_photo(CHAT, "nonsense")
    async with bot_on(tg, OTHER_TOKEN) as other:
        with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
            await other.send_photo(CHAT, file_id)
        of_other = await other.send_photo(CHAT, file(png()))
    assert file_id_of(of_other) != file_id
    assert of_other.photo is not None
    assert again.photo is not None
    assert of_other.photo[-1].file_unique_id == again.photo[-1].file_unique_id


async def test_uploads_are_judged(tg: FakeTelegram, bot: Bot):
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await bot.send_photo(CHAT, file(b"not a picture"))
    with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
        await bot.send_document(CHAT, file(b""))
    with pytest.raises(TelegramEntityTooLarge):
        await bot.send_photo(CHAT, file(png() + b"\0" * (10 << 20)))
    as_video = await bot.send_video(CHAT, file(PDF, "a.pdf"))

    assert as_video.document is not None
    assert [one.kind for one in tg.visible(CHAT)] == [Kind.DOCUMENT]


async def test_a_file_can_be_fetched_back(tg: FakeTelegram, bot: Bot):
    message = await bot.send_document(CHAT, file(PDF, "a.pdf"))
    assert message.document is not None

    found = await bot.get_file(message.document.file_id)

    assert found.file_path is not None
    async with (
        ClientSession() as http,
        http.get(f"{tg.url}/file/bot{bot.token}/{found.file_path}") as answer,
    ):
        assert await answer.read() == PDF


async def test_an_album_is_several_messages_of_one_group(tg: FakeTelegram, bot: Bot):
    album = await bot.send_media_group(
        CHAT,
        [InputMediaPhoto(media=file(png()), caption="c"), InputMediaVideo(media=file(MP4))],
        disable_notification=True,
    )

    shown = tg.visible(CHAT)
    assert [one.message_id for one in album] == [one.message_id for one in shown]
    assert len({one.media_group_id for one in album}) == 1
    assert [(one.kind, one.text, one.notify) for one in shown] == [
        (Kind.PHOTO, "c", False),
        (Kind.VIDEO, "", False),
    ]


async def test_an_album_with_a_bad_item_sends_nothing(tg: FakeTelegram, bot: Bot, host: MediaHost):
    good = InputMediaPhoto(media=file(png()))

    with pytest.raises(TelegramBadRequest) as refused:
        await bot.send_media_group(CHAT, [good, InputMediaPhoto(media=f"{host.url}/absent")])
    with pytest.raises(TelegramBadRequest, match="audio can't be mixed with other media types"):
        await bot.send_media_group(CHAT, [good, InputMediaAudio(media=file(MP3))])

    assert 'failed to send message #2 with the error message "WEBPAGE_CURL_FAILED"' in (
        refused.value.message
    )
    assert tg.visible(CHAT) == []


async def test_json_query_and_direct_multipart_bodies_are_understood(tg: FakeTelegram):
    method = f"{tg.url}/bot42:secret"
    async with ClientSession() as http:
        async with http.post(
            f"{method}/SENDMESSAGE", json={"chat_id": CHAT, "text": "json", "entities": []}
        ) as answer:
            assert (await answer.json())["ok"] is True
        async with http.get(f"{method}/sendMessage?chat_id={CHAT}&text=query") as answer:
            assert (await answer.json())["ok"] is True
        form = FormData({"chat_id": str(CHAT)})
        form.add_field("photo", png(), filename="a.png")
        async with http.post(f"{method}/sendPhoto", data=form) as answer:
            assert (await answer.json())["result"]["photo"]
        async with http.post(f"{method}/sendMessage", data=b"{", headers=_JSON) as answer:
            assert answer.status == 400

    assert [one.text for one in tg.visible(CHAT)] == ["json", "query", ""]


_JSON = {"Content-Type": "application/json"}
