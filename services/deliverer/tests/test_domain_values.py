"""Leases, parking, text, bytes and reasons."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.deliveries import Content, RefusalCode
from contracts.markup import Entity
from contracts.message import Attempt
from contracts.outcomes import NotSent
from contracts.values import MediaKind
from deliverer.domain import text
from deliverer.domain.answers import Denied, Done, Trouble, Unclear, Unsent, Vanished
from deliverer.domain.bodies import (
    PHOTO_BYTES,
    CaptionBody,
    MediaBody,
    TextBody,
    Way,
    body,
)
from deliverer.domain.files import File
from deliverer.domain.leases import MARGIN, Lease
from deliverer.domain.parking import Parking
from deliverer.domain.posts import (
    NotPosted,
    Place,
    PostAgain,
    Posted,
    PostState,
    RemovalState,
    RemoveAgain,
    on_post_answer,
    on_removal_answer,
)
from deliverer.domain.reports import Report, outcome_of, too_late
from deliverer.domain.sniff import Shape, file_type, is_page, url_suffix
from deliverer.domain.ways import first_way
from deliverer.domain.wording import line

NOW = datetime(2026, 11, 24, tzinfo=UTC)
words = st.text(alphabet="aя😀", max_size=60)


def attempt(*, lease=15.0, left=15.0):
    return Attempt(id=uuid4(), no=1, lease=lease, not_after=NOW + timedelta(seconds=left))


def test_a_lease_counts_from_receipt():
    lease = Lease.received(attempt(), monotonic=100, wall=NOW)

    assert not lease.over(114)
    assert lease.over(115 - MARGIN)


def test_a_lease_never_passes_not_after():
    lease = Lease.received(attempt(left=3.0), monotonic=100, wall=NOW)

    assert lease.over(103)


def test_a_granted_lease_counts_from_the_question():
    assert Lease.granted(asked_at=50, seconds=10).left(50) == 10 - MARGIN


def test_a_parked_chat_waits_its_time():
    parking = Parking()

    assert parking.park("a", 1, after=5, now=0).scope == "chat"
    assert parking.held("a", 1, now=4.9) is not None
    assert parking.held("a", 1, now=5) is None
    assert parking.held("a", 2, now=1) is None
    assert parking.held("b", 1, now=1) is None


@pytest.mark.parametrize("later, scope", [(9.9, "bot"), (10.1, "chat")])
def test_several_chats_at_once_mean_the_bot(later, scope):
    parking = Parking()
    parking.park("a", 1, after=1, now=0)

    assert parking.park("a", 2, after=1, now=later).scope == scope


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 60), st.floats(0, 30)), max_size=20))
def test_a_shorter_wait_never_ends_a_longer_one(events):
    parking, longest = Parking(), {}
    for chat, after, now in sorted(events, key=lambda one: one[2]):
        parking.park("a", chat, after=after, now=now)
        longest[chat] = max(longest.get(chat, 0.0), now + after)

    for chat, until in longest.items():
        assert parking.held("a", chat, now=until - 0.001) is not None or until < 0.001


@given(words, st.integers(1, 30))
def test_cut_text_fits_and_begins_alike(full, limit):
    short = text.cut(full, limit)

    assert text.units(short) <= limit
    assert short == full or (short.endswith("…") and full.startswith(short[:-1]))


@given(words, st.integers(0, 20), st.integers(1, 20), st.integers(0, 20))
def test_clipped_entities_stay_inside(full, offset, length, limit):
    clipped = text.clip((Entity(type="bold", offset=offset, length=length),), limit)

    assert all(one.offset + one.length <= limit and one.length >= 1 for one in clipped)


@given(words)
def test_units_are_utf16(full):
    assert text.units(full) == len(full.encode("utf-16-le")) // 2


def test_every_body_carries_the_whole_state():
    content = Content(
        kind=MediaKind.IMAGE,
        url="https://cdn.example/a.png",
        file_id="file",
        text="a cat",
        entities=(Entity(type="bold", offset=0, length=1),),
    )
    file = File("result.png", b"x", Shape.PHOTO)

    assert body(content, Way.FILE_ID) == MediaBody(
        Shape.PHOTO, "file", content.text, content.entities
    )
    assert body(content, Way.URL) == MediaBody(
        Shape.PHOTO, "https://cdn.example/a.png", content.text, content.entities
    )
    assert body(content, Way.UPLOAD, file) == MediaBody(
        Shape.PHOTO, file, content.text, content.entities
    )
    assert body(content, Way.DOCUMENT, file) == MediaBody(
        Shape.DOCUMENT, file, content.text, content.entities
    )
    assert body(content, Way.LINK) == TextBody("a cat\nhttps://cdn.example/a.png", content.entities)
    assert body(content, Way.CAPTION) == CaptionBody(content.text, content.entities)


def test_a_photo_too_big_for_a_photo_is_uploaded_as_document():
    content = Content(kind=MediaKind.IMAGE, url="https://cdn.example/a.png")
    big = File("result.png", b"x" * (PHOTO_BYTES + 1), Shape.PHOTO)

    assert body(content, Way.UPLOAD, big) == MediaBody(Shape.DOCUMENT, big)


@given(st.integers(8, 4096), st.integers(0, 5000))
def test_a_link_always_fits_one_message(url_length, text_length):
    url = "https://" + "u" * (url_length - 8)
    content = Content(kind=MediaKind.VIDEO, url=url, text="t" * text_length)

    shown = body(content, Way.LINK)

    assert isinstance(shown, TextBody)
    assert text.units(shown.text) <= text.TEXT_LIMIT
    assert url in shown.text


def test_a_text_too_long_for_a_message_becomes_a_file():
    long = Content(kind=MediaKind.TEXT, text="a" * 4097)

    assert first_way(long, skip_link=False) is Way.TEXT_FILE
    assert body(long, Way.TEXT_FILE) == MediaBody(
        Shape.DOCUMENT, File("text.txt", long.text.encode(), Shape.DOCUMENT)
    )


@pytest.mark.parametrize(
    "head, mime, url, shape, suffix",
    [
        (b"\x89PNG\r\n\x1a\n", "video/mp4", "https://x/a.mp4", Shape.PHOTO, ".png"),
        (b"\xff\xd8\xff\xe0", "", "https://x/a", Shape.PHOTO, ".jpg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", "https://x/a", Shape.PHOTO, ".webp"),
        (b"\0\0\0\x18ftypisom", "image/png", "https://x/a", Shape.VIDEO, ".mp4"),
        (b"\0\0\0\x18ftypM4A ", "", "https://x/a", Shape.AUDIO, ".m4a"),
        (b"\0\0\0\x18ftypqt  ", "", "https://x/a", Shape.DOCUMENT, ".mov"),
        (b"\0\0\0\x18ftypavif", "", "https://x/a", Shape.DOCUMENT, ".avif"),
        (b"ID3\x04", "", "https://x/a", Shape.AUDIO, ".mp3"),
        (b"GIF89a", "", "https://x/a", Shape.ANIMATION, ".gif"),
        (b"????", "Image/JPEG; q=1", "https://x/a.mp4", Shape.PHOTO, ".jpg"),
        (b"????", "application/octet-stream", "https://x/a.MP3?t=1", Shape.AUDIO, ".mp3"),
        (b"????", "", "https://x/a.csv", Shape.DOCUMENT, ".csv"),
        (b"????", "", "https://x/a", Shape.DOCUMENT, ".bin"),
    ],
)
def test_bytes_speak_before_names(head, mime, url, shape, suffix):
    found = file_type(head, content_type=mime, url=url)

    assert (found.shape, found.suffix) == (shape, suffix)


def test_a_page_is_no_medium():
    assert is_page(b"<!DOCTYPE html>", content_type="")
    assert is_page(b"anything", content_type="text/html; charset=utf-8")
    assert not is_page(b"\x89PNG\r\n\x1a\n", content_type="text/html")


@given(st.text(max_size=40))
def test_a_suffix_is_harmless(tail):
    suffix = url_suffix(f"https://x/a.{tail}")

    assert suffix == "" or (suffix[0] == "." and suffix[1:].isalnum() and len(suffix) <= 8)


@given(st.text(max_size=2000))
def test_a_reason_fits_the_bus_and_carries_no_token(noise):
    token = "4242424242:AAH-sandbox_token_of_a_bot_that_is_long"

    reason = line(f"{noise} https://api/bot{token}/sendMessage")

    assert token not in reason
    assert len(reason) <= 500
    assert "\x00" not in reason


def test_a_send_is_repeated_only_while_nothing_left_us():
    first = on_post_answer(PostState(Place(chat_id=1)), Unsent("refused"))
    assert isinstance(first, PostAgain)
    second = on_post_answer(first.state, Unsent("refused"))
    assert isinstance(second, PostAgain)

    third = on_post_answer(second.state, Unsent("refused"))

    assert isinstance(third, NotPosted)
    assert third.result.kind == "not_sent"
    unclear = on_post_answer(PostState(Place(chat_id=1)), Unclear("closed"))
    assert isinstance(unclear, NotPosted)
    assert unclear.result.kind == "ambiguous"


def test_a_topic_that_is_not_there_is_left_out_once():
    state = PostState(Place(chat_id=1, thread_id=5))

    again = on_post_answer(state, Denied(Trouble.THREAD, "TOPIC_DELETED"))

    assert isinstance(again, PostAgain)
    assert again.state.place == Place(chat_id=1)
    end = on_post_answer(again.state, Denied(Trouble.THREAD, "TOPIC_DELETED"))
    assert isinstance(end, NotPosted)
    assert end.result.code == RefusalCode.NO_RIGHTS


def test_what_was_deleted_at_once_is_gone():
    end = on_post_answer(PostState(Place(chat_id=1)), Vanished("deleted"))

    assert isinstance(end, NotPosted)
    assert end.result.code == RefusalCode.CARRIER_GONE


def test_a_sent_message_without_an_id_is_ambiguous():
    end = on_post_answer(PostState(Place(chat_id=1)), Done())

    assert isinstance(end, NotPosted)
    assert end.result.kind == "ambiguous"
    assert on_post_answer(PostState(Place(chat_id=1)), Done(message_id=5)) == Posted(5)


def test_removing_what_is_gone_is_done():
    gone = on_removal_answer(RemovalState(5), Denied(Trouble.GONE, "not found"))
    unclear = on_removal_answer(RemovalState(5), Unclear("closed"))

    assert not isinstance(gone, RemoveAgain)
    assert gone.kind == "done"
    assert isinstance(unclear, RemoveAgain)


def test_another_fact_has_another_id(ask, make):
    request = ask(make.fresh(make.text()))

    ids = {
        outcome_of(request, report, at=NOW).id
        for report in (
            Report(result=shown_at(1)),
            Report(result=shown_at(2)),
            Report(result=shown_at(1), carrier_id=1),
            Report(result=shown_at(1), stray_ids=(3,)),
        )
    }

    again = outcome_of(request, Report(result=shown_at(1)), at=NOW + timedelta(1))
    assert len(ids) == 4
    assert again.id in ids


def test_the_same_words_about_another_attempt_are_another_fact(ask, make):
    """Or the bus would take the second for a repetition and drop it."""
    request, other = (ask(make.fresh(make.text())) for _ in range(2))
    later = request.model_copy(update={"attempt": other.attempt})
    report = Report(result=NotSent(reason="no connection"))

    assert outcome_of(request, report, at=NOW).id != outcome_of(later, report, at=NOW).id


def shown_at(message_id):
    return on_removal_answer(RemovalState(message_id), Done())


def test_who_comes_late_has_certainly_done_nothing(ask, make):
    report = too_late(ask(make.existing(make.text(), 5)), redelivered=False)

    assert report.result.kind == "not_sent"
    assert report.carrier_id == 5
    assert not report.edit_maybe_applied


def test_who_comes_late_and_again_knows_nothing(ask, make):
    show = too_late(ask(make.existing(make.text(), 5)), redelivered=True)
    status = too_late(ask(make.status()), redelivered=True)

    assert show.result.kind == status.result.kind == "ambiguous"
    assert show.edit_maybe_applied
    assert not status.edit_maybe_applied
