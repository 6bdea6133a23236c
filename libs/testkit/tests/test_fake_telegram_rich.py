"""Rich messages: the one editable album, its limits, and what may become what."""

import hashlib

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    InputRichBlockAnimation,
    InputRichBlockAudio,
    InputRichBlockBlockQuotation,
    InputRichBlockCollage,
    InputRichBlockDivider,
    InputRichBlockDocument,
    InputRichBlockList,
    InputRichBlockListItem,
    InputRichBlockParagraph,
    InputRichBlockPhoto,
    InputRichBlockSectionHeading,
    InputRichBlockSlideshow,
    InputRichMessage,
    RichBlockCollage,
    RichBlockPhoto,
    RichBlockVideo,
    RichTextBold,
)
from pydantic import BaseModel

from fake_telegram_rig import (
    CHAT,
    GIF,
    MP3,
    MP4,
    PDF,
    bot_on,
    collage,
    fake_telegram,
    file,
    media_host,
    png,
)
from testkit.telegram import FakeTelegram, Kind


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


@pytest.fixture
async def carrier(bot: Bot) -> int:
    return (await bot.send_message(CHAT, "Ready: 2 images")).message_id


def photo(shade: int) -> InputMediaPhoto:
    return InputMediaPhoto(media=file(png(shade=shade), f"{shade}.png"))


async def show(bot: Bot, message_id: int, rich: InputRichMessage):
    return await bot.edit_message_text(chat_id=CHAT, message_id=message_id, rich_message=rich)


async def test_a_text_becomes_a_collage_and_every_part_is_counted(
    tg: FakeTelegram, bot: Bot, carrier: int
):
    wanted = collage(photo(1), InputMediaVideo(media=file(MP4, "a.mp4")), caption="Two results")

    edited = await show(bot, carrier, wanted)

    assert edited.rich_message is not None
    (block,) = edited.rich_message.blocks
    assert isinstance(block, RichBlockCollage)
    first, second = block.blocks
    assert isinstance(first, RichBlockPhoto)
    assert first.photo[-1].width == 64
    assert isinstance(second, RichBlockVideo)
    assert second.video.file_size == len(MP4)
    (shown,) = tg.visible(CHAT)
    assert (shown.kind, shown.message_id, shown.text) == (Kind.RICH, carrier, "Two results")
    for content in (png(shade=1), MP4):
        digest = hashlib.sha256(content).hexdigest()
        assert tg.ever_shown_count(digest) == 1
        assert len(tg.shown(digest)) == 1


async def test_equal_blocks_with_the_same_files_are_not_modified(bot: Bot, carrier: int):
    async with media_host() as host:
        one = host.put("1.png", png(shade=1), "image/png")
        other = host.put("2.png", png(shade=2), "image/png")
        wanted = collage(InputMediaPhoto(media=one), InputMediaPhoto(media=other))
        await show(bot, carrier, wanted)

        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await show(bot, carrier, wanted)
        swapped = collage(InputMediaPhoto(media=other), InputMediaPhoto(media=one))
        await show(bot, carrier, swapped)


async def test_rich_and_text_become_one_another_and_rich_becomes_a_medium(
    tg: FakeTelegram, bot: Bot, carrier: int
):
    await show(bot, carrier, collage(photo(1), photo(2)))
    with pytest.raises(TelegramBadRequest, match="there is no caption in the message to edit"):
        await bot.edit_message_caption(chat_id=CHAT, message_id=carrier, caption="x")
    await bot.edit_message_text("text again", chat_id=CHAT, message_id=carrier)
    assert [(one.kind, one.parts) for one in tg.visible(CHAT)] == [(Kind.TEXT, ())]
    await show(bot, carrier, collage(photo(1), photo(2)))

    await bot.edit_message_media(photo(3), chat_id=CHAT, message_id=carrier)

    assert [one.kind for one in tg.visible(CHAT)] == [Kind.PHOTO]
    with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
        await show(bot, carrier, collage(photo(1)))


async def test_one_bad_medium_leaves_the_message_as_it_was(
    tg: FakeTelegram, bot: Bot, carrier: int
):
    async with media_host() as host:
        with pytest.raises(TelegramBadRequest, match="failed to get HTTP URL content"):
            await show(bot, carrier, collage(photo(1), InputMediaPhoto(media=f"{host.url}/no")))

    assert [one.text for one in tg.visible(CHAT)] == ["Ready: 2 images"]


async def test_every_medium_and_words_in_blocks_are_sent_and_read_back(tg: FakeTelegram, bot: Bot):
    blocks: list[BaseModel] = [
        InputRichBlockSectionHeading(text="Your song", size=2),
        InputRichBlockParagraph(text=["made of ", RichTextBold(text="noise")]),
        InputRichBlockDivider(),
        InputRichBlockAudio(audio=InputMediaAudio(media=file(MP3, "a.mp3"))),
        InputRichBlockDocument(document=InputMediaDocument(media=file(PDF, "a.pdf"))),
        InputRichBlockAnimation(animation=InputMediaAnimation(media=file(GIF, "a.gif"))),
        InputRichBlockList(
            items=[
                InputRichBlockListItem(blocks=[InputRichBlockParagraph(text="first")]),
                InputRichBlockListItem(blocks=[InputRichBlockParagraph(text="next")], type="1"),
            ]
        ),
        InputRichBlockBlockQuotation(blocks=[InputRichBlockParagraph(text="quoted")]),
    ]
    rich = InputRichMessage.model_validate({"blocks": blocks})

    message = await bot.send_rich_message(CHAT, rich, protect_content=True)

    assert message.rich_message is not None
    assert [one.type for one in message.rich_message.blocks] == [
        "heading",
        "paragraph",
        "divider",
        "audio",
        "document",
        "animation",
        "list",
        "blockquote",
    ]
    (shown,) = tg.visible(CHAT)
    assert shown.text.split("\n") == ["Your song", "made of noise", "first", "next", "quoted"]
    assert [part.kind for part in shown.parts] == [Kind.AUDIO, Kind.DOCUMENT, Kind.ANIMATION]
    assert shown.protected
    assert tg.ever_shown_count("made of noise") == 1


@pytest.mark.parametrize(
    "rich,words",
    [
        (lambda: InputRichMessage(blocks=[]), "message text is empty"),
        (lambda: InputRichMessage(html="<p>x</p>", blocks=[]), "exactly one of"),
        (lambda: collage(*(InputMediaPhoto(media="x") for _ in range(51))), "too many media"),
        (collage, "collage must be non-empty"),
        (
            lambda: InputRichMessage(
                blocks=[InputRichBlockSlideshow(blocks=[InputRichBlockParagraph(text="x")])]
            ),
            "can contain only photos and videos",
        ),
        (
            lambda: InputRichMessage(
                blocks=[InputRichBlockParagraph(text="x") for _ in range(501)]
            ),
            "too many blocks",
        ),
        (
            lambda: InputRichMessage(blocks=[InputRichBlockParagraph(text="🙂" * 16_385)]),
            "rich message is too long",
        ),
        (
            lambda: InputRichMessage(blocks=[InputRichBlockSectionHeading(text="x", size=7)]),
            "heading size",
        ),
        (lambda: InputRichMessage(blocks=[nested(17)]), "nested too deeply"),
    ],
)
async def test_what_a_rich_message_may_not_be(bot: Bot, carrier: int, rich, words: str):
    with pytest.raises(TelegramBadRequest, match=words):
        await show(bot, carrier, rich())


def nested(depth: int) -> InputRichBlockBlockQuotation:
    block = InputRichBlockBlockQuotation(blocks=[InputRichBlockParagraph(text="x")])
    for _ in range(depth - 1):
        block = InputRichBlockBlockQuotation(blocks=[block])
    return block


async def test_fifty_media_are_allowed(tg: FakeTelegram, bot: Bot, carrier: int):
    first = await bot.send_photo(CHAT, file(png()))
    assert first.photo is not None
    same = InputMediaPhoto(media=first.photo[-1].file_id)

    await show(bot, carrier, collage(*[same] * 50))

    assert len(tg.visible(CHAT)[0].parts) == 50


async def test_a_slideshow_is_a_gallery_too(tg: FakeTelegram, bot: Bot, carrier: int):
    shots = [InputRichBlockPhoto(photo=photo(shade)) for shade in (1, 2)]
    slideshow = InputRichMessage(blocks=[InputRichBlockSlideshow(blocks=[*shots])])

    edited = await show(bot, carrier, slideshow)

    assert edited.rich_message is not None
    assert edited.rich_message.blocks[0].type == "slideshow"
    assert len(tg.visible(CHAT)[0].parts) == 2


async def test_text_and_blocks_at_once_are_refused(bot: Bot, carrier: int):
    rich = InputRichMessage(
        blocks=[InputRichBlockCollage(blocks=[InputRichBlockPhoto(photo=photo(1))])]
    )

    with pytest.raises(TelegramBadRequest, match="can't be specified simultaneously"):
        await bot.edit_message_text("x", chat_id=CHAT, message_id=carrier, rich_message=rich)
