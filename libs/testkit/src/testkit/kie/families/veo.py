"""Veo: results in `data.info` of the callback, in `data.response` of the poll; and its other forms."""

from dataclasses import replace

from testkit.kie.families.family import NO_RECORD, Family, always
from testkit.kie.media import Medium
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, clock_text, compact, envelope

RESOLUTION = "720p"
NOT_YET = "1080P is processing. It should be ready in 1-2 minutes. Please check back shortly."


def _final(task: Task) -> JsonObject:
    if task.state is State.FAILED:
        return envelope(
            task.plan.fail_code,
            task.plan.fail_message,
            {"taskId": task.task_id, "fallbackFlag": False},
        )
    answer: JsonObject = {
        "taskId": task.task_id,
        "promptJson": compact(task.request),
        "info": {"resultUrls": task.media_urls, "resolution": RESOLUTION},
        "fallbackFlag": False,
    }
    return envelope(OK, "Veo3.1 video generated successfully.", answer)


def _extended(task: Task) -> JsonObject:
    told = _final(task)
    if not task.media_urls:
        return told
    info: JsonObject = {
        "resultUrls": task.media_urls,
        "fullResultUrls": [task.media_url(1) + "?full=1"],
        "resolution": RESOLUTION,
    }
    return envelope(
        OK, "Veo3.1 video generated successfully.", {"taskId": task.task_id, "info": info}
    )


def _4k_created(task_id: str) -> JsonObject:
    return {"taskId": task_id, "resultUrls": None, "imageUrls": None}


def upgrade_created(task: Task) -> JsonObject:
    """What the 4K page says of a task it has."""
    done = task.media_urls
    return {
        "taskId": task.task_id,
        "resultUrls": done or None,
        "imageUrls": [_cover(task)] if done else None,
    }


def _cover(task: Task) -> str:
    return task.media_url(1, suffix="jpeg")


def _4k_final(task: Task) -> JsonObject:
    # The id is the parent's, and no `fallbackFlag` tells the two apart.
    if not task.media_urls:
        return envelope(task.plan.fail_code, task.plan.fail_message, {"taskId": task.task_id})
    info: JsonObject = {"resultUrls": task.media_urls, "imageUrls": [_cover(task)]}
    return envelope(OK, "4K Video generated successfully.", {"taskId": task.task_id, "info": info})


def _1080p_answer(task: Task) -> JsonObject:
    match task.state:
        case State.SUCCEEDED:
            return envelope(OK, "success", {"resultUrl": task.media_urls[0]})
        case State.FAILED:
            return envelope(422, "record status is not success")
        case _:
            return envelope(400, NOT_YET)


def _record(task: Task) -> JsonObject:
    failed = task.state is State.FAILED
    response: Json = {
        "taskId": task.task_id,
        "resultUrls": task.media_urls,
        "resolution": RESOLUTION,
    }
    return {
        "taskId": task.task_id,
        "paramJson": compact(task.request),
        "completeTime": clock_text(task.ended_at),
        "response": response if task.media_urls else None,
        "successFlag": {State.SUCCEEDED: 1, State.FAILED: 3}.get(task.state, 0),
        "errorCode": task.plan.fail_code if failed else None,
        "errorMessage": task.plan.fail_message if failed else None,
        "createTime": clock_text(task.created_at),
        "fallbackFlag": False,
    }


VEO = Family(
    name="veo",
    create_path="/api/v1/veo/generate",
    poll_path="/api/v1/veo/record-info",
    medium=always(Medium.VIDEO),
    final=_final,
    record=_record,
    unknown=NO_RECORD,
    most_outputs=1,
)
VEO_EXTEND = replace(
    VEO, name="veo_extend", create_path="/api/v1/veo/extend", final=_extended, requires=("taskId",)
)
VEO_4K = replace(
    VEO,
    name="veo_4k",
    create_path="/api/v1/veo/get-4k-video",
    created=_4k_created,
    final=_4k_final,
    of_parent=True,
    requires=("taskId",),
)
# Its page is asked, again and again; whoever asks first has it made.
VEO_1080P = replace(
    VEO,
    name="veo_1080p",
    create_path=None,
    poll_path="/api/v1/veo/get-1080p-video",
    final=_1080p_answer,
    of_parent=True,
)
