"""Each family in many wordings: what may vary varies, and the reading stays the same."""

import copy
import json
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from kie.dialects import BY_FAMILY
from kie.families import ENDPOINTS
from kie.reading import Reading, State, read_callback, read_poll
from kie_speech import (
    CLIP,
    FAILURE,
    ID,
    OTHER,
    PICTURE,
    SONG,
    SPEECHES,
    Speech,
    envelope,
    failure,
    trouble,
)

Body = dict[str, Any]
Change = Callable[[Body], None]


def nothing(_: Body) -> None:
    """As it is."""


def nested_ids(body: Body) -> None:
    """Ids of other things, in places that are none of the task's."""
    body["id"] = OTHER
    body["recordId"] = OTHER
    body["input"] = {"taskId": OTHER, "task_id": OTHER}
    if isinstance(body["data"], dict):
        body["data"] |= {"id": OTHER, "recordId": OTHER, "task": {"taskId": OTHER}}
        body["data"]["input"] = {"taskId": OTHER}
        body["data"]["metadata"] = json.dumps({"task_id": OTHER})


def signed(body: Body) -> None:
    """What KIE may add once a webhook key is set."""
    body["taskId"] = ID


def code_as_text(body: Body) -> None:
    body["code"] = str(body["code"])


def data_as_text(body: Body) -> None:
    if isinstance(body["data"], dict):
        body["data"] = json.dumps(body["data"])


def info_as_text(body: Body) -> None:
    for key in ("info", "response", "promptJson", "resultJson", "videoInfo", "midiData"):
        if isinstance(body["data"], dict) and isinstance(body["data"].get(key), dict):
            body["data"][key] = json.dumps(body["data"][key])


def lists_as_text(body: Body) -> None:
    for holder in (body["data"], (body["data"] or {}).get("info")):
        for key in ("resultUrls", "result_urls", "images", "fullResultUrls"):
            if isinstance(holder, dict) and isinstance(holder.get(key), list):
                holder[key] = json.dumps(holder[key])


def more_keys(body: Body) -> None:
    body |= {"requestId": "r", "timestamp": 1_769_670_760, "success": True, "extra": None}
    if isinstance(body["data"], dict):
        body["data"] |= {"creditsConsumed": 61.5, "remainedCredits": 2, "costTime": 89, "new": [1]}


def other_spelling_of_the_id(body: Body) -> None:
    data = body["data"]
    if isinstance(data, dict) and "taskId" in data:
        data["task_id"] = data["taskId"]
    elif isinstance(data, dict) and "task_id" in data:
        data["taskId"] = data["task_id"]


CHANGES: tuple[Change, ...] = (
    nothing,
    nested_ids,
    signed,
    code_as_text,
    data_as_text,
    info_as_text,
    lists_as_text,
    more_keys,
    other_spelling_of_the_id,
)


def varied(body: Body, change: Change) -> bytes:
    changed = copy.deepcopy(body)
    change(changed)
    return json.dumps(changed, ensure_ascii=False).encode()


def results(reading: Reading) -> tuple[set[str], set[str]]:
    texts = {medium.text for medium in reading.media if medium.text is not None}
    return set(reading.result_urls), texts


def cases() -> list[Any]:
    return [
        pytest.param(speech, change, id=f"{speech.family}-{change.__name__}-{number}")
        for number, (speech, change) in enumerate(product(SPEECHES, CHANGES))
    ]


@pytest.mark.parametrize("speech, change", cases())
def test_a_success_however_it_is_worded(speech: Speech, change: Change) -> None:
    raw = varied(speech.done, change)

    for family in (speech.family, None, "nobody-knows"):
        reading = read_callback(raw, family=family)
        assert (reading.task_id, reading.state) == (ID, State.SUCCEEDED)
        assert results(reading) == (set(speech.urls), set(speech.texts))
        assert (reading.error_code, reading.error_message) == (None, None)


@pytest.mark.parametrize("speech, change", cases())
def test_a_failure_however_it_is_worded(speech: Speech, change: Change) -> None:
    raw = varied(speech.failed, change)

    for family in (speech.family, None, "nobody-knows"):
        reading = read_callback(raw, family=family)
        assert (reading.task_id, reading.state, reading.media) == (ID, State.FAILED, ())
        assert reading.error_message == FAILURE


@pytest.mark.parametrize("speech, change", cases())
def test_a_record_however_it_is_worded(speech: Speech, change: Change) -> None:
    expected = {
        State.SUCCEEDED: speech.record_done,
        State.FAILED: speech.record_failed,
        State.PROGRESS: speech.record_running,
    }

    for state, record in expected.items():
        reading = read_poll(varied(envelope(record), change), family=speech.family)
        assert (reading.task_id, reading.state) == (ID, state)
        if state is State.SUCCEEDED:
            assert results(reading) == (set(speech.urls), set(speech.texts))
        if state is State.FAILED:
            assert (reading.error_code, reading.error_message) == (speech.code, FAILURE)


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
def test_an_untold_record_is_never_read_as_the_opposite(speech: Speech) -> None:
    for state, record in (
        (State.SUCCEEDED, speech.record_done),
        (State.FAILED, speech.record_failed),
        (State.PROGRESS, speech.record_running),
    ):
        reading = read_poll(json.dumps(envelope(record)).encode())
        assert reading.state in {state, State.UNKNOWN}
        assert reading.task_id == ID


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
@pytest.mark.parametrize(
    "change", [str.upper, str.lower, str.title], ids=lambda each: each.__name__
)
def test_a_word_means_the_same_in_any_case(speech: Speech, change: Callable[[str], str]) -> None:
    for state, record in (
        (State.SUCCEEDED, speech.record_done),
        (State.FAILED, speech.record_failed),
        (State.PROGRESS, speech.record_running),
    ):
        told = {**record, speech.word: change(str(record[speech.word]))}
        reading = read_poll(json.dumps(envelope(told)).encode(), family=speech.family)
        assert (reading.task_id, reading.state) == (ID, state)


def test_no_family_tells_two_words_apart_by_their_case() -> None:
    for dialect in BY_FAMILY.values():
        for facts in (dialect.callback, dialect.poll):
            told = {(word.casefold(), meaning) for word, meaning in facts.words.items()}
            assert len(told) == len({word for word, _ in told})


@pytest.mark.parametrize("stage", ["Complete", "COMPLETE"])
def test_a_stage_is_recognised_in_any_case(stage: str) -> None:
    for speech in SPEECHES:
        if speech.done["data"].get("callbackType") != "complete" or speech.texts:
            continue
        body = copy.deepcopy(speech.done)
        body["data"]["callbackType"] = stage
        for family in (speech.family, None):
            reading = read_callback(json.dumps(body).encode(), family=family)
            assert reading.state is State.SUCCEEDED
            assert set(reading.result_urls) == set(speech.urls)


ODD_WORDS = ("paused", "SUCCESSFUL", "TEXT_SUCCESSES", "fail_soon", "7", 7, -1, True, ["success"])


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
@pytest.mark.parametrize("word", ODD_WORDS, ids=str)
def test_an_unknown_word_is_held_and_never_a_failure(speech: Speech, word: object) -> None:
    for record in (speech.record_done, speech.record_failed, speech.record_running):
        reading = read_poll(
            json.dumps(envelope({**record, speech.word: word})).encode(), family=speech.family
        )
        assert reading.state is State.UNKNOWN
        assert "unknown_state" in reading.anomalies


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
@pytest.mark.parametrize("place", ["taskId", "task_id"])
def test_ids_that_disagree_name_nobody(speech: Speech, place: str) -> None:
    for body in (speech.done, speech.failed):
        told = copy.deepcopy(body)
        told["task_id" if place in told else place] = OTHER
        reading = read_callback(json.dumps(told).encode())
        assert reading.task_id is None
        assert "task_id_conflict" in reading.anomalies


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
def test_an_error_of_the_poll_says_nothing_about_the_task(speech: Speech) -> None:
    for code, msg, state in (
        (401, "You do not have access permissions", State.FATAL_ERROR),
        (402, "Insufficient credits", State.FATAL_ERROR),
        (404, "Task not found", State.NOT_FOUND),
        (422, "recordInfo is null", State.NOT_FOUND),
        (429, "slow down", State.TRANSIENT_ERROR),
        (433, "sub-key usage exceeded", State.FATAL_ERROR),
        (455, "maintenance", State.TRANSIENT_ERROR),
        (500, "Server Error", State.TRANSIENT_ERROR),
    ):
        raw = json.dumps(envelope(None, code, msg)).encode()
        for http_status in (200, code):
            reading = read_poll(raw, family=speech.family, http_status=http_status)
            assert (reading.state, reading.error_code) == (state, str(code))


@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
def test_no_record_is_not_found(speech: Speech) -> None:
    reading = read_poll(json.dumps(envelope(None)).encode(), family=speech.family)

    assert (reading.task_id, reading.state) == (None, State.NOT_FOUND)


@pytest.mark.parametrize("code", [401, 402, 404, 409, 429, 433, 455, 600, "x", None])
@pytest.mark.parametrize("speech", SPEECHES, ids=lambda speech: speech.family)
def test_a_code_about_a_request_ends_no_task(speech: Speech, code: object) -> None:
    data = speech.failed["data"]
    # A word of the family's own may still say that the task failed.
    if isinstance(data, dict) and {"state", "status", "callbackType"} & set(data):
        return
    reading = read_callback(json.dumps({**speech.failed, "code": code}).encode())

    assert reading.state is State.UNKNOWN


@pytest.mark.parametrize(
    "word, state",
    [
        ("SUCCESS-Success", State.SUCCEEDED),
        ("SUCCESS - done", State.SUCCEEDED),
        ("PENDING-Waiting for execution", State.PROGRESS),
        ("CREATE_TASK_FAILED-Failed", State.FAILED),
        ("CALLBACK_EXCEPTION-Callback failed", State.SUCCEEDED),
        ("TEXT_SUCCESS-Success", None),
        ("NO-SUCCESS", State.UNKNOWN),
        ("-SUCCESS", State.UNKNOWN),
    ],
)
def test_a_word_may_carry_a_remark(word: str, state: State | None) -> None:
    for speech in SPEECHES:
        if speech.record_done[speech.word] != "SUCCESS":
            continue
        record = {**speech.record_done, speech.word: word}
        reading = read_poll(json.dumps(envelope(record)).encode(), family=speech.family)
        # Files have no stage of text: there the word is unknown, in songs it is progress.
        expected = {state} if state else {State.PROGRESS, State.UNKNOWN}
        assert reading.state in expected, speech.family


@pytest.mark.parametrize("stage", ["text", "first"])
def test_a_stage_of_a_song_is_no_success(stage: str) -> None:
    for speech in SPEECHES:
        if speech.done["data"].get("callbackType") != "complete" or speech.texts:
            continue
        body = copy.deepcopy(speech.done)
        body["data"]["callbackType"] = stage
        reading = read_callback(json.dumps(body).encode(), family=speech.family)
        assert (reading.state, reading.task_id) == (State.PROGRESS, ID)
        assert set(reading.result_urls) == set(speech.urls)


@pytest.mark.parametrize("data", [None, [], "", {"callbackType": "complete", "task_id": ID}])
def test_a_success_that_shows_nothing_is_odd(data: object) -> None:
    reading = read_callback(json.dumps(envelope(data)).encode(), family="suno_music")

    assert reading.media == ()
    assert reading.anomalies != ()
    assert reading.state in {State.UNKNOWN, State.SUCCEEDED}


def test_good_news_without_data_is_held() -> None:
    for speech in SPEECHES:
        body = {"code": 200, "msg": "success", "data": None, "taskId": ID}
        reading = read_callback(json.dumps(body).encode(), family=speech.family)
        assert (reading.task_id, reading.state) == (ID, State.UNKNOWN)


@pytest.mark.parametrize("full", [[CLIP], json.dumps([CLIP])], ids=["list", "text"])
def test_the_stitched_video_stands_in_when_the_clip_is_missing(full: object) -> None:
    body = envelope({"taskId": ID, "info": {"resultUrls": [], "fullResultUrls": full}})

    reading = read_callback(json.dumps(body).encode())

    assert (reading.family, reading.result_urls) == ("veo_extend", (CLIP,))


def test_the_record_of_the_parent_is_no_4k_video() -> None:
    parent = next(speech for speech in SPEECHES if speech.family == "veo")

    for record in (parent.record_done, parent.record_failed, parent.record_running):
        reading = read_poll(json.dumps(envelope(record)).encode(), family="veo_4k")
        assert reading.state is State.UNKNOWN
        assert "other_operation" in reading.anomalies


@pytest.mark.parametrize(
    "code, msg, data, state",
    [
        (200, "success", {"resultUrl": CLIP}, State.SUCCEEDED),
        (200, "success", {"resultUrl": None}, State.UNKNOWN),
        (200, "success", {}, State.UNKNOWN),
        (200, "success", None, State.NOT_FOUND),
        (400, "1080P is processing. It should be ready in 1-2 minutes.", None, State.PROGRESS),
        (422, "1080P is processing. Please check back shortly.", None, State.PROGRESS),
        (422, "record is null", None, State.NOT_FOUND),
        (422, "record status is not success", None, State.UNKNOWN),
        (500, "Server Error", None, State.TRANSIENT_ERROR),
    ],
)
def test_1080p_is_ready_under_way_or_unknown(
    code: int, msg: str, data: object, state: State
) -> None:
    reading = read_poll(json.dumps(envelope(data, code, msg)).encode(), family="veo_1080p")

    assert reading.state is state
    assert (reading.result_urls == (CLIP,)) is (state is State.SUCCEEDED)


@pytest.mark.parametrize(
    "family, flag, error, state",
    [
        ("luma_modify", 4, None, State.SUCCEEDED),
        ("veo", 4, None, State.UNKNOWN),
        ("aleph", 0, 0, State.PROGRESS),
        ("aleph", 0, None, State.PROGRESS),
        ("aleph", 0, 501, State.FAILED),
        ("suno_cover_image", 2, None, State.PROGRESS),
        ("suno_cover_image", 3, 501, State.FAILED),
        ("suno_midi", 2, 500, State.FAILED),
        ("suno_midi", 3, 500, State.FAILED),
        ("gpt4o_image", 2, 400, State.FAILED),
    ],
)
def test_the_same_flag_means_another_thing_elsewhere(
    family: str, flag: int, error: int | None, state: State
) -> None:
    speech = next(speech for speech in SPEECHES if speech.family == family)
    record = {**speech.record_done, "successFlag": flag, **trouble(error, FAILURE if error else "")}

    for told in (flag, str(flag), float(flag)):
        raw = json.dumps(envelope({**record, "successFlag": told})).encode()
        assert read_poll(raw, family=family).state is state


@pytest.mark.parametrize("key", ["vocal_separation_info", "vocal_removal_info"])
def test_stems_split_finely_under_both_keys(key: str) -> None:
    origin = [
        {"extract": {"audio_url": SONG, "id": OTHER}, "remove": {"audio_url": "", "id": OTHER}},
        {"extract": {"audio_url": None}, "remove": {}},
    ]
    body = envelope({"task_id": ID, key: {"origin_url": "", "origin_data": origin}})

    reading = read_callback(json.dumps(body).encode())

    assert (reading.family, reading.result_urls) == ("suno_vocal_removal", (SONG,))
    assert reading.anomalies == ()


@pytest.mark.parametrize("key", ["vocal_separation_info", "vocal_removal_info"])
def test_a_stem_under_the_key_that_was_cut_short(key: str) -> None:
    body = envelope({"task_id": ID, key: {"origin_url": "", "vocal_ur": SONG}})

    assert read_callback(json.dumps(body).encode()).result_urls == (SONG,)


def test_a_song_that_fails_with_a_text_of_its_own() -> None:
    body = failure({"callbackType": "error", "task_id": ID, "error": "no voice found"}, 501)

    reading = read_callback(json.dumps(body).encode())

    assert (reading.state, reading.error_code) == (State.FAILED, "501")
    assert reading.error_message == "no voice found"


def test_pictures_beside_the_result_are_not_delivered() -> None:
    for speech in SPEECHES:
        if PICTURE not in speech.urls:
            assert PICTURE not in read_callback(json.dumps(speech.done).encode()).result_urls


def test_every_family_that_is_polled_is_varied_here() -> None:
    polled = {
        endpoint.name
        for endpoint in ENDPOINTS
        if endpoint.poll_path and "1080" not in endpoint.name
    }

    assert polled == {speech.family for speech in SPEECHES}
    assert polled < set(BY_FAMILY)
