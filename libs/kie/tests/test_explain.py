"""An explanation names every value, where it stood, what was passed over and what is odd."""

import json

import pytest

from kie import explain
from kie.explain import Explanation, explain_callback, explain_poll
from kie.values import Anomaly
from kie_speech import CLIP, FAILURE, ID, OTHER, SPEECHES, Speech, envelope, failure

MARKET = next(speech for speech in SPEECHES if speech.family == "market")


def told(explanation: Explanation) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {one.about: (one.values, one.places) for one in explanation.findings}


def test_a_success_is_taken_apart() -> None:
    explanation = explain_callback(json.dumps(MARKET.done).encode())

    assert told(explanation) == {
        "family": (("market",), ("data.resultJson",)),
        "task_id": ((ID,), ("data.taskId",)),
        "state": (("succeeded",), ("data.state",)),
        "result": ((f"video {CLIP}",), ("data.resultJson.resultUrls",)),
    }
    assert explanation.oddities == ()
    assert [one.about for one in explanation.findings] == ["family", "task_id", "state", "result"]


def test_a_failure_names_where_code_and_text_stood() -> None:
    explanation = explain_callback(json.dumps(MARKET.failed).encode())

    found = told(explanation)
    assert found["state"] == (("failed",), ("code",))
    assert found["error_code"] == (("400",), ("data.failCode",))
    assert found["error_message"] == ((FAILURE,), ("data.failMsg",))


def test_the_envelope_is_named_when_it_alone_speaks() -> None:
    explanation = explain_callback(json.dumps(failure({"taskId": ID})).encode(), family="veo")

    found = told(explanation)
    assert found["family"] == (("veo",), ())
    assert found["error_code"] == (("400",), ("code",))
    assert found["error_message"] == ((FAILURE,), ("msg",))


def test_what_was_passed_over_is_named() -> None:
    body = envelope({"task_id": ID, "video_id": "v", "video_url": CLIP, "image_url": CLIP})

    explanation = explain_callback(json.dumps(body).encode())

    assert explanation.ignored == ("data.image_url",)


def test_ids_that_disagree_are_both_named_and_none_is_believed() -> None:
    explanation = explain_callback(json.dumps({**MARKET.done, "taskId": OTHER}).encode())

    assert told(explanation)["task_id"] == ((), ("data.taskId", "taskId"))
    assert [one.name for one in explanation.oddities] == [Anomaly.TASK_ID_CONFLICT]


def test_progress_and_its_place() -> None:
    record = {"taskId": ID, "successFlag": 0, "status": "GENERATING", "progress": "0.50"}

    explanation = explain_poll(json.dumps(envelope(record)).encode(), family="gpt4o_image")

    assert told(explanation)["progress"] == (("50%",), ("data.progress",))


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b'{"a":' * 5000])
def test_what_cannot_be_read_is_explained_too(raw: bytes) -> None:
    explanation = explain_callback(raw)

    state = next(one for one in explanation.findings if one.about == "state")
    assert state.values == ("unknown",)
    assert state.why[0].startswith("the body cannot be read")
    assert explanation.oddities


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
def test_every_value_has_its_place_or_its_reason(speech: Speech) -> None:
    for body in (speech.done, speech.failed):
        explanation = explain_callback(json.dumps(body).encode(), family=speech.family)
        for finding in explanation.findings:
            assert finding.values
            assert finding.places or finding.why


def test_every_anomaly_has_a_meaning() -> None:
    assert set(explain._MEANINGS) == {str(one) for one in Anomaly}
    assert all(explain._MEANINGS.values())
