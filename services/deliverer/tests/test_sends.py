"""Laws of the send: what it may follow with, when it ends, what it may claim."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.deliveries import Content, Item, RefusalCode, SendPart
from contracts.markup import Button, Entity
from contracts.outcomes import Refused
from contracts.values import MediaKind
from deliverer.domain import sends
from deliverer.domain.answers import (
    Answer,
    BotStopped,
    Denied,
    Done,
    Moved,
    Standing,
    Trouble,
    Unclear,
    Unsent,
    Vanished,
    Wait,
)
from deliverer.domain.bodies import MediaBody, TextBody, Way
from deliverer.domain.posts import Place
from deliverer.domain.sends import SendAgain, SendEnd, SendState, SendStep
from deliverer.domain.sniff import Shape
from deliverer.domain.ways import MediaTrouble

URL = "https://cdn.example/result.png"
LONGEST_SEND = 80  # steps; far above every bound on repeats and ways
PLACE = Place(chat_id=1, thread_id=5, reply_to=7)

contents = st.builds(
    Content,
    kind=st.sampled_from(MediaKind),
    url=st.sampled_from([URL, "https://cdn.example/report.pdf"]),
    file_id=st.none() | st.just("AgACAgIAAxk"),
    text=st.text(alphabet="a😀", min_size=1, max_size=5000),
    buttons=st.sampled_from([(), ((Button(text="Again", data="again"),),)]),
    items=st.sampled_from(
        [
            (),
            (Item(kind=MediaKind.IMAGE, url=URL), Item(kind=MediaKind.VIDEO, file_id="BAAC")),
            (Item(kind=MediaKind.IMAGE, url=URL), Item(kind=MediaKind.VIDEO, url=URL)),
        ]
    ),
)
parts = st.lists(st.builds(SendPart, part_id=st.uuids(), content=contents), min_size=1, max_size=3)
reasons = st.sampled_from(
    ["because", "can't use file of type Voice as Audio", "can't use file of type Photo as Audio"]
)
answers = st.one_of(
    st.builds(Done, message_id=st.none() | st.integers(1, 9)),
    st.builds(Done, album=st.lists(st.builds(Standing, st.integers(1, 9)), max_size=3).map(tuple)),
    st.builds(Unsent, reasons),
    st.builds(Unclear, reasons),
    st.builds(Vanished, reasons),
    st.builds(Wait, reasons, st.floats(0, 100)),
    st.builds(Moved, st.just(-100)),
    st.builds(BotStopped, reasons),
    st.builds(Denied, st.sampled_from(Trouble), reasons, st.none() | st.integers(1, 4)),
)
denials = st.builds(Denied, st.sampled_from(Trouble), reasons, st.none() | st.integers(1, 4))
media = st.none() | st.sampled_from(MediaTrouble)
CERTAIN = ("not_sent", "later", "refused", "migrated")


def begun(*contents: Content, attempt_no: int = 1) -> SendStep:
    wanted = tuple(SendPart(part_id=uuid4(), content=content) for content in contents)
    return sends.begin(PLACE, wanted, attempt_no=attempt_no)


def going(step: SendStep) -> SendState:
    assert isinstance(step, SendAgain)
    return step.state


def refused(step: SendStep) -> Refused:
    assert isinstance(step, SendEnd)
    assert isinstance(step.result, Refused)
    return step.result


def walk(
    step: SendStep, script: list[Answer], troubles: list[MediaTrouble | None] | None = None
) -> tuple[list[SendState], SendEnd | None, Answer | None]:
    """Send with these answers; returns the states passed, the end, and the call that brought it."""
    passed: list[SendState] = []
    for place, answer in enumerate(script):
        if isinstance(step, SendEnd):
            return passed, step, None
        passed.append(step.state)
        trouble = troubles[place] if troubles and place < len(troubles) else None
        if trouble and any(p.way in (Way.UPLOAD, Way.DOCUMENT) for p in step.state.pieces):
            step = sends.on_media_trouble(step.state, trouble, "because")
            continue
        step = sends.on_answer(step.state, answer)
        if isinstance(step, SendEnd):
            return passed, step, answer
    return passed, step if isinstance(step, SendEnd) else None, None


@given(parts, st.lists(answers, max_size=20))
def test_only_what_is_certainly_not_sent_is_followed_by_another_call(wanted, script):
    first = sends.begin(PLACE, tuple(wanted), attempt_no=1)

    passed, _, _ = walk(first, script)

    followed = script[: max(0, len(passed) - 1)]
    assert all(isinstance(answer, Unsent | Denied) for answer in followed)


@given(parts, st.lists(answers, max_size=20), st.lists(media, max_size=20))
def test_what_is_claimed_is_what_telegram_said(wanted, script, troubles):
    first = sends.begin(PLACE, tuple(wanted), attempt_no=1)

    _, end, last = walk(first, script, troubles)

    if end is None:
        return
    if end.result.kind == "sent":
        assert isinstance(last, Done)
        assert [part.part_id for part in end.result.parts] == [part.part_id for part in wanted]
    if isinstance(last, Unclear | Vanished | Done):
        assert end.result.kind not in CERTAIN
    else:
        assert end.result.kind in CERTAIN


@given(parts, st.lists(denials, min_size=LONGEST_SEND, max_size=LONGEST_SEND))
def test_every_send_ends(wanted, script):
    first = sends.begin(PLACE, tuple(wanted), attempt_no=1)

    _, end, _ = walk(first, script)

    assert end is not None


def ways(content: Content, *troubles: Trouble) -> list[tuple[MediaKind, Way]]:
    passed, _, _ = walk(begun(content), [Denied(one, "because") for one in troubles])
    return [(one.pieces[0].content.kind, one.pieces[0].way) for one in passed]


def test_a_link_then_an_upload_then_a_document_then_words():
    content = Content(kind=MediaKind.IMAGE, url=URL, text="a cat")

    tried = ways(content, Trouble.URL_REFUSED, Trouble.NOT_A_PHOTO, Trouble.OTHER, Trouble.OTHER)

    assert [way for _, way in tried] == [Way.URL, Way.UPLOAD, Way.DOCUMENT, Way.LINK]


def test_a_voice_note_nobody_wants_is_sent_as_audio():
    content = Content(kind=MediaKind.VOICE, url="https://cdn.example/a.ogg")

    tried = ways(content, Trouble.TYPE_FORBIDDEN, Trouble.OTHER)

    assert tried == [(MediaKind.VOICE, Way.UPLOAD), (MediaKind.AUDIO, Way.UPLOAD)]


def test_a_voice_notes_file_id_is_no_audio():
    content = Content(kind=MediaKind.VOICE, url="https://cdn.example/a.mp3", file_id="AwAC")

    tried = ways(content, Trouble.TYPE_FORBIDDEN, Trouble.OTHER)

    assert tried == [(MediaKind.VOICE, Way.FILE_ID), (MediaKind.AUDIO, Way.URL)]


def test_a_file_id_of_another_kind_is_used_as_what_it_is():
    content = Content(kind=MediaKind.IMAGE, url=URL, file_id="BQAC")
    denied = Denied(Trouble.FILE_ID_TYPE, "Bad Request: can't use file of type Document as Photo")

    state = going(sends.on_answer(going(begun(content)), denied))

    assert (state.pieces[0].content.kind, state.pieces[0].way) == (MediaKind.FILE, Way.FILE_ID)


def test_an_unreachable_link_is_offered_once_more():
    content = Content(kind=MediaKind.IMAGE, url=URL)

    tried = ways(content, Trouble.URL_UNREACHED, Trouble.URL_UNREACHED, Trouble.OTHER)

    assert [way for _, way in tried] == [Way.URL, Way.URL, Way.UPLOAD]


def test_buttons_go_before_formatting():
    bold = (Entity(type="bold", offset=0, length=1),)
    buttons = ((Button(text="Open", url="https://shop.example/"),),)
    content = Content(kind=MediaKind.TEXT, text="x", entities=bold, buttons=buttons)
    about_buttons = Denied(Trouble.PAYLOAD, "Bad Request: BUTTON_URL_INVALID")
    about_words = Denied(Trouble.PAYLOAD, "Bad Request: can't parse entities")

    first = going(sends.on_answer(going(begun(content)), about_buttons))
    second = going(sends.on_answer(first, about_words))

    assert (first.pieces[0].content.buttons, first.pieces[0].content.entities) == ((), bold)
    assert second.pieces[0].content.entities == ()
    assert refused(sends.on_answer(second, about_words)).code == RefusalCode.PAYLOAD


def test_a_topic_that_is_gone_is_left_out_once():
    state = going(begun(Content(kind=MediaKind.TEXT, text="x")))
    gone = Denied(Trouble.THREAD, "message thread not found")

    bare = going(sends.on_answer(state, gone))

    assert bare.place == PLACE.bare
    assert refused(sends.on_answer(bare, gone)).code == RefusalCode.NO_RIGHTS


# -- albums --------------------------------------------------------------------


def pictures(count: int = 3) -> SendState:
    return going(begun(*(Content(kind=MediaKind.IMAGE, url=f"{URL}?{n}") for n in range(count))))


def test_the_item_telegram_could_not_use_is_uploaded():
    denied = Denied(Trouble.URL_REFUSED, "failed to send message #2", item=2)

    state = going(sends.on_answer(pictures(), denied))

    assert [piece.way for piece in state.pieces] == [Way.URL, Way.UPLOAD, Way.URL]


def test_where_nobody_says_which_all_are_uploaded_and_then_sent_apart():
    failed = Denied(Trouble.ALBUM, "group send failed")

    state = going(sends.on_answer(pictures(), failed))

    assert {piece.way for piece in state.pieces} == {Way.UPLOAD}
    assert refused(sends.on_answer(state, failed)).code == RefusalCode.MEDIA_UNUSABLE


@pytest.mark.parametrize("trouble", [Trouble.NOT_A_PHOTO, Trouble.TOO_BIG, Trouble.TYPE_FORBIDDEN])
def test_what_would_break_the_album_is_sent_apart(trouble):
    step = sends.on_answer(pictures(), Denied(trouble, "because", item=1))

    assert refused(step).code == RefusalCode.MEDIA_UNUSABLE


def test_one_dead_link_does_not_refuse_the_others():
    album = sends.on_media_trouble(pictures(), MediaTrouble.GONE, "HTTP 404")
    alone = sends.on_media_trouble(
        going(begun(Content(kind=MediaKind.IMAGE, url=URL))), MediaTrouble.GONE, "HTTP 404"
    )

    assert refused(album).code == RefusalCode.MEDIA_UNUSABLE
    assert refused(alone).code == RefusalCode.MEDIA_GONE


def test_ids_are_told_in_the_order_asked_for():
    state = pictures(2)
    done = Done(album=(Standing(8, "a"), Standing(9, None)))

    step = sends.on_answer(state, done)

    assert isinstance(step, SendEnd)
    assert step.result.kind == "sent"
    told = [(part.part_id, part.message_id) for part in step.result.parts]
    assert told == [(state.pieces[0].part_id, 8), (state.pieces[1].part_id, 9)]


def test_an_album_with_fewer_ids_than_parts_is_ambiguous():
    step = sends.on_answer(pictures(2), Done(album=(Standing(8),)))

    assert isinstance(step, SendEnd)
    assert step.result.kind == "ambiguous"


@pytest.mark.parametrize(
    "shapes, together",
    [
        ((Shape.PHOTO, Shape.VIDEO), True),
        ((Shape.AUDIO, Shape.AUDIO), True),
        ((Shape.DOCUMENT, Shape.DOCUMENT), True),
        ((Shape.PHOTO, Shape.DOCUMENT), False),
        ((Shape.ANIMATION, Shape.ANIMATION), False),
        ((Shape.VOICE, Shape.VOICE), False),
        ((Shape.VOICE,), True),
    ],
)
def test_what_stands_in_one_album(shapes, together):
    assert sends.stand_together(tuple(MediaBody(one, "id") for one in shapes)) is together


def test_words_stand_in_no_album():
    assert not sends.stand_together((TextBody("x"), TextBody("y")))
    step = begun(*[Content(kind=MediaKind.TEXT, text="x")] * 2)
    assert refused(step).code == RefusalCode.MEDIA_UNUSABLE


def test_what_is_staged_never_becomes_words():
    part = SendPart(part_id=uuid4(), content=Content(kind=MediaKind.FILE, url=f"{URL}.pdf"))
    state = going(sends.begin(PLACE, (part,), attempt_no=9, media_only=True))

    step = sends.on_media_trouble(state, MediaTrouble.TOO_BIG, "60 MB")

    assert refused(step).code == RefusalCode.MEDIA_UNUSABLE
