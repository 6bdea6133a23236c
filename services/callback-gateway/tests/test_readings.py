"""Laws of the bounded reading: whatever libs/kie hands over, the contract can hold it."""

from hypothesis import given
from hypothesis import strategies as st

from callback_gateway.domain import reading as readings
from contracts.reports import Reading, ReportState
from contracts.values import FailureClass
from kie import values

texts = st.text(alphabet=st.characters(), max_size=60) | st.sampled_from(
    ("\x00", "\ud800", "x" * 300, "y" * 5_000, "z" * 40_001)
)
links = texts | st.sampled_from(
    (
        "https://a.example/1.mp4",
        "HTTPS://a.example/2",
        "ftp://a.example",
        "https://",
        "javascript:1",
    )
)
media = st.builds(
    values.Media,
    kind=st.sampled_from(("image", "video", "audio", "text", "file")),
    url=st.none() | links,
    text=st.none() | texts,
)
heard_readings = st.builds(
    values.Reading,
    task_id=st.none() | texts,
    state=st.sampled_from(values.State),
    media=st.lists(media, max_size=4).map(tuple)
    | st.just((values.Media("image", url="https://a.example/1.png"),) * 201),
    error_code=st.none() | texts,
    error_message=st.none() | texts,
    family=st.none() | texts,
    progress=st.none() | st.floats(),
    anomalies=st.lists(texts, max_size=20).map(tuple),
)


@given(heard_readings, st.none() | st.sampled_from(FailureClass))
def test_any_reading_fits_the_contract_and_keeps_its_state(
    heard: values.Reading, failure: FailureClass | None
) -> None:
    reading = readings.bounded(heard, failure=failure)

    assert Reading.model_validate_json(reading.model_dump_json()) == reading
    assert reading.state == ReportState(heard.state.value)
    assert reading.error_class == failure


@given(heard_readings)
def test_a_task_id_is_kept_whole_or_not_at_all(heard: values.Reading) -> None:
    reading = readings.bounded(heard, failure=None)

    assert reading.task_id in (None, heard.task_id)
    if heard.task_id is not None and reading.task_id is None:
        assert readings.TASK_ID_DROPPED in reading.anomalies


@given(heard_readings)
def test_no_link_is_lost_without_an_anomaly(heard: values.Reading) -> None:
    reading = readings.bounded(heard, failure=None)

    heard_links = [one.url for one in heard.media if one.url is not None]
    kept = [one.url for one in reading.media if one.url is not None]
    if len(kept) < len(heard_links):
        assert {readings.URL_DROPPED, readings.MEDIA_CUT} & set(reading.anomalies)


def test_progress_becomes_percent() -> None:
    heard = values.Reading(task_id="t", state=values.State.PROGRESS, progress=0.25)

    assert readings.bounded(heard, failure=None).progress == 25


def test_only_the_scheme_of_a_link_is_normalised() -> None:
    heard = values.Reading(
        task_id="t",
        state=values.State.SUCCEEDED,
        media=(values.Media("video", url="HTTPS://Files.example/A b.mp4"),),
    )

    assert readings.bounded(heard, failure=None).media[0].url == "https://Files.example/A b.mp4"


def test_a_doubted_reading_keeps_its_task_but_can_end_nothing() -> None:
    heard = values.Reading(
        task_id="t",
        state=values.State.SUCCEEDED,
        anomalies=tuple(f"seen_{number}" for number in range(50)),
    )

    doubted = readings.doubted(readings.bounded(heard, failure=None), readings.NOT_DECLARED_JSON)

    assert doubted.task_id == "t"
    assert doubted.state is ReportState.UNKNOWN
    assert doubted.anomalies[0] == readings.NOT_DECLARED_JSON
    assert Reading.model_validate_json(doubted.model_dump_json()) == doubted
