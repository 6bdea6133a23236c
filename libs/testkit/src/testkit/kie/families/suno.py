"""Suno: several callbacks per task, snake_case in callbacks, camelCase in polls."""

from dataclasses import replace
from hashlib import sha256

from testkit.kie.families.family import Family, always, words_of
from testkit.kie.media import Medium, lyrics
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, clock_text, compact, envelope, success

SECONDS = 1.05  # the length of the sample every track is


def _track_id(task: Task, number: int) -> str:
    return sha256(f"{task.task_id}/{number}".encode()).hexdigest()[:32]


def _title(task: Task) -> str:
    return words_of(task.request, "title") or "Untitled"


def _tracks(task: Task, count: int) -> list[Json]:
    return [
        {
            "id": _track_id(task, number),
            "audio_url": task.media_url(number),
            "stream_audio_url": task.media_url(number),
            "image_url": task.media_url(number, suffix="jpeg"),
            "prompt": words_of(task.request, "prompt"),
            "model_name": "chirp-v4-5",
            "title": _title(task),
            "tags": words_of(task.request, "style"),
            "createTime": clock_text(task.created_at),
            "duration": SECONDS,
        }
        for number in range(1, count + 1)
    ]


def _stage(task: Task, *, kind: str, tracks: Json, code: int = OK, message: str) -> JsonObject:
    return envelope(code, message, {"callbackType": kind, "task_id": task.task_id, "data": tracks})


def _text(task: Task) -> JsonObject:
    return _stage(task, kind="text", tracks=[], message="Text generation completed.")


def _first(task: Task) -> JsonObject:
    return _stage(
        task, kind="first", tracks=_tracks(task, 1), message="First track generated successfully."
    )


def _final(task: Task) -> JsonObject:
    if task.state is State.FAILED:
        plan = task.plan
        return _stage(
            task, kind="error", tracks=None, code=plan.fail_code, message=plan.fail_message
        )
    tracks = _tracks(task, task.outputs)
    return _stage(task, kind="complete", tracks=tracks, message="All generated successfully.")


def _section_final(task: Task) -> JsonObject:
    # Here a failure has a text of its own, and no list.
    if task.state is State.FAILED:
        plan = task.plan
        told: JsonObject = {
            "callbackType": "error",
            "task_id": task.task_id,
            "error": plan.fail_message,
        }
        return envelope(plan.fail_code, "Audio generation failed.", told)
    return _final(task)


def _camel_tracks(task: Task, count: int) -> list[Json]:
    return [
        {
            "id": _track_id(task, number),
            "audioUrl": task.media_url(number),
            "streamAudioUrl": task.media_url(number),
            "imageUrl": task.media_url(number, suffix="jpeg"),
            "prompt": words_of(task.request, "prompt"),
            "modelName": "chirp-v4-5",
            "title": _title(task),
            "tags": words_of(task.request, "style"),
            "createTime": clock_text(task.created_at),
            "duration": SECONDS,
        }
        for number in range(1, count + 1)
    ]


def _status(task: Task, *, failed: str) -> str:
    if task.state is State.FAILED:
        return failed
    if task.state is State.SUCCEEDED:
        # KIE says so when nobody took its callback; the tracks are there all the same.
        return "CALLBACK_EXCEPTION" if task.callback_failed else "SUCCESS"
    return ("PENDING", "TEXT_SUCCESS", "FIRST_SUCCESS")[task.stage]


def file_flag(task: Task, *, failed: str) -> str:
    """The word of conversions, where a remark may follow a dash."""
    match task.state:
        case State.FAILED:
            return failed
        case State.SUCCEEDED:
            return "CALLBACK_EXCEPTION" if task.callback_failed else "SUCCESS-Success"
        case _:
            return "PENDING-Waiting for execution"


def _record_of(task: Task, *, kind: str, status: str, answer: Json) -> JsonObject:
    failed = task.state is State.FAILED
    return {
        "taskId": task.task_id,
        "parentMusicId": "",
        "param": compact(task.request),
        "response": answer,
        "status": status,
        "type": kind,
        "errorCode": task.plan.fail_code if failed else None,
        "errorMessage": task.plan.fail_message if failed else None,
    }


def _record(task: Task) -> JsonObject:
    known = task.outputs if task.state is State.SUCCEEDED else max(0, task.stage - 1)
    tracks = _camel_tracks(task, known)
    answer: Json = {"taskId": task.task_id, "sunoData": tracks} if tracks else None
    status = _status(task, failed="GENERATE_AUDIO_FAILED")
    return _record_of(task, kind="GENERATE", status=status, answer=answer)


def _lines(task: Task) -> list[Json]:
    return [
        {
            "text": lyrics(f"{task.task_id}/{number}"),
            "title": _title(task),
            "status": "complete",
            "errorMessage": "",
        }
        for number in range(1, task.outputs + 1)
    ]


def _lyrics_final(task: Task) -> JsonObject:
    # A failed lyrics task says "complete" too; only the code tells.
    if task.state is State.FAILED:
        plan = task.plan
        return _stage(
            task, kind="complete", tracks=None, code=plan.fail_code, message=plan.fail_message
        )
    return _stage(task, kind="complete", tracks=_lines(task), message="All generated successfully.")


def _lyrics_record(task: Task) -> JsonObject:
    done = task.state is State.SUCCEEDED
    answer: Json = {"taskId": task.task_id, "data": _lines(task)} if done else None
    status = _status(task, failed="GENERATE_LYRICS_FAILED")
    return _record_of(task, kind="LYRICS", status=status, answer=answer)


SUNO_MUSIC = Family(
    name="suno_music",
    create_path="/api/v1/generate",
    poll_path="/api/v1/generate/record-info",
    medium=always(Medium.AUDIO),
    final=_final,
    record=_record,
    stages=(_text, _first),
    unknown=success(None),
    requires_callback_url=True,
    usual_outputs=2,
    most_outputs=2,
)
# The same task under another address.
SUNO_VARIANTS = tuple(
    replace(
        SUNO_MUSIC, name=f"suno_{page.replace('-', '_')}", create_path=f"/api/v1/generate/{page}"
    )
    for page in (
        "extend",
        "upload-cover",
        "upload-extend",
        "add-instrumental",
        "add-vocals",
        "mashup",
    )
)
SUNO_SOUNDS = replace(
    SUNO_MUSIC,
    name="suno_sounds",
    create_path="/api/v1/generate/sounds",
    requires_callback_url=False,
)
SUNO_REPLACE_SECTION = replace(
    SUNO_MUSIC,
    name="suno_replace_section",
    create_path="/api/v1/generate/replace-section",
    final=_section_final,
    stages=(),
    requires=("taskId",),
    requires_callback_url=False,
    usual_outputs=1,
)
SUNO_LYRICS = Family(
    name="suno_lyrics",
    create_path="/api/v1/lyrics",
    poll_path="/api/v1/lyrics/record-info",
    medium=always(Medium.TEXT),
    final=_lyrics_final,
    record=_lyrics_record,
    most_outputs=3,
    unknown=success(None),
)
