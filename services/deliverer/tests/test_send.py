"""The send protocol on a real bus: every medium, its place, permission, one call."""

import pytest

from contracts.deliveries import Content, Item
from contracts.effects import Begin, Go, Stop
from contracts.markup import Entity
from contracts.values import MediaKind
from deliverer import effects
from deliverer_asks import BUTTONS, CHAT, content_of, digest, labels, reject
from deliverer_media import GIF, MP3, OPUS, PDF, PNG, film
from testkit.telegram import Kind

GROUP = -2002
NOTES = '[{"name": "Drums", "notes": [{"pitch": 60, "start": 0, "end": 1, "velocity": 1}]}]'

# -- every medium --------------------------------------------------------------

MEDIA = [
    (MediaKind.IMAGE, "a.png", PNG, "image/png", Kind.PHOTO),
    (MediaKind.IMAGE, "a.gif", GIF, "image/gif", Kind.ANIMATION),
    (MediaKind.ANIMATION, "a.mp4", film(b"vide"), "video/mp4", Kind.ANIMATION),
    (MediaKind.VIDEO, "b.mp4", film(b"vide", b"soun"), "video/mp4", Kind.VIDEO),
    (MediaKind.AUDIO, "a.mp3", MP3, "audio/mpeg", Kind.AUDIO),
    (MediaKind.FILE, "a.pdf", PDF, "application/pdf", Kind.DOCUMENT),
]


@pytest.mark.parametrize("by", ["link", "upload"])
@pytest.mark.parametrize("medium", MEDIA, ids=lambda one: f"{one[0]} {one[1]}")
async def test_each_medium_by_link_and_by_upload(bench, ask, make, medium, by):
    kind, name, content, mime, shown_as = medium
    told = mime if by == "link" else "application/octet-stream"
    medium = content_of(bench.media, kind, name, content, told, text="words")
    request = ask(make.send(medium))

    outcome = await bench.outcome(request)

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "sent"
    (part,) = outcome.result.parts
    assert (part.part_id, part.message_id) == (request.action.parts[0].part_id, shown.message_id)
    assert part.file_id
    assert (shown.kind, shown.text, shown.digest) == (shown_as, "words", digest(content))


@pytest.mark.parametrize("content, mime", [(OPUS, "audio/ogg"), (MP3, "audio/mpeg")])
async def test_a_voice_note(bench, ask, make, content, mime):
    voice = content_of(bench.media, MediaKind.VOICE, "a", content, mime)

    outcome = await bench.outcome(ask(make.send(voice)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "sent"
    assert (shown.kind, shown.digest) == (Kind.VOICE, digest(content))


async def test_who_forbids_voice_notes_gets_the_sound(bench, ask, make):
    voice = content_of(bench.media, MediaKind.VOICE, "a.mp3", MP3, "audio/mpeg")
    reject(bench.telegram, "Bad Request: VOICE_MESSAGES_FORBIDDEN", methods="sendvoice")

    outcome = await bench.outcome(ask(make.send(voice)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "sent"
    assert shown.kind is Kind.AUDIO
    assert len(bench.media.agents) == 1


async def test_an_ogg_that_is_no_voice_is_audio(bench, ask, make):
    music = b"OggS" + bytes(80)
    voice = content_of(bench.media, MediaKind.VOICE, "a.ogg", music, "audio/ogg")

    await bench.outcome(ask(make.send(voice)))

    (shown,) = bench.telegram.visible(CHAT)
    assert (shown.kind, shown.digest) == (Kind.AUDIO, digest(music))


@pytest.mark.parametrize(
    "content, name",
    [
        (Content(kind=MediaKind.FILE, body="la la", name="lyrics"), "lyrics.txt"),
        (Content(kind=MediaKind.MIDI, body=NOTES, name="melody"), "melody.mid"),
        (Content(kind=MediaKind.MIDI, body="{}", name="melody.mid"), "melody.json"),
        (Content(kind=MediaKind.TEXT, text="x" * 4097), "text.txt"),
    ],
)
async def test_words_that_become_a_document(bench, ask, make, content, name):
    outcome = await bench.outcome(ask(make.send(content)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "sent"
    assert (shown.kind, shown.file_name) == (Kind.DOCUMENT, name)


async def test_a_text_with_its_formatting_and_buttons(bench, ask, make):
    content = Content(
        kind=MediaKind.TEXT,
        text="<b>bold</b> code",
        entities=(Entity(type="bold", offset=0, length=4),),
        buttons=BUTTONS,
    )

    await bench.outcome(ask(make.send(content)))

    (shown,) = bench.telegram.visible(CHAT)
    assert shown.text == "<b>bold</b> code"
    assert [one["type"] for one in shown.entities] == ["bold"]
    assert labels(shown) == [["Open", "Again"]]


# -- place ---------------------------------------------------------------------


async def test_protected_silent_in_its_topic_and_a_reply(bench, ask, make):
    bench.telegram.add_chat(GROUP, kind="supergroup", topics=(7,))
    first = await bench.outcome(ask(make.status(), chat_id=GROUP, thread_id=7))
    replied = first.result.message_id
    send = make.send(make.text(), silent=True)

    await bench.outcome(ask(send, chat_id=GROUP, thread_id=7, reply_to=replied, protect=True))

    shown = bench.telegram.visible(GROUP)[-1]
    assert (shown.thread_id, shown.reply_to, shown.notify) == (7, replied, False)
    assert shown.protected


async def test_a_deleted_topic_means_the_main_one(bench, ask, make):
    bench.telegram.add_chat(GROUP, kind="supergroup", topics=())

    outcome = await bench.outcome(ask(make.send(make.text()), chat_id=GROUP, thread_id=9))

    (shown,) = bench.telegram.visible(GROUP)
    assert outcome.result.kind == "sent"
    assert shown.thread_id is None


# -- permission ----------------------------------------------------------------


async def test_nothing_is_sent_before_permission_and_all_is_fetched(bench, ask, make):
    seen: list[tuple[int, int]] = []

    def look(_asked: Begin) -> Go:
        seen.append((len(bench.telegram.visible(CHAT)), len(bench.media.agents)))
        return Go(lease=90)

    bench.begin_answerer = look
    voice = content_of(bench.media, MediaKind.VOICE, "a.mp3", MP3, "audio/mpeg")

    outcome = await bench.outcome(ask(make.send(voice)))

    assert seen == [(0, 1)]
    assert outcome.holder == bench.begun[0].holder


async def test_told_to_stop_nothing_is_sent(bench, ask, make):
    bench.begin_answerer = lambda _asked: Stop(reason="held_by_another")

    outcome = await bench.outcome(ask(make.send(make.text())))

    assert bench.telegram.visible(CHAT) == []
    assert outcome.result.kind == "not_sent"
    assert outcome.holder == bench.begun[0].holder


async def test_a_lost_permission_is_asked_for_again_by_the_same_holder(bench, ask, make):
    answers = iter([None, Go(lease=90)])
    bench.begin_answerer = lambda _asked: next(answers)

    outcome = await bench.outcome(ask(make.send(make.text())))

    assert outcome.result.kind == "sent"
    assert len(bench.begun) == 2
    assert {asked.holder for asked in bench.begun} == {outcome.holder}


async def test_without_an_answer_nothing_is_sent(bench, ask, make, monkeypatch):
    monkeypatch.setattr(effects, "ONE_TRY", 0.2)
    bench.begin_answerer = lambda _asked: None

    outcome = await bench.outcome(ask(make.send(make.text()), lease=1.5))

    assert bench.telegram.visible(CHAT) == []
    assert outcome.result.kind == "not_sent"
    assert outcome.holder is not None


async def test_a_lease_too_short_for_the_call_is_not_used(bench, ask, make):
    bench.begin_answerer = lambda _asked: Go(lease=20)

    outcome = await bench.outcome(ask(make.send(make.text(), call_timeout=20.0)))

    assert bench.telegram.visible(CHAT) == []
    assert outcome.result.kind == "not_sent"


async def test_who_comes_too_late_says_so_as_another_holder(bench, ask, make):
    outcome = await bench.outcome(ask(make.send(make.text()), lease=0.01))

    assert outcome.result.kind == "not_sent"
    assert outcome.holder is not None
    assert bench.begun == []


async def test_copies_of_one_request_send_once(bench, ask, make):
    request = ask(make.send(make.text()))

    await bench.ask(request, times=3)
    await bench.until(lambda: len(bench.outcomes) >= 1)
    other = await bench.outcome(ask(make.send(make.text("another"))))

    assert other.result.kind == "sent"
    assert [one.text for one in bench.telegram.visible(CHAT)] == ["the answer", "another"]
    assert len({asked.holder for asked in bench.begun}) == 2


# -- collage ------------------------------------------------------------------


async def test_a_collage_can_be_sent(bench, ask, make):
    one, two = (bench.media.put(f"/{name}.png", PNG, mime="image/png") for name in "ab")
    items = tuple(Item(kind=MediaKind.IMAGE, url=url) for url in (one, two))
    content = Content(kind=MediaKind.IMAGE, items=items, text="two cats", buttons=BUTTONS)

    outcome = await bench.outcome(ask(make.send(content)))

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "sent"
    assert (shown.kind, shown.text) == (Kind.RICH, "two cats")
    assert labels(shown)
