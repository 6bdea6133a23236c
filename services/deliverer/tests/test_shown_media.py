"""Every medium edited into a message: by link and by upload, with its buttons, as a collage."""

import pytest

from contracts.deliveries import Content, Item, RefusalCode
from contracts.markup import Entity
from contracts.values import MediaKind
from deliverer_asks import BUTTONS, CHAT, content_of, digest, labels, reject
from deliverer_media import GIF, MP3, OPUS, PDF, PNG, film
from testkit.telegram import Kind, Mode

NOTES = '[{"name": "Drums", "notes": [{"pitch": 60, "start": 0, "end": 1, "velocity": 1}]}]'
MEDIA = [
    (MediaKind.IMAGE, "a.png", PNG, "image/png", Kind.PHOTO),
    (MediaKind.IMAGE, "a.gif", GIF, "image/gif", Kind.ANIMATION),
    (MediaKind.ANIMATION, "a.mp4", film(b"vide"), "video/mp4", Kind.ANIMATION),
    (MediaKind.VIDEO, "b.mp4", film(b"vide", b"soun"), "video/mp4", Kind.VIDEO),
    (MediaKind.AUDIO, "a.mp3", MP3, "audio/mpeg", Kind.AUDIO),
    (MediaKind.VOICE, "a.ogg", OPUS, "audio/ogg", Kind.AUDIO),
    (MediaKind.FILE, "a.pdf", PDF, "application/pdf", Kind.DOCUMENT),
]


@pytest.mark.parametrize("by", ["link", "upload"])
@pytest.mark.parametrize("medium", MEDIA, ids=lambda one: f"{one[0]} {one[1]}")
async def test_each_medium_with_its_words_and_buttons(bench, ask, make, medium, by):
    kind, name, content, mime, shown_as = medium
    told = mime if by == "link" else "application/octet-stream"
    wanted = content_of(bench.media, kind, name, content, told, text="words", buttons=BUTTONS)

    outcome = await bench.outcome(ask(make.fresh(wanted)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert outcome.result.file_id
    assert (shown.kind, shown.text, shown.digest) == (shown_as, "words", digest(content))
    assert labels(shown) == [["Open", "Again"]]


@pytest.mark.parametrize(
    "content, name",
    [
        (Content(kind=MediaKind.FILE, body="la la", name="lyrics", buttons=BUTTONS), "lyrics.txt"),
        (Content(kind=MediaKind.MIDI, body=NOTES, buttons=BUTTONS), "melody.mid"),
        (Content(kind=MediaKind.MIDI, body="no notes", buttons=BUTTONS), "melody.json"),
        (Content(kind=MediaKind.TEXT, text="x" * 4097, buttons=BUTTONS), "text.txt"),
    ],
)
async def test_words_that_become_a_document(bench, ask, make, content, name):
    outcome = await bench.outcome(ask(make.fresh(content)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert (shown.kind, shown.file_name) == (Kind.DOCUMENT, name)
    assert labels(shown) == [["Open", "Again"]]


async def test_buttons_stay_through_every_edit_of_a_content(bench, ask, make):
    text = Content(kind=MediaKind.TEXT, text="first", buttons=BUTTONS)
    shown = await bench.outcome(ask(make.fresh(text)))
    message_id = shown.result.message_id
    kept = []

    for content in (
        text.model_copy(update={"text": "second"}),
        content_of(bench.media, MediaKind.IMAGE, "a.png", PNG, "image/png", buttons=BUTTONS),
        text.model_copy(update={"text": "a caption, now"}),
    ):
        await bench.outcome(ask(make.existing(content, message_id)))
        kept.append(labels(bench.telegram.visible(CHAT)[0]))

    assert kept == [[["Open", "Again"]]] * 3


async def test_buttons_telegram_will_not_take_go_alone(bench, ask, make):
    bold = (Entity(type="bold", offset=0, length=5),)
    content = Content(kind=MediaKind.TEXT, text="first", entities=bold, buttons=BUTTONS)
    reject(bench.telegram, "Bad Request: BUTTON_URL_INVALID", methods="edit")

    await bench.outcome(ask(make.fresh(content)))

    (shown,) = bench.telegram.visible(CHAT)
    assert (labels(shown), len(shown.entities)) == ([], 1)


async def test_everything_posted_is_protected_when_asked(bench, ask, make):
    await bench.outcome(ask(make.status(), protect=True))
    await bench.outcome(ask(make.fresh(make.text()), protect=True))

    assert [shown.protected for shown in bench.telegram.visible(CHAT)] == [True, True]


# -- collages ------------------------------------------------------------------


def collage(bench, *, mime: str = "image/png", **more) -> Content:
    one = bench.media.put("/a.png", PNG, mime=mime)
    two = bench.media.put("/b.mp4", film(b"vide", b"soun"), mime="video/mp4")
    items = (Item(kind=MediaKind.IMAGE, url=one), Item(kind=MediaKind.VIDEO, url=two))
    return Content.model_validate(
        {
            "kind": MediaKind.IMAGE,
            "items": items,
            "text": "two cats",
            "entities": (Entity(type="bold", offset=0, length=3),),
            "buttons": BUTTONS,
            **more,
        }
    )


@pytest.mark.parametrize("mime", ["image/png", "application/octet-stream"])
async def test_a_collage_holds_every_medium_in_one_message(bench, ask, make, mime):
    outcome = await bench.outcome(ask(make.fresh(collage(bench, mime=mime))))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert (shown.kind, shown.text) == (Kind.RICH, "two cats")
    assert [part.kind for part in shown.parts] == [Kind.PHOTO, Kind.VIDEO]
    assert labels(shown) == [["Open", "Again"]]
    assert [block["type"] for block in shown.blocks] == ["collage", "paragraph"]


async def test_a_collage_after_a_lost_answer_stands_once(bench, ask, make):
    bench.telegram.faults.plan(Mode.COMMIT_THEN_CLOSE, "edit")

    outcome = await bench.outcome(ask(make.fresh(collage(bench))))

    assert outcome.result.kind == "done"
    assert len(bench.telegram.visible(CHAT)) == 1


async def test_where_rich_messages_are_not_known_the_first_medium_names_the_others(
    bench, ask, make
):
    reject(bench.telegram, "Bad Request: message text is empty", methods="edit", times=2)
    content = collage(bench)

    outcome = await bench.outcome(ask(make.fresh(content)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert (shown.kind, shown.url) == (Kind.PHOTO, content.items[0].url)
    assert shown.text == f"two cats\n{content.items[1].url}"


async def test_a_collage_already_shown_apart_is_not_made_again(bench, ask, make):
    reject(bench.telegram, "Bad Request: RICH_MESSAGE_INVALID", methods="edit")
    content = collage(bench)
    first = await bench.outcome(ask(make.fresh(content)))

    again = await bench.outcome(ask(make.existing(content, first.result.message_id)))

    (shown,) = bench.telegram.visible(CHAT)
    assert again.result.kind == "done"
    assert shown.kind is Kind.PHOTO


async def test_an_item_that_would_be_lost_refuses_the_collage(bench, ask, make):
    image = bench.media.put("/a.png", PNG, mime="image/png")
    items = (Item(kind=MediaKind.IMAGE, url=image), Item(kind=MediaKind.VIDEO, file_id="BAACx"))
    reject(bench.telegram, "Bad Request: RICH_MESSAGE_INVALID", methods="edit")

    outcome = await bench.outcome(ask(make.fresh(collage(bench, items=items))))

    assert (outcome.result.kind, outcome.result.code) == ("refused", RefusalCode.MEDIA_UNUSABLE)
