"""Laws of the edit: what it may follow with, when it ends, what it may claim."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.deliveries import Content, RefusalCode
from contracts.markup import Entity
from contracts.values import MediaKind
from deliverer.domain.answers import (
    BotStopped,
    Denied,
    Done,
    Moved,
    Trouble,
    Unclear,
    Unsent,
    Vanished,
    Wait,
)
from deliverer.domain.bodies import Way
from deliverer.domain.edits import (
    LINK_FROM_ATTEMPT,
    Again,
    EditState,
    End,
    on_answer,
    on_lease_over,
    on_media_trouble,
)
from deliverer.domain.ways import MediaTrouble, first_way

URL = "https://cdn.example/result.png"
LONGEST_EDIT = 60  # steps; far above every bound on repeats and ways

contents = st.builds(
    Content,
    kind=st.sampled_from(MediaKind),
    url=st.sampled_from([URL, "https://cdn.example/report.pdf"]),
    file_id=st.none() | st.just("AgACAgIAAxk"),
    text=st.text(alphabet="a😀", min_size=1, max_size=5000),
)
reasons = st.just("because")
answers = st.one_of(
    st.builds(Done),
    st.builds(Unsent, reasons),
    st.builds(Unclear, reasons),
    st.builds(Vanished, reasons),
    st.builds(Wait, reasons, st.floats(0, 100)),
    st.builds(Moved, st.just(-100)),
    st.builds(BotStopped, reasons),
    st.builds(Denied, st.sampled_from(Trouble), reasons),
)
media = st.none() | st.sampled_from(MediaTrouble)


def image(**kwargs):
    return Content(kind=MediaKind.IMAGE, url=URL, text="a cat", **kwargs)


def state(content=None, *, way=None, attempt_no=1, maybe_applied=False):
    content = content or image()
    way = way or first_way(content, skip_link=False)
    assert way is not None
    return EditState(
        message_id=7,
        content=content,
        way=way,
        attempt_no=attempt_no,
        maybe_applied=maybe_applied,
    )


def walk(content, script, troubles=()):
    """Edit with these answers; returns the states passed, the end and what brought it."""
    passed = [state(content)]
    for place, answer in enumerate(script):
        trouble = troubles[place] if place < len(troubles) else None
        if trouble is not None and passed[-1].way in (Way.UPLOAD, Way.DOCUMENT):
            last, step = trouble, on_media_trouble(passed[-1], trouble, "because")
        else:
            last, step = answer, on_answer(passed[-1], answer)
        if isinstance(step, End):
            return passed, step, last
        passed.append(step.state)
    return passed, None, None


@given(contents, st.lists(answers, max_size=LONGEST_EDIT), st.lists(media, max_size=LONGEST_EDIT))
def test_after_an_unclear_edit_no_other_content_follows(content, script, troubles):
    passed, _, _ = walk(content, script, troubles)

    unclear = [one for one in passed if one.maybe_applied]
    # A caption on a medium that stands there already is the same content.
    ways = [one.way for one in unclear if one.way is not Way.CAPTION]
    assert len(set(ways)) <= 1
    assert len({one.content for one in unclear}) <= 1


@given(contents, st.lists(answers, max_size=LONGEST_EDIT), st.lists(media, max_size=LONGEST_EDIT))
def test_certainty_is_claimed_only_when_every_edit_was_certain(content, script, troubles):
    passed, end, last = walk(content, script, troubles)
    if end is None:
        return

    was_unclear = passed[-1].maybe_applied or isinstance(last, Unclear | Vanished)
    if end.result.kind == "done":
        assert not end.maybe_applied
    else:
        assert end.maybe_applied == was_unclear
        assert not (was_unclear and end.result.kind == "not_sent")


@given(contents, st.lists(answers, min_size=LONGEST_EDIT, max_size=LONGEST_EDIT))
def test_every_edit_ends(content, script):
    _, end, _ = walk(content, script)

    assert end is not None


@given(contents, st.lists(answers, max_size=LONGEST_EDIT))
def test_shown_means_that_telegram_said_so(content, script):
    _, end, last = walk(content, script)

    if end is not None and end.result.kind == "done":
        assert isinstance(last, Done)
        assert end.result.message_id == 7


def denied(trouble):
    return Denied(trouble, "because")


def ways_after(content, *troubles):
    passed, end, _ = walk(content, [denied(one) for one in troubles])
    return [one.way for one in passed], end


def test_the_whole_fallback_chain():
    content = image(file_id="AgACAgIAAxk")

    ways, end = ways_after(
        content,
        Trouble.FILE_ID_BAD,
        Trouble.URL_UNREACHED,
        Trouble.URL_UNREACHED,
        Trouble.NOT_A_PHOTO,
        Trouble.OTHER,
        Trouble.OTHER,
    )

    assert ways == [Way.FILE_ID, Way.URL, Way.URL, Way.UPLOAD, Way.DOCUMENT, Way.LINK]
    assert end is not None
    assert end.result.code == RefusalCode.MEDIA_UNUSABLE


def test_a_link_telegram_will_not_take_is_not_tried_again():
    ways, _ = ways_after(image(), Trouble.URL_REFUSED)

    assert ways == [Way.URL, Way.UPLOAD]


def test_a_chat_without_pictures_gets_the_document_then_the_link():
    ways, _ = ways_after(image(), Trouble.TYPE_FORBIDDEN, Trouble.TYPE_FORBIDDEN)

    assert ways == [Way.URL, Way.DOCUMENT, Way.LINK]


def test_a_video_too_big_for_an_upload_becomes_a_link_at_once():
    video = Content(kind=MediaKind.VIDEO, url="https://cdn.example/film.mp4")

    ways, _ = ways_after(video, Trouble.URL_REFUSED, Trouble.TOO_BIG)

    assert ways == [Way.URL, Way.UPLOAD, Way.LINK]


def test_telegram_takes_few_documents_by_link():
    report = Content(kind=MediaKind.FILE, url="https://cdn.example/report.pdf")
    table = Content(kind=MediaKind.FILE, url="https://cdn.example/table.csv")

    assert first_way(report, skip_link=False) is Way.URL
    assert first_way(report, skip_link=True) is Way.UPLOAD
    assert first_way(table, skip_link=False) is Way.UPLOAD


def test_a_link_over_our_own_medium_only_sets_the_caption():
    step = on_answer(state(way=Way.LINK), denied(Trouble.NO_TEXT))

    assert isinstance(step, Again)
    assert step.state.way is Way.CAPTION


def test_a_text_too_long_for_a_caption_needs_another_carrier():
    long = Content(kind=MediaKind.TEXT, text="a" * 1025)

    step = on_answer(state(long), denied(Trouble.NO_TEXT))

    assert isinstance(step, End)
    assert step.result.code == RefusalCode.CARRIER_UNEDITABLE


def test_broken_formatting_is_dropped_once():
    bold = Content(
        kind=MediaKind.TEXT, text="bold", entities=(Entity(type="bold", offset=0, length=4),)
    )

    passed, end, _ = walk(bold, [denied(Trouble.PAYLOAD)] * 2)

    assert passed[1].content.entities == ()
    assert passed[1].content.text == "bold"
    assert end is not None
    assert end.result.code == RefusalCode.PAYLOAD


def test_a_dead_link_is_said_to_be_dead():
    step = on_media_trouble(state(way=Way.UPLOAD), MediaTrouble.GONE, "HTTP 404")

    assert isinstance(step, End)
    assert step.result.code == RefusalCode.MEDIA_GONE


def test_a_silent_source_is_tried_again_before_it_becomes_a_link():
    early = on_media_trouble(state(way=Way.UPLOAD), MediaTrouble.UNREACHED, "x")
    late = on_media_trouble(
        state(way=Way.UPLOAD, attempt_no=LINK_FROM_ATTEMPT), MediaTrouble.UNREACHED, "x"
    )

    assert isinstance(early, End)
    assert early.result.kind == "not_sent"
    assert isinstance(late, Again)
    assert late.state.way is Way.LINK


def test_an_overtaken_edit_is_repeated():
    step = on_answer(state(), denied(Trouble.SUPERSEDED))

    assert isinstance(step, Again)
    assert step.state.way is Way.URL


def test_a_lease_that_ends_after_an_unclear_edit_is_ambiguous():
    assert on_lease_over(state()).result.kind == "not_sent"
    assert on_lease_over(state(maybe_applied=True)).result.kind == "ambiguous"
