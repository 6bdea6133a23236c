"""How each family speaks: one success, one failure and one running record, to be varied by tests."""

from dataclasses import dataclass
from typing import Any

ID = "task-0123456789"
OTHER = "task-of-somebody-else"
CLIP = "https://tempfile.example/r/a clip.mp4"
SONG = "https://tempfile.example/r/a song.mp3"
SONG_2 = "https://tempfile.example/r/b.mp3"
PICTURE = "https://tempfile.example/r/a.png"
FAILURE = "it did not work out"


@dataclass(frozen=True, kw_only=True)
class Speech:
    """Bodies of one family; the records are what stands in `data` of a polling answer."""

    family: str
    done: dict[str, Any]
    failed: dict[str, Any]
    urls: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    record_done: dict[str, Any]
    record_failed: dict[str, Any]
    record_running: dict[str, Any]
    word: str  # the key of the state word in a record
    code: str = "400"  # of the failure


def envelope(data: object, code: int = 200, msg: str = "success") -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": data}


def failure(data: object, code: int = 400) -> dict[str, Any]:
    return envelope(data, code, FAILURE)


def trouble(code: object = 400, msg: str = FAILURE) -> dict[str, Any]:
    return {"errorCode": code, "errorMessage": msg}


def song(family: str) -> Speech:
    snake = [{"id": OTHER, "audio_url": url, "stream_audio_url": PICTURE} for url in (SONG, SONG_2)]
    camel = [{"id": OTHER, "audioUrl": url, "imageUrl": PICTURE} for url in (SONG, SONG_2)]
    head = {"taskId": ID, "parentMusicId": "", "param": '{"taskId":"%s"}' % OTHER}  # noqa: UP031 - braces
    return Speech(
        family=family,
        done=envelope({"callbackType": "complete", "task_id": ID, "data": snake}),
        failed=failure({"callbackType": "error", "task_id": ID, "data": None}),
        urls=(SONG, SONG_2),
        record_done={**head, "status": "SUCCESS", "response": {"taskId": OTHER, "sunoData": camel}},
        record_failed={**head, "status": "GENERATE_AUDIO_FAILED", "response": None, **trouble()},
        record_running={**head, "status": "TEXT_SUCCESS", "response": None},
        word="status",
    )


def flagged(family: str, done: dict[str, Any], failed: dict[str, Any], **more: Any) -> Speech:
    """A family whose record is `successFlag` and `response`."""
    response = more.pop("response")
    flags = more.pop("flags", (1, 2, 0))
    head = {"taskId": ID, "paramJson": "{}"} | more.pop("head", {})
    return Speech(
        family=family,
        done=done,
        failed=failed,
        record_done={**head, "successFlag": flags[0], "response": response, **trouble(None, "")},
        record_failed={**head, "successFlag": flags[1], "response": None, **trouble()},
        record_running={**head, "successFlag": flags[2], "response": None, **trouble(None, "")},
        word="successFlag",
        **more,
    )


WORDS = ("SUCCESS", "CREATE_TASK_FAILED", "PENDING")


def _market() -> Speech:
    head = {"taskId": ID, "model": "m/1", "param": '{"taskId":"x","input":"{}"}'}
    result = {"resultJson": '{"resultUrls":["%s"]}' % CLIP}  # noqa: UP031 - braces
    gone = {"failCode": "400", "failMsg": FAILURE}
    return Speech(
        family="market",
        done=envelope({**head, "state": "success", **result}),
        failed=envelope({**head, "state": "fail", **gone}, 501, "Playground task failed."),
        urls=(CLIP,),
        record_done={**head, "state": "success", **result, "failCode": None, "failMsg": None},
        record_failed={**head, "state": "fail", "resultJson": "", **gone},
        record_running={**head, "state": "waiting", "resultJson": ""},
        word="state",
    )


def _veo(family: str, **info: Any) -> Speech:
    mark = {"mediaIds": ["x"]} if family == "veo_4k" else {"fallbackFlag": False}
    return flagged(
        family,
        envelope({"taskId": ID, "info": {"resultUrls": [CLIP], **info}, **mark}),
        failure({"taskId": ID}),
        urls=(CLIP,),
        response={"taskId": ID, "resultUrls": [CLIP], "originUrls": [PICTURE]},
        head=mark,
    )


def _file(family: str, key: str, response: dict[str, Any], url: str) -> Speech:
    return flagged(
        family,
        envelope({"task_id": ID, key: url}),
        failure({"task_id": ID, key: None}),
        urls=(url,),
        response=response,
        flags=WORDS,
    )


def _stems(key: str) -> Speech:
    parts = {"origin_url": "", "vocal_url": SONG, "instrumental_url": SONG_2}
    return flagged(
        "suno_vocal_removal",
        envelope({"task_id": ID, key: parts}),
        failure({"task_id": ID, key: None}),
        urls=(SONG, SONG_2),
        response={"originUrl": None, "vocalUrl": SONG, "instrumentalUrl": SONG_2, "drumsUrl": None},
        flags=WORDS,
    )


def _midi() -> Speech:
    notes = [{"name": "Drums", "notes": []}]
    made = flagged(
        "suno_midi",
        envelope({"taskId": ID, "state": "complete", "instruments": notes}),
        failure({"taskId": ID}),
        texts=('[{"name":"Drums","notes":[]}]',),
        response=None,
        flags=(1, 3, 0),
    )
    made.record_done.pop("response")
    made.record_done["midiData"] = {"state": "complete", "instruments": notes}
    return made


def _lyrics() -> Speech:
    lines = [{"text": "la la", "title": "x", "status": "complete", "errorMessage": ""}]
    head = {"taskId": ID, "type": "LYRICS"}
    return Speech(
        family="suno_lyrics",
        done=envelope({"callbackType": "complete", "task_id": ID, "data": lines}),
        # A failure says complete, too.
        failed=failure({"callbackType": "complete", "task_id": ID, "data": None}),
        texts=("la la",),
        record_done={**head, "status": "SUCCESS", "response": {"taskId": OTHER, "data": lines}},
        record_failed={**head, "status": "GENERATE_LYRICS_FAILED", "response": None, **trouble()},
        record_running={**head, "status": "PENDING", "response": None},
        word="status",
    )


def _voice(family: str, key: str, done: str, failed: str) -> Speech:
    good = {"taskId": ID, key: "la la", "status": done, **trouble(0, "")}
    bad = {"taskId": ID, key: None, "status": failed, **trouble()}
    return Speech(
        family=family,
        done=envelope(good),
        failed=failure(bad, 500),
        texts=("la la",),
        record_done=good,
        record_failed=bad,
        record_running={"taskId": ID, key: "", "status": "wait_processing", **trouble(0, "")},
        word="status",
    )


def _runway(family: str) -> Speech:
    video = {"videoId": OTHER, "taskId": OTHER, "videoUrl": CLIP, "imageUrl": PICTURE}
    head = {"taskId": ID, "generateParam": {"taskId": OTHER}, "expireFlag": 0}
    parts = {"video_id": OTHER, "video_url": CLIP, "image_url": PICTURE}
    return Speech(
        family=family,
        done=envelope({"task_id": ID, **parts}),
        failed=failure({"task_id": ID, "video_id": "", "video_url": "", "image_url": ""}),
        urls=(CLIP,),
        record_done={**head, "state": "success", "videoInfo": video},
        record_failed={**head, "state": "fail", "failCode": 400, "failMsg": FAILURE},
        record_running={**head, "state": "queueing", "videoInfo": None},
        word="state",
    )


def _aleph() -> Speech:
    parts = {"result_video_url": CLIP, "result_image_url": PICTURE}
    return flagged(
        "aleph",
        {**envelope(parts), "taskId": ID},
        {**failure(None), "taskId": ID},
        urls=(CLIP,),
        response={"taskId": OTHER, "resultVideoUrl": CLIP, "resultImageUrl": PICTURE},
        flags=(1, 0, 0),
    )


def _images() -> list[Speech]:
    return [
        flagged(
            "gpt4o_image",
            envelope({"taskId": ID, "info": {"result_urls": [PICTURE]}}),
            failure({"taskId": ID, "info": None}),
            urls=(PICTURE,),
            response={"result_urls": [PICTURE]},
        ),
        flagged(
            "flux_kontext",
            envelope({"taskId": ID, "info": {"originImageUrl": CLIP, "resultImageUrl": PICTURE}}),
            failure({"taskId": ID, "info": {"originImageUrl": "", "resultImageUrl": ""}}),
            urls=(PICTURE,),
            response={"originImageUrl": CLIP, "resultImageUrl": PICTURE},
        ),
        flagged(
            "suno_cover_image",
            envelope({"taskId": ID, "images": [PICTURE]}),
            failure({"taskId": ID, "images": None}, 501),
            urls=(PICTURE,),
            response={"images": [PICTURE]},
            flags=(1, 3, 2),
            code="400",
        ),
    ]


def _retired() -> list[Speech]:
    luma = {"taskId": ID, "promptJson": '{"videoUrl":"https://x.example/in.mp4"}'}
    return [
        flagged(
            "luma_modify",
            envelope({**luma, "resultUrls": [CLIP]}),
            failure({**luma, "resultUrls": None}),
            urls=(CLIP,),
            response={"resultUrls": [CLIP]},
        ),
        flagged(
            "midjourney",
            envelope({"taskId": ID, "promptJson": "{}", "resultUrls": [PICTURE]}),
            failure({"taskId": ID, "promptJson": "{}", "resultUrls": None}),
            urls=(PICTURE,),
            response=None,
            head={"resultInfoJson": {"resultUrls": [{"resultUrl": PICTURE}]}},
        ),
    ]


SPEECHES: tuple[Speech, ...] = (
    _market(),
    _veo("veo", resolution="720p"),
    _veo("veo_extend", fullResultUrls=[SONG]),
    _veo("veo_4k", imageUrls=[PICTURE]),
    *(
        song(f"suno_{way}")
        for way in (
            "music",
            "extend",
            "upload_cover",
            "upload_extend",
            "add_instrumental",
            "add_vocals",
            "replace_section",
            "mashup",
            "sounds",
        )
    ),
    _lyrics(),
    _file("suno_wav", "audioWavUrl", {"audioWavUrl": SONG}, SONG),
    _file("suno_mp4", "video_url", {"videoUrl": CLIP}, CLIP),
    _stems("vocal_separation_info"),
    _stems("vocal_removal_info"),
    _midi(),
    _voice("suno_voice_validate", "validateInfo", "wait_validating", "processing_validate_fail"),
    _voice("suno_voice_regenerate", "validateInfo", "wait_validating", "processing_validate_fail"),
    _voice("suno_voice_generate", "voiceId", "success", "fail"),
    *_images(),
    _runway("runway"),
    _runway("runway_extend"),
    _aleph(),
    *_retired(),
)
