"""Veo: results in `data.info` of the callback, in `data.response` of the poll."""

from dataclasses import replace

from testkit.kie.families.family import NO_RECORD, Family, always
from testkit.kie.media import Medium
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, clock_text, compact, envelope

RESOLUTION = "720p"


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
VEO_EXTEND = replace(VEO, name="veo_extend", create_path="/api/v1/veo/extend")
