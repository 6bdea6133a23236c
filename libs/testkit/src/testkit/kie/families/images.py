"""4o image and Flux Kontext: two image families with their own names for the same things."""

from testkit.kie.families.family import NO_RECORD, Family, always
from testkit.kie.media import Medium
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, clock_text, compact, envelope, iso_text


def _record_of(task: Task, response: Json) -> dict[str, Json]:
    failed = task.state is State.FAILED
    return {
        "taskId": task.task_id,
        "paramJson": compact(task.request),
        "response": response if task.state is State.SUCCEEDED else None,
        "successFlag": {State.SUCCEEDED: 1, State.FAILED: 2}.get(task.state, 0),
        "errorCode": task.plan.fail_code if failed else None,
        "errorMessage": task.plan.fail_message if failed else None,
    }


def _gpt4o_final(task: Task) -> JsonObject:
    if task.state is State.FAILED:
        failed: JsonObject = {"taskId": task.task_id, "info": None}
        return envelope(task.plan.fail_code, task.plan.fail_message, failed)
    answer: JsonObject = {"taskId": task.task_id, "info": {"result_urls": task.media_urls}}
    return envelope(OK, "4o image generated successfully.", answer)


def _gpt4o_record(task: Task) -> JsonObject:
    status = {State.SUCCEEDED: "SUCCESS", State.FAILED: "GENERATE_FAILED"}
    return {
        **_record_of(task, {"result_urls": task.media_urls}),
        "status": status.get(task.state, "GENERATING"),
        "progress": "1.00" if task.ended else "0.50",
        "completeTime": clock_text(task.ended_at),
        "createTime": clock_text(task.created_at),
    }


def _flux_urls(task: Task) -> JsonObject:
    first = task.media_urls[0] if task.media_urls else ""
    return {"originImageUrl": first, "resultImageUrl": first}


def _flux_final(task: Task) -> JsonObject:
    # A failure keeps `info`, its strings are empty.
    answer: JsonObject = {"taskId": task.task_id, "info": _flux_urls(task)}
    if task.state is State.FAILED:
        return envelope(task.plan.fail_code, task.plan.fail_message, answer)
    return envelope(OK, "BFL image generated successfully.", answer)


def _flux_record(task: Task) -> JsonObject:
    return {
        **_record_of(task, _flux_urls(task)),
        "completeTime": iso_text(task.ended_at),
        "createTime": iso_text(task.created_at),
    }


GPT4O_IMAGE = Family(
    name="gpt4o_image",
    create_path="/api/v1/gpt4o-image/generate",
    poll_path="/api/v1/gpt4o-image/record-info",
    medium=always(Medium.PNG),
    final=_gpt4o_final,
    record=_gpt4o_record,
    unknown=NO_RECORD,
)
FLUX_KONTEXT = Family(
    name="flux_kontext",
    create_path="/api/v1/flux/kontext/generate",
    poll_path="/api/v1/flux/kontext/record-info",
    medium=always(Medium.JPEG),
    final=_flux_final,
    record=_flux_record,
    unknown=NO_RECORD,
    most_outputs=1,
)
