"""Editing: the strict rules that make an edit repeatable."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
)

from fake_telegram_rig import (
    CHAT,
    GIF,
    MP3,
    MP4,
    OTHER_TOKEN,
    PDF,
    bot_on,
    fake_telegram,
    file,
    file_id_of,
    media_host,
    png,
)
from testkit.telegram import FakeTelegram, Kind

NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are"
    " exactly the same as a current content and reply markup of the message"
)
KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="Again", callback_data="again")]]
)


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


@pytest.fixture
async def text_id(bot: Bot) -> int:
    return (await bot.send_message(CHAT, "working")).message_id


async def refusal(attempt: Awaitable[object]) -> str:
    with pytest.raises(TelegramBadRequest) as refused:
        await attempt
    return refused.value.message


async def test_a_text_edit_applies_once_and_then_is_not_modified(
    tg: FakeTelegram, bot: Bot, text_id: int
):
    edited = await bot.edit_message_text("done", chat_id=CHAT, message_id=text_id)

    assert edited.text == "done"
    assert edited.edit_date is not None
    assert (
        await refusal(
            bot.edit_message_text(
                " <b></b>done ", chat_id=CHAT, message_id=text_id, parse_mode="HTML"
            )
        )
        == NOT_MODIFIED
    )
    assert [(one.text, one.edits) for one in tg.visible(CHAT)] == [("done", 1)]


async def test_markup_counts_as_content_and_leaves_when_not_repeated(
    tg: FakeTelegram, bot: Bot, text_id: int
):
    await bot.edit_message_text("working", chat_id=CHAT, message_id=text_id, reply_markup=KEYBOARD)
    assert tg.visible(CHAT)[0].markup is not None

    same = bot.edit_message_reply_markup(chat_id=CHAT, message_id=text_id, reply_markup=KEYBOARD)
    assert await refusal(same) == NOT_MODIFIED
    await bot.edit_message_text("working", chat_id=CHAT, message_id=text_id)
    assert tg.visible(CHAT)[0].markup is None


@pytest.mark.parametrize(
    "medium,kind",
    [
        (lambda: InputMediaPhoto(media=file(png()), caption="c"), Kind.PHOTO),
        (lambda: InputMediaVideo(media=file(MP4), caption="c"), Kind.VIDEO),
        (lambda: InputMediaAnimation(media=file(GIF), caption="c"), Kind.ANIMATION),
        (lambda: InputMediaAudio(media=file(MP3), caption="c"), Kind.AUDIO),
        (lambda: InputMediaDocument(media=file(PDF), caption="c"), Kind.DOCUMENT),
    ],
)
async def test_text_becomes_any_editable_medium_and_never_text_again(
    tg: FakeTelegram, bot: Bot, text_id: int, medium: Callable[[], InputMediaPhoto], kind: Kind
):
    edited = await bot.edit_message_media(medium(), chat_id=CHAT, message_id=text_id)

    assert edited.caption == "c"
    assert getattr(edited, kind)
    assert [(one.kind, one.message_id) for one in tg.visible(CHAT)] == [(kind, text_id)]
    assert (
        await refusal(bot.edit_message_text("back", chat_id=CHAT, message_id=text_id))
        == "Bad Request: there is no text in the message to edit"
    )


async def test_media_edit_by_file_id_is_not_modified_and_an_upload_is_a_new_edit(
    bot: Bot, text_id: int
):
    uploaded = InputMediaPhoto(media=file(png()), caption="c")
    first = await bot.edit_message_media(uploaded, chat_id=CHAT, message_id=text_id)
    again = InputMediaPhoto(media=file_id_of(first), caption="c")

    assert (
        await refusal(bot.edit_message_media(again, chat_id=CHAT, message_id=text_id))
        == NOT_MODIFIED
    )
    uploaded_again = InputMediaPhoto(media=file(png()), caption="c")
    await bot.edit_message_media(uploaded_again, chat_id=CHAT, message_id=text_id)


async def test_captions_are_edited_on_media_only(bot: Bot, text_id: int):
    photo = await bot.send_photo(CHAT, file(png()), caption="one")

    edited = await bot.edit_message_caption(
        chat_id=CHAT, message_id=photo.message_id, caption="two"
    )

    assert edited.caption == "two"
    assert (
        await refusal(
            bot.edit_message_caption(chat_id=CHAT, message_id=photo.message_id, caption="two")
        )
        == NOT_MODIFIED
    )
    assert (
        await refusal(bot.edit_message_caption(chat_id=CHAT, message_id=text_id, caption="x"))
        == "Bad Request: there is no caption in the message to edit"
    )
    assert (
        await refusal(
            bot.edit_message_caption(chat_id=CHAT, message_id=photo.message_id, caption="x" * 1025)
        )
        == "Bad Request: message caption is too long"
    )


async def test_a_voice_note_keeps_its_medium(bot: Bot):
    voice = await bot.send_voice(CHAT, file(b"OggS" + b"\0" * 40, "v.ogg"))

    assert voice.voice is not None
    assert (
        await refusal(
            bot.edit_message_media(
                InputMediaPhoto(media=file(png())), chat_id=CHAT, message_id=voice.message_id
            )
        )
        == "Bad Request: message media can't be edited"
    )


async def test_an_album_item_keeps_its_family(bot: Bot):
    album = await bot.send_media_group(
        CHAT, [InputMediaPhoto(media=file(png(shade=one))) for one in (1, 2)]
    )
    target = album[0].message_id

    await bot.edit_message_media(InputMediaVideo(media=file(MP4)), chat_id=CHAT, message_id=target)
    assert await refusal(
        bot.edit_message_media(InputMediaAudio(media=file(MP3)), chat_id=CHAT, message_id=target)
    ) == ("Bad Request: can't change media type in the album")
    assert await refusal(
        bot.edit_message_media(
            InputMediaAnimation(media=file(GIF)), chat_id=CHAT, message_id=target
        )
    ) == ("Bad Request: message content type can't be used in an album")


async def test_what_cannot_be_edited(tg: FakeTelegram, bot: Bot, text_id: int):
    def edit(message_id: int) -> Awaitable[object]:
        return bot.edit_message_text("x", chat_id=CHAT, message_id=message_id)

    keyed = await bot.send_message(CHAT, "a", reply_markup=ForceReply())
    forwarded = await bot.forward_message(CHAT, CHAT, text_id)
    said = tg.say(tg.add_bot("42:secret"), CHAT, "user text")

    for message_id in (keyed.message_id, forwarded.message_id, said):
        assert await refusal(edit(message_id)) == "Bad Request: message can't be edited"
    assert await refusal(edit(999)) == "Bad Request: message to edit not found"
    tg.delete_message(CHAT, text_id)
    assert await refusal(edit(text_id)) == "Bad Request: message to edit not found"


async def test_another_bot_cannot_edit_in_a_shared_chat(tg: FakeTelegram, bot: Bot):
    message = await bot.send_message(-1_001_000_000_777, "mine")
    async with bot_on(tg, OTHER_TOKEN) as other:
        assert (
            await refusal(
                other.edit_message_text("x", chat_id=message.chat.id, message_id=message.message_id)
            )
            == "Bad Request: message can't be edited"
        )


async def test_one_sided_deletion_lets_the_edit_succeed_unseen(
    tg: FakeTelegram, bot: Bot, text_id: int
):
    tg.delete_message(CHAT, text_id, one_sided=True)

    await bot.edit_message_text("done", chat_id=CHAT, message_id=text_id)

    assert tg.visible(CHAT) == []
    assert tg.shown("done") == []


async def test_the_newer_of_two_media_edits_wins(tg: FakeTelegram, bot: Bot, text_id: int):
    async with media_host() as host:
        slow = host.put("slow.png", png(shade=1), "image/png")
        gate = asyncio.Event()
        host.gates["slow.png"] = gate
        first = asyncio.create_task(
            bot.edit_message_media(InputMediaPhoto(media=slow), chat_id=CHAT, message_id=text_id)
        )
        await host.until_asked("slow.png")
        await bot.edit_message_media(
            InputMediaPhoto(media=file(png(shade=2)), caption="newer"),
            chat_id=CHAT,
            message_id=text_id,
        )
        gate.set()

        assert await refusal(first) == "Bad Request: canceled by new edit message request"
    assert [one.text for one in tg.visible(CHAT)] == ["newer"]
