"""What a send claims after each answer: sent, certainly not, or nobody knows."""

import asyncio
from uuid import UUID

import pytest

from contracts.deliveries import Content, RefusalCode
from contracts.effects import Go
from contracts.values import MediaKind
from deliverer.domain import faults
from deliverer_asks import BUTTONS, CHAT, content_of, digest, reject
from deliverer_media import MP3, PNG, film, picture
from testkit.telegram import Kind, Mode

# -- what may have been sent ---------------------------------------------------

AMBIGUOUS = [
    Mode.COMMIT_THEN_CLOSE,
    Mode.COMMIT_THEN_RST,
    Mode.COMMIT_THEN_HANG,
    Mode.COMMIT_THEN_TRUNCATED,
    Mode.COMMIT_THEN_HTML,
    Mode.COMMIT_THEN_RESTART,
    Mode.CLOSE_BEFORE_COMMIT,
    Mode.BAD_GATEWAY,
]


@pytest.mark.parametrize("album", [False, True], ids=["one", "album"])
@pytest.mark.parametrize("mode", AMBIGUOUS)
async def test_what_may_have_been_sent_is_never_sent_again(bench, ask, make, mode, album):
    url = bench.media.put("/a.png", PNG, mime="image/png")
    contents = [make.image(url), make.image(f"{url}?2")] if album else [make.image(url)]
    bench.telegram.faults.plan(mode, "send")

    outcome = await bench.outcome(ask(make.send(*contents)))

    assert outcome.result.kind == "ambiguous"
    assert outcome.holder == bench.begun[0].holder
    assert len(bench.telegram.visible(CHAT)) <= len(contents)


async def test_a_disguised_flood_is_ambiguous(bench, ask, make, monkeypatch):
    monkeypatch.setattr(faults, "DISGUISED_AFTER", 0.1)
    bench.telegram.faults.plan(Mode.COMMIT_THEN_FLOOD, "send", seconds=0.2)

    outcome = await bench.outcome(ask(make.send(make.text())))

    assert outcome.result.kind == "ambiguous"


async def test_a_call_takes_no_longer_than_it_may(bench, ask, make):
    bench.telegram.faults.plan(Mode.COMMIT_THEN_HANG, "send", seconds=10)

    outcome = await bench.outcome(ask(make.send(make.text(), call_timeout=0.5)))

    assert outcome.result.kind == "ambiguous"


@pytest.mark.parametrize("album", [False, True], ids=["one", "album"])
async def test_sent_in_words_we_cannot_read_is_sent(bench, ask, make, album):
    url = bench.media.put("/a.png", PNG, mime="image/png")
    contents = [make.image(url), make.image(f"{url}?2")] if album else [make.image(url)]
    bench.telegram.faults.plan(Mode.COMMIT_UNDECODABLE, "send")

    outcome = await bench.outcome(ask(make.send(*contents)))

    assert outcome.result.kind == "sent"
    told = [part.message_id for part in outcome.result.parts]
    assert told == [shown.message_id for shown in bench.telegram.visible(CHAT)]


async def test_deleted_at_once_is_never_sent_again(bench, ask, make):
    words = "Internal Server Error: sent message was immediately deleted and can't be returned"
    reject(bench.telegram, words, status=500)

    outcome = await bench.outcome(ask(make.send(make.text())))

    assert outcome.result.kind == "ambiguous"
    assert "gone at once" in outcome.result.reason


# -- what was certainly not sent -----------------------------------------------


async def test_a_link_telegram_cannot_read_is_uploaded_in_the_same_attempt(bench, ask, make):
    image = content_of(bench.media, MediaKind.IMAGE, "a", PNG, "application/octet-stream")

    outcome = await bench.outcome(ask(make.send(image)))

    assert outcome.result.kind == "sent"
    assert len(bench.begun) == 1


async def test_another_way_is_not_tried_when_the_lease_is_too_short_for_it(bench, ask, make):
    # Enough for one call; not for the file that a second one would need.
    bench.begin_answerer = lambda _asked: Go(lease=21.0)
    image = content_of(bench.media, MediaKind.IMAGE, "a", PNG, "application/octet-stream")
    bench.media.released = asyncio.Event()

    outcome = await bench.outcome(ask(make.send(image, call_timeout=20.0)))
    bench.media.released.set()

    assert outcome.result.kind == "not_sent"
    assert bench.telegram.visible(CHAT) == []


async def test_a_429_is_told_and_holds_the_chat(bench, ask, make):
    bench.telegram.faults.plan(Mode.TOO_MANY, "send", retry_after=37)

    first = await bench.outcome(ask(make.send(make.text())))
    second = await bench.outcome(ask(make.send(make.text())))

    assert (first.result.kind, first.result.after) == ("later", 37)
    assert second.result.kind == "later"
    assert len(bench.begun) == 1


async def test_a_migrated_group_is_told(bench, ask, make):
    bench.telegram.add_chat(-4001, kind="group")
    await bench.outcome(ask(make.send(make.text()), chat_id=-4001))
    moved = bench.telegram.migrate(-4001)

    outcome = await bench.outcome(ask(make.send(make.text()), chat_id=-4001))

    assert (outcome.result.kind, outcome.result.chat_id) == ("migrated", moved)


async def test_a_blocked_bot_is_refused(bench, ask, make):
    await bench.outcome(ask(make.send(make.text())))
    bench.telegram.block(CHAT)

    outcome = await bench.outcome(ask(make.send(make.text())))

    assert (outcome.result.kind, outcome.result.code) == ("refused", RefusalCode.BLOCKED)


async def test_a_dead_link_is_media_gone(bench, ask, make):
    voice = Content(kind=MediaKind.VOICE, url=f"{bench.media.url}/gone.mp3")

    outcome = await bench.outcome(ask(make.send(voice)))

    assert (outcome.result.kind, outcome.result.code) == ("refused", RefusalCode.MEDIA_GONE)
    assert bench.begun == []


async def test_a_picture_too_large_for_a_photo_is_a_document_at_once(bench, ask, make):
    wide = picture(9000, 2000)
    image = content_of(bench.media, MediaKind.IMAGE, "a", wide, "application/octet-stream")

    await bench.outcome(ask(make.send(image)))

    (shown,) = bench.telegram.visible(CHAT)
    assert (shown.kind, shown.digest) == (Kind.DOCUMENT, digest(wide))


# -- albums --------------------------------------------------------------------


def album(bench, *, mime: str = "image/png") -> list[Content]:
    image = content_of(bench.media, MediaKind.IMAGE, "a.png", PNG, mime, text="two of them")
    video = content_of(
        bench.media, MediaKind.VIDEO, "b.mp4", film(b"vide", b"soun"), "video/mp4", buttons=BUTTONS
    )
    return [image, video]


@pytest.mark.parametrize("mime", ["image/png", "application/octet-stream"])
async def test_an_album_is_one_call_and_every_part_is_named(bench, ask, make, mime):
    request = ask(make.send(*album(bench, mime=mime)), protect=True)

    outcome = await bench.outcome(request)

    shown = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "sent"
    assert len({one.album for one in shown}) == 1
    assert [one.kind for one in shown] == [Kind.PHOTO, Kind.VIDEO]
    assert [one.text for one in shown] == ["two of them", ""]
    assert all(one.protected for one in shown)
    told: list[tuple[UUID, int]] = [(p.part_id, p.message_id) for p in outcome.result.parts]
    asked = [part.part_id for part in request.action.parts]
    assert told == list(zip(asked, [one.message_id for one in shown], strict=True))
    assert all(part.file_id for part in outcome.result.parts)


async def test_fault_50_a_partial_album_is_ambiguous(bench, ask, make):
    bench.telegram.faults.plan(Mode.PARTIAL_ALBUM)

    outcome = await bench.outcome(ask(make.send(*album(bench))))

    assert outcome.result.kind == "ambiguous"
    assert len(bench.telegram.visible(CHAT)) == 1


@pytest.mark.parametrize("words", ["MEDIA_GROUPED_INVALID", "group send failed"])
async def test_an_album_that_cannot_be_is_refused_after_the_upload(bench, ask, make, words):
    reject(bench.telegram, f"Bad Request: {words}", methods="sendmediagroup", times=2)

    outcome = await bench.outcome(ask(make.send(*album(bench))))

    assert (outcome.result.kind, outcome.result.code) == ("refused", RefusalCode.MEDIA_UNUSABLE)
    assert bench.telegram.visible(CHAT) == []


async def test_what_cannot_stand_together_is_refused_without_asking(bench, ask, make):
    kinds = album(bench)[0], content_of(bench.media, MediaKind.AUDIO, "a.mp3", MP3, "audio/mpeg")

    outcome = await bench.outcome(ask(make.send(*kinds)))

    assert (outcome.result.kind, outcome.result.code) == ("refused", RefusalCode.MEDIA_UNUSABLE)
    assert bench.begun == []
