"""Market: one create call for every model, strings of JSON within JSON."""

from testkit.kie.families.family import Family, inputs, words_of
from testkit.kie.media import Medium
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, compact, envelope, millis, success

VIDEO_WORDS = (
    "video", "sora", "kling", "veo", "wan/", "seedance", "hailuo", "runway", "luma", "happyhorse",
)  # fmt: skip
AUDIO_WORDS = ("audio", "music", "speech", "elevenlabs", "tts", "suno")
STATES = {
    State.WAITING: "waiting",
    State.GENERATING: "generating",
    State.SUCCEEDED: "success",
    State.FAILED: "fail",
}
TASK_FAILED = 501  # the envelope of every failed Market task; its own code is in failCode


def medium_of(request: JsonObject) -> Medium:
    """What a Market model makes, guessed from its slug."""
    model = words_of(request, "model").lower()
    if any(word in model for word in VIDEO_WORDS):
        return Medium.VIDEO
    if any(word in model for word in AUDIO_WORDS):
        return Medium.AUDIO
    wanted = words_of(inputs(request), "output_format").lower()
    return Medium.JPEG if wanted in {"jpg", "jpeg"} else Medium.PNG


def _created(task_id: str) -> JsonObject:
    return {"taskId": task_id, "recordId": task_id}


def _param(task: Task) -> str:
    # Encoded twice: `input` is a string of JSON inside the string of JSON.
    return compact({**task.request, "input": compact(task.request.get("input"))})


def _result(task: Task) -> str:
    return compact({"resultUrls": task.media_urls}) if task.media_urls else ""


def _common(task: Task) -> JsonObject:
    return {
        "taskId": task.task_id,
        "model": words_of(task.request, "model"),
        "state": STATES[task.state],
        "param": _param(task),
    }


def _final(task: Task) -> JsonObject:
    if task.state is State.FAILED:
        failed: dict[str, Json] = {
            **_common(task),
            "failCode": str(task.plan.fail_code),
            "failMsg": task.plan.fail_message,
            "costTime": task.cost_seconds,
            "creditsConsumed": 0,
        }
        return envelope(TASK_FAILED, "Playground task failed.", failed)
    times: dict[str, Json] = {
        **_common(task),
        "resultJson": _result(task),
        "costTime": task.cost_seconds,
        "completeTime": millis(task.ended_at),
        "createTime": millis(task.created_at),
        "updateTime": millis(task.ended_at),
        "creditsConsumed": task.credits_consumed,
    }
    return envelope(OK, "Playground task completed successfully.", times)


def _record(task: Task) -> JsonObject:
    failed = task.state is State.FAILED
    return {
        **_common(task),
        "resultJson": _result(task),
        "failCode": str(task.plan.fail_code) if failed else None,
        "failMsg": task.plan.fail_message if failed else None,
        # Seconds, though the documentation says milliseconds.
        "costTime": task.cost_seconds,
        "completeTime": millis(task.ended_at),
        "createTime": millis(task.created_at),
    }


def _afterthought(task: Task) -> JsonObject:
    return success({**_common(task), "state": "generating", "resultJson": "", "progress": 45})


MARKET = Family(
    name="market",
    create_path="/api/v1/jobs/createTask",
    poll_path="/api/v1/jobs/recordInfo",
    medium=medium_of,
    created=_created,
    final=_final,
    record=_record,
    afterthought=_afterthought,
    unknown=envelope(422, "recordInfo is null"),
    requires=("model",),
)
