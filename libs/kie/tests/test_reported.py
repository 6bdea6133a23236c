"""Laws of the reported reading: whatever was read, the contract can hold it and no loss is silent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reports import Reading, ReportState
from contracts.values import FailureClass, MediaKind
from kie import reported, values
from kie.reading import read_callback, read_poll
from kie.values import Media, State
from kie_speech import SPEECHES, Speech

odd_texts = st.sampled_from(
    ("\x00", "\ud800", "", "x" * 300, "y" * 5_000, "z" * 40_001, "\x01" * 50_000)
)
texts = st.text(max_size=60) | odd_texts
odd_links = st.sampled_from(
    (
        "HTTPS://a.example/2",
        "ftp://a.example",
        "https://",
        "javascript:1",
        "https://e.x/" + "y" * 5_000,
    )
)
links = texts | odd_links | st.text("abc", max_size=9).map("https://cdn.example/".__add__)
kinds: st.SearchStrategy[values.MediaKind] = st.sampled_from(
    ("image", "video", "audio", "text", "file")
)
names = st.none() | st.sampled_from(("lyrics.txt", "melody.mid"))
media = st.builds(Media, kind=kinds, url=st.none() | links, text=st.none() | texts, name=names)
many = st.just((Media("image", url="https://a.example/1.png"),) * 201)
readings = st.builds(
    values.Reading,
    task_id=st.none() | texts,
    state=st.sampled_from(State),
    media=st.lists(media, max_size=8).map(tuple) | many,
    error_code=st.none() | texts,
    error_message=st.none() | texts,
    family=st.none() | texts,
    progress=st.none() | st.floats(),
    anomalies=st.lists(st.text(max_size=200), max_size=80).map(tuple),
)


def succeeded(*results: Media) -> values.Reading:
    return values.Reading(task_id="t", state=State.SUCCEEDED, media=results)


def song(notes: int, *, name: str = "Drums") -> list[dict[str, object]]:
    """Notes as KIE writes them: moments as text, with all their digits."""
    return [
        {
            "name": name,
            "notes": [
                {
                    "pitch": 60,
                    "start": str(number * 0.036458333333333336),
                    "end": str(number * 0.036458333333333336 + 0.1),
                    "velocity": 1,
                }
                for number in range(notes)
            ],
        }
    ]


def melody(instruments: object) -> Media:
    text = json.dumps(instruments, ensure_ascii=False, separators=(",", ":"))
    return Media("file", text=text, name="melody.mid")


@given(readings)
def test_any_reading_fits_the_contract(heard: values.Reading) -> None:
    reading = reported.reading_of(heard)

    assert Reading.model_validate_json(reading.model_dump_json()) == reading
    assert (reading.error_class is not None) == (heard.state is State.FAILED)


@given(readings)
def test_the_state_is_kept_unless_a_success_lost_all_it_had(heard: values.Reading) -> None:
    reading = reported.reading_of(heard)

    if heard.state is State.SUCCEEDED and heard.media and not reading.media:
        assert reading.state is ReportState.UNKNOWN
    else:
        assert reading.state == ReportState(heard.state.value)


@given(readings)
def test_a_task_id_is_kept_whole_or_not_at_all(heard: values.Reading) -> None:
    reading = reported.reading_of(heard)

    assert reading.task_id in (None, heard.task_id)
    if heard.task_id is not None and reading.task_id is None:
        assert reported.TASK_ID_DROPPED in reading.anomalies


@given(readings)
def test_no_medium_is_lost_without_an_anomaly(heard: values.Reading) -> None:
    reading = reported.reading_of(heard)

    had_content = [one for one in heard.media if one.url is not None or one.text]
    if len(reading.media) < len(had_content):
        assert {reported.URL_DROPPED, reported.MEDIA_CUT} & set(reading.anomalies)


# A reading at the limit is long to print, and Hypothesis warns that it is.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(readings)
def test_all_media_together_have_a_bounded_room(heard: values.Reading) -> None:
    reading = reported.reading_of(heard)

    assert sum(len(one.model_dump_json().encode()) for one in reading.media) <= reported.ROOM


def test_what_has_no_room_is_dropped_and_what_follows_is_kept() -> None:
    heard = succeeded(
        *[Media("text", text=letter + "\x01" * 39_999) for letter in "ab"],
        Media("image", url="https://cdn.example/a.png"),
    )

    reading = reported.reading_of(heard)

    assert [one.kind for one in reading.media] == [MediaKind.TEXT, MediaKind.IMAGE]
    assert reading.anomalies == (reported.MEDIA_CUT,)


def test_a_success_whose_results_were_all_dropped_ends_nothing() -> None:
    reading = reported.reading_of(succeeded(Media("image", url="ftp://a.example/1.png")))

    assert reading.state is ReportState.UNKNOWN
    assert reading.anomalies == (reported.URL_DROPPED,)


def test_a_success_that_never_had_a_result_is_told_as_one() -> None:
    assert reported.reading_of(succeeded()).state is ReportState.SUCCEEDED


def test_an_ordinary_reading_passes_unchanged() -> None:
    heard = values.Reading(
        task_id="a" * 32,
        state=State.PROGRESS,
        media=(Media("image", url="https://cdn.example/a.png"),),
        family="market",
        progress=0.25,
    )

    reading = reported.reading_of(heard)

    assert (reading.task_id, reading.family, reading.progress) == ("a" * 32, "market", 25)
    assert [one.url for one in reading.media] == ["https://cdn.example/a.png"]
    assert reading.anomalies == ()


def test_only_the_scheme_of_a_link_is_normalised() -> None:
    reading = reported.reading_of(succeeded(Media("video", url="HTTPS://Files.example/A b.mp4")))

    assert reading.media[0].url == "https://Files.example/A b.mp4"


def test_a_failure_is_told_with_its_class() -> None:
    heard = values.Reading(task_id="t", state=State.FAILED, error_message="flagged as nsfw")

    assert reported.reading_of(heard).error_class is FailureClass.MODERATED


def test_the_losses_of_a_reading_stand_before_what_was_odd_in_it() -> None:
    heard = values.Reading(
        task_id="",
        state=State.PROGRESS,
        anomalies=tuple(f"seen_{number}" for number in range(60)),
    )

    anomalies = reported.reading_of(heard).anomalies

    assert anomalies[:2] == (reported.TASK_ID_DROPPED, "seen_0")
    assert len(anomalies) == reported.ANOMALIES


def test_every_lyrics_is_a_document_with_a_name_of_its_own() -> None:
    body = {
        "code": 200,
        "data": {
            "callbackType": "complete",
            "taskId": "t",
            "data": [{"text": "[Verse]\none"}, {"text": "[Verse]\ntwo"}, {"text": "[Verse]\n3"}],
        },
    }

    reading = reported.reading_of(read_callback(json.dumps(body).encode()))

    assert [(one.kind, one.name, one.text) for one in reading.media] == [
        (MediaKind.FILE, "lyrics.txt", "[Verse]\none"),
        (MediaKind.FILE, "lyrics-2.txt", "[Verse]\ntwo"),
        (MediaKind.FILE, "lyrics-3.txt", "[Verse]\n3"),
    ]


def test_a_phrase_to_read_aloud_stays_a_text() -> None:
    body = {"code": 200, "data": {"taskId": "t", "status": "wait_validating", "validateInfo": "la"}}

    (one,) = reported.reading_of(read_callback(json.dumps(body).encode())).media

    assert (one.kind, one.name, one.text) == (MediaKind.TEXT, None, "la")


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
def test_every_family_is_reported_with_all_it_said(speech: Speech) -> None:
    called = read_callback(json.dumps(speech.done).encode(), family=speech.family)
    record = {"code": 200, "msg": "success", "data": speech.record_done}
    polled = read_poll(json.dumps(record).encode(), family=speech.family)

    for heard in (called, polled):
        reading = reported.reading_of(heard)
        assert [(one.url, one.text) for one in reading.media] == [
            (one.url, one.text) for one in heard.media
        ]
        assert reading.anomalies == heard.anomalies


def test_notes_are_a_melody_in_compact_json() -> None:
    notes = {"state": "complete", "instruments": song(2)}
    called = {"code": 200, "data": {"taskId": "t", **notes}}
    polled = {"code": 200, "data": {"taskId": "t", "successFlag": 1, "midiData": notes}}

    heard = [read_callback(json.dumps(called).encode()), read_poll(json.dumps(polled).encode())]

    for reading in map(reported.reading_of, heard):
        (one,) = reading.media
        assert (one.kind, one.name) == (MediaKind.MIDI, "melody.mid")
        assert one.text == json.dumps(song(2), separators=(",", ":"))


def test_notes_that_would_not_fit_lose_digits_before_they_lose_notes() -> None:
    heard = melody(song(3_500))

    reading = reported.reading_of(succeeded(heard))

    assert len(heard.text or "") > reported.NOTES
    (kept,) = json.loads(reading.media[0].text or "")
    assert len(kept["notes"]) == 3_500
    assert kept["notes"][1] == {"pitch": 60, "start": 0.036, "end": 0.136, "velocity": 1}
    assert reading.anomalies == ()


@pytest.mark.parametrize("length, name", [(2_300, "Drums"), (9_000, "鼓" * 9)])
def test_a_melody_without_room_ends_early_and_can_be_played(length: int, name: str) -> None:
    two = song(length, name=name) + song(length, name="Flute")

    reading = reported.reading_of(succeeded(melody(two)))

    (one,) = reading.media
    first, second = json.loads(one.text or "")
    assert reading.state is ReportState.SUCCEEDED
    assert reading.anomalies == (reported.TEXT_CUT,)
    assert (one.kind, first["name"], second["name"]) == (MediaKind.MIDI, name, "Flute")
    # Every instrument ends at the same moment, and all the room is used.
    assert 0 <= len(first["notes"]) - len(second["notes"]) <= 1
    assert reported.NOTES * 0.99 < len(one.model_dump_json().encode()) <= reported.NOTES + 200


@pytest.mark.parametrize(
    "instruments",
    [
        ["x" * 300_000],
        [{"name": "Drums", "notes": ["x" * 300_000]}],
        [{"name": "x" * 300_000, "notes": [{"pitch": 1, "start": 0, "end": 1}]}],
        [{"name": "Drums", "notes": [{"start": "soon", "end": 1, "words": "x" * 300_000}]}],
        [{"name": "Drums", "notes": [{"start": 0, "end": "inf", "words": "x" * 300_000}]}],
    ],
)
def test_what_is_too_long_and_cannot_be_played_is_no_music(instruments: list[object]) -> None:
    reading = reported.reading_of(succeeded(melody(instruments)))

    (one,) = reading.media
    assert (one.kind, one.name) == (MediaKind.FILE, reported.UNPLAYABLE)
    assert len(one.text or "") == reported.TEXT
    assert reading.state is ReportState.SUCCEEDED
    assert reading.anomalies == (reported.TEXT_CUT,)
