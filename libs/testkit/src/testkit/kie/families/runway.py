"""Runway and Aleph: flat callbacks, and states spelled unlike anywhere else."""

from dataclasses import replace

from testkit.kie.families.family import NO_RECORD, Family, always
from testkit.kie.media import Medium
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, clock_text, compact, envelope, iso_text

STATES = {
    State.WAITING: "wait",
    State.GENERATING: "generating",
    State.SUCCEEDED: "success",
    State.FAILED: "fail",
}
COVER = "jpeg"


def _cover(task: Task) -> str:
    return task.media_url(1, suffix=COVER) if task.media_urls else ""


def _video(task: Task) -> str:
    return task.media_urls[0] if task.media_urls else ""


def _final(task: Task) -> JsonObject:
    # On failure the same fields are empty.
    answer: JsonObject = {
        "task_id": task.task_id,
        "video_id": f"video_{task.task_id}" if task.media_urls else "",
        "video_url": _video(task),
        "image_url": _cover(task),
    }
    if task.state is State.FAILED:
        return envelope(task.plan.fail_code, task.plan.fail_message, answer)
    return envelope(OK, "All generated successfully.", answer)


def _record(task: Task) -> JsonObject:
    failed = task.state is State.FAILED
    video: Json = {
        "videoId": f"video_{task.task_id}",
        "taskId": task.task_id,
        "videoUrl": _video(task),
        "imageUrl": _cover(task),
    }
    return {
        "taskId": task.task_id,
        "parentTaskId": "",
        "generateParam": task.request,
        "state": STATES[task.state],
        "generateTime": clock_text(task.ended_at),
        "videoInfo": video if task.media_urls else None,
        "failCode": task.plan.fail_code if failed else None,
        "failMsg": task.plan.fail_message if failed else None,
        "expireFlag": int(task.media_expired),
    }


def _aleph_final(task: Task) -> JsonObject:
    # The task id stands beside `data`, which is null on failure.
    if task.state is State.FAILED:
        failed = envelope(task.plan.fail_code, task.plan.fail_message)
        return {**failed, "taskId": task.task_id}
    answer: JsonObject = {"result_video_url": _video(task), "result_image_url": _cover(task)}
    return {**envelope(OK, "All generated successfully.", answer), "taskId": task.task_id}


def _aleph_record(task: Task) -> JsonObject:
    failed = task.state is State.FAILED
    response: Json = {
        "taskId": task.task_id,
        "resultVideoUrl": _video(task),
        "resultImageUrl": _cover(task),
    }
    return {
        "taskId": task.task_id,
        "paramJson": compact(task.request),
        "response": response if task.media_urls else None,
        "completeTime": iso_text(task.ended_at),
        "createTime": iso_text(task.created_at),
        # 0 is both "in progress" and "failed"; errorCode tells which.
        "successFlag": 1 if task.media_urls else 0,
        "errorCode": task.plan.fail_code if failed else 0,
        "errorMessage": task.plan.fail_message if failed else "",
    }


RUNWAY = Family(
    name="runway",
    create_path="/api/v1/runway/generate",
    poll_path="/api/v1/runway/record-detail",
    medium=always(Medium.VIDEO),
    final=_final,
    record=_record,
    unknown=NO_RECORD,
    most_outputs=1,
)
RUNWAY_EXTEND = replace(RUNWAY, name="runway_extend", create_path="/api/v1/runway/extend")
ALEPH = Family(
    name="aleph",
    create_path="/api/v1/aleph/generate",
    poll_path="/api/v1/aleph/record-info",
    medium=always(Medium.VIDEO),
    final=_aleph_final,
    record=_aleph_record,
    unknown=NO_RECORD,
    most_outputs=1,
)
