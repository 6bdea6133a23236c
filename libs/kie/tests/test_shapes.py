"""Documented shapes beyond the corpus: one message, one reading."""

import json
from typing import Any

import pytest

from kie.reading import Reading, State, read_callback, read_poll

CLIP = "https://file.example/a.mp4"
SONG = "https://file.example/a.mp3"
SONG_2 = "https://file.example/b.mp3"
PICTURE = "https://file.example/a.png"


def callback(body: object, family: str | None = None) -> Reading:
    return read_callback(json.dumps(body).encode(), family=family)


def poll(family: str | None, body: object, http_status: int = 200) -> Reading:
    return read_poll(json.dumps(body).encode(), family=family, http_status=http_status)


def answer(data: object, code: object = 200, msg: str = "success") -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": data}


def tracks(*links: str | None) -> dict[str, Any]:
    return {"sunoData": [{"id": "x", "audioUrl": link} for link in links]}


@pytest.mark.parametrize(
    "result_json",
    [
        {"resultUrls": [CLIP]},
        json.dumps({"resultUrls": [CLIP]}),
        json.dumps(json.dumps({"resultUrls": [CLIP]})),
        {"resultUrls": json.dumps([CLIP])},
        {"resultUrls": CLIP},
        [CLIP],
        json.dumps([CLIP]),
        [{"url": CLIP}],
        CLIP,
        json.dumps(CLIP),
        {"resultUrls": json.dumps(CLIP)},
        {"resultUrls": [CLIP, CLIP, "", None, f" {CLIP} "]},
    ],
    ids=str,
)
def test_market_result_json_in_every_wrapping(result_json: object) -> None:
    data = {"taskId": "t", "state": "success", "resultJson": result_json}

    for reading in (callback(answer(data)), poll("market", answer(data))):
        assert reading.state is State.SUCCEEDED
        assert reading.result_urls == (CLIP,)
        assert reading.media[0].kind == "video"
        assert reading.anomalies == ()


def test_market_layers_beside_links_are_not_delivered() -> None:
    result = {"resultUrls": [PICTURE], "resultObject": {"layers_data": [1]}}
    data = {"taskId": "t", "state": "success", "resultJson": json.dumps(result)}

    reading = callback(answer(data))

    assert [medium.url for medium in reading.media] == [PICTURE]


@pytest.mark.parametrize(
    "result, text",
    [({"text": "hello"}, "hello"), ({"mask_urls": [PICTURE]}, f'{{"mask_urls":["{PICTURE}"]}}')],
)
def test_a_market_object_without_links_is_the_result(result: object, text: str) -> None:
    data = {
        "taskId": "t",
        "state": "success",
        "resultJson": json.dumps({"resultObject": result}),
    }

    reading = callback(answer(data))

    assert (reading.result_urls, reading.media[0].text) == ((), text)
    assert reading.anomalies == ()


@pytest.mark.parametrize("state", ["waiting", "queuing", "generating"])
def test_market_stages(state: str) -> None:
    assert poll("market", answer({"taskId": "t", "state": state})).state is State.PROGRESS


@pytest.mark.parametrize(
    "family, data",
    [
        ("market", {"taskId": "t", "state": "paused"}),
        ("market", {"taskId": "t", "state": "queueing"}),
        ("market", {"taskId": "t", "state": 7}),
        ("market", {"taskId": "t", "state": ["success"]}),
        ("market", {"taskId": "t"}),
        ("runway", {"taskId": "t", "state": "queuing"}),
        ("veo", {"taskId": "t", "successFlag": 4}),
        ("veo", {"taskId": "t", "successFlag": True}),
        ("suno_music", {"taskId": "t", "status": "THIRD_SUCCESS"}),
        ("suno_wav", {"taskId": "t", "successFlag": "PARTIAL-SUCCESS"}),
        ("gpt4o_image", {"taskId": "t", "successFlag": 0, "status": "GENERATE_FAILED"}),
    ],
)
def test_a_word_nobody_documents_is_held(family: str, data: object) -> None:
    reading = poll(family, answer(data))

    assert reading.state is State.UNKNOWN
    assert reading.task_id == "t"
    assert "unknown_state" in reading.anomalies


@pytest.mark.parametrize(
    "code, state, verdict",
    [
        (200, "fail", State.FAILED),
        (501, "success", State.UNKNOWN),
        (501, "waiting", State.UNKNOWN),
        (429, "fail", State.FAILED),
        (429, None, State.UNKNOWN),
        (599, None, State.UNKNOWN),
        (None, "success", State.UNKNOWN),
        ("200", "success", State.SUCCEEDED),
        (0, "success", State.SUCCEEDED),
        (422, None, State.FAILED),
    ],
)
def test_code_and_state_of_a_market_callback(code: object, state: object, verdict: State) -> None:
    data = {"taskId": "t", "model": "m", "state": state, "resultJson": [CLIP]}

    reading = callback(answer(data, code))

    assert reading.state is verdict
    assert (reading.result_urls == (CLIP,)) is (verdict is State.SUCCEEDED)


@pytest.mark.parametrize(
    "flag, state",
    [
        (0, State.PROGRESS),
        (1, State.SUCCEEDED),
        (2, State.FAILED),
        (3, State.FAILED),
        ("1", State.SUCCEEDED),
        (1.0, State.SUCCEEDED),
    ],
)
@pytest.mark.parametrize(
    "family", ["veo", "veo_extend", "flux_kontext", "luma_modify", "suno_midi"]
)
def test_flags(family: str, flag: object, state: State) -> None:
    data = {"taskId": "t", "successFlag": flag, "errorCode": 501, "errorMessage": "no"}

    reading = poll(family, answer(data))

    assert reading.state is state
    assert reading.error_code == ("501" if state is State.FAILED else None)


@pytest.mark.parametrize(
    "response, state",
    [
        (tracks(SONG, SONG_2), State.SUCCEEDED),
        (tracks(SONG, ""), State.PROGRESS),
        (tracks(SONG, None), State.PROGRESS),
        (tracks(None), State.PROGRESS),
        (tracks(), State.PROGRESS),
        (None, State.PROGRESS),
    ],
)
def test_an_undelivered_song_succeeded_only_with_every_track(
    response: object, state: State
) -> None:
    data = {"taskId": "t", "status": "CALLBACK_EXCEPTION", "response": response}

    assert poll("suno_music", answer(data)).state is state


@pytest.mark.parametrize(
    "family, response, url",
    [
        ("suno_wav", {"audioWavUrl": SONG}, SONG),
        ("suno_mp4", {"videoUrl": CLIP}, CLIP),
        ("suno_vocal_removal", {"vocalUrl": SONG, "originUrl": SONG_2}, SONG),
        (
            "suno_vocal_removal",
            {"originData": [{"extract": {"audio_url": SONG}, "remove": {"audio_url": ""}}]},
            SONG,
        ),
    ],
)
@pytest.mark.parametrize("flag", ["SUCCESS", "SUCCESS-Success", "CALLBACK_EXCEPTION"])
def test_suno_word_flags(family: str, response: object, url: str, flag: str) -> None:
    reading = poll(family, answer({"taskId": "t", "successFlag": flag, "response": response}))

    assert (reading.state, reading.result_urls) == (State.SUCCEEDED, (url,))


def test_the_first_track_of_a_song_is_partial() -> None:
    data = {"callbackType": "first", "task_id": "t", "data": [{"id": "1", "audio_url": SONG}]}

    reading = callback(answer(data))

    assert (reading.state, reading.result_urls) == (State.PROGRESS, (SONG,))
    assert reading.family == "suno_music"


def test_lyrics_of_an_untold_record_are_text() -> None:
    data = {"taskId": "t", "status": "SUCCESS", "response": {"data": [{"text": "la la"}]}}

    reading = poll(None, answer(data))

    assert (reading.family, reading.state) == ("suno_lyrics", State.SUCCEEDED)
    assert [medium.text for medium in reading.media] == ["la la"]


def test_lyrics_are_recognised_and_are_text() -> None:
    lyrics = "[1]\nline"
    data = {"callbackType": "complete", "task_id": "t", "data": [{"text": lyrics, "title": "x"}]}

    reading = callback(answer(data))

    assert (reading.family, reading.state) == ("suno_lyrics", State.SUCCEEDED)
    assert [(medium.kind, medium.text) for medium in reading.media] == [("text", lyrics)]


def test_lyrics_that_look_like_json_stay_text() -> None:
    data = {"callbackType": "complete", "task_id": "t", "data": [{"text": "[1, 2]"}]}

    assert callback(answer(data)).media[0].text == "[1, 2]"


def test_midi_with_the_task_id_on_top() -> None:
    body = answer({"state": "complete", "instruments": [{"name": "Drums", "notes": []}]})

    reading = callback({**body, "task_id": "t"})

    assert (reading.family, reading.task_id) == ("suno_midi", "t")
    assert reading.media[0].kind == "file"
    assert json.loads(reading.media[0].text or "") == [{"name": "Drums", "notes": []}]


def test_aleph_with_the_task_id_on_top() -> None:
    body = answer({"result_video_url": CLIP, "result_image_url": PICTURE})

    reading = callback({**body, "taskId": "t"})

    assert (reading.family, reading.task_id, reading.result_urls) == ("aleph", "t", (CLIP,))


@pytest.mark.parametrize(
    "error_code, state", [(0, State.PROGRESS), (None, State.PROGRESS), (500, State.FAILED)]
)
def test_aleph_flag_zero_needs_an_error_code_to_be_a_failure(
    error_code: int | None, state: State
) -> None:
    data = {"taskId": "t", "successFlag": 0, "errorCode": error_code}

    assert poll("aleph", answer(data)).state is state


@pytest.mark.parametrize(
    "data, family, kind",
    [
        ({"info": {"result_urls": [PICTURE]}}, "gpt4o_image", "image"),
        ({"info": {"resultUrls": [CLIP]}}, "veo", "video"),
        ({"video_url": CLIP, "video_id": "v", "image_url": PICTURE}, "runway", "video"),
        ({"video_url": CLIP}, "suno_mp4", "video"),
        ({"resultUrls": [CLIP], "promptJson": '{"videoUrl":"x"}'}, "luma_modify", "video"),
        ({"resultUrls": [PICTURE], "promptJson": {}}, "midjourney", "image"),
        ({"voiceId": "v1", "status": "success"}, "suno_voice_generate", "text"),
        ({"audioWavUrl": SONG}, "suno_wav", "audio"),
    ],
)
def test_a_callback_is_recognised_by_its_shape(
    data: dict[str, object], family: str, kind: str
) -> None:
    reading = callback(answer({"taskId": "t", **data}))

    assert (reading.family, reading.state) == (family, State.SUCCEEDED)
    assert [medium.kind for medium in reading.media] == [kind]


@pytest.mark.parametrize("status", ["wait_validating", "wait_processing", "fail", "success"])
def test_a_voice_callback_follows_its_status(status: str) -> None:
    reading = callback(answer({"taskId": "t", "voiceId": "v", "status": status}))

    expected = {"fail": State.FAILED, "success": State.SUCCEEDED}
    assert reading.state is expected.get(status, State.PROGRESS)


@pytest.mark.parametrize(
    "code, message, state",
    [
        (400, "taskId parameter is required", State.FATAL_ERROR),
        (401, "You do not have access permissions", State.FATAL_ERROR),
        (402, "Insufficient credits", State.FATAL_ERROR),
        (404, "Task not found", State.NOT_FOUND),
        (408, "Upstream is silent", State.FAILED),
        (422, "recordInfo is null", State.NOT_FOUND),
        (422, "record is null", State.NOT_FOUND),
        (422, "Temporarily supports records within 14 days", State.NOT_FOUND),
        (422, "record status is not success", State.UNKNOWN),
        (422, "Please enter taskId.", State.FATAL_ERROR),
        (429, "slow down", State.TRANSIENT_ERROR),
        (433, "sub-key usage exceeded", State.FATAL_ERROR),
        (455, "maintenance", State.TRANSIENT_ERROR),
        (500, "Server Error", State.TRANSIENT_ERROR),
        (501, "Generation failed", State.FAILED),
        (505, "Feature disabled", State.FATAL_ERROR),
        (599, "?", State.UNKNOWN),
        ("oops", "?", State.UNKNOWN),
    ],
)
@pytest.mark.parametrize("family", ["market", "veo", "suno_music", "runway"])
def test_error_codes_of_a_poll(family: str, code: object, message: str, state: State) -> None:
    reading = poll(family, answer(None, code, message))

    assert (reading.state, reading.task_id) == (state, None)
    assert (reading.error_code, reading.error_message) == (str(code), message)


@pytest.mark.parametrize("family", ["market", "veo", "suno_wav", "luma_modify"])
def test_null_data_is_not_found(family: str) -> None:
    assert poll(family, answer(None)).state is State.NOT_FOUND


def test_a_failed_task_under_an_error_code_is_failed() -> None:
    data = {"taskId": "t", "state": "fail", "failCode": "500", "failMsg": "internal"}

    reading = poll("market", answer(data, 500))

    assert (reading.state, reading.error_message) == (State.FAILED, "internal")


@pytest.mark.parametrize(
    "status, state",
    [
        (401, State.FATAL_ERROR),
        (404, State.FATAL_ERROR),
        (408, State.TRANSIENT_ERROR),
        (429, State.TRANSIENT_ERROR),
        (501, State.TRANSIENT_ERROR),
        (502, State.TRANSIENT_ERROR),
        (302, State.UNKNOWN),
    ],
)
def test_an_http_error_without_an_envelope(status: int, state: State) -> None:
    reading = read_poll(b"<html>", family="market", http_status=status)

    assert (reading.state, reading.error_code) == (state, str(status))


def test_an_envelope_outranks_the_http_status() -> None:
    body = answer(None, 422, "recordInfo is null")

    assert poll("market", body, http_status=500).state is State.NOT_FOUND


@pytest.mark.parametrize("given, fraction", [("0.50", 0.5), (1, 1.0), ("x", None), (7, None)])
def test_progress_is_a_fraction(given: object, fraction: float | None) -> None:
    data = {"taskId": "t", "successFlag": 0, "progress": given}

    assert poll("gpt4o_image", answer(data)).progress == fraction


def test_an_expired_runway_video_is_said_to_be() -> None:
    data = {"taskId": "t", "state": "success", "videoInfo": {"videoUrl": CLIP}, "expireFlag": 1}

    assert "result_expired" in poll("runway", answer(data)).anomalies


def test_an_untold_shape_with_code_200_is_held() -> None:
    reading = callback(answer({"taskId": "t", "outcome": [CLIP]}))

    assert (reading.task_id, reading.state, reading.media) == ("t", State.UNKNOWN, ())
