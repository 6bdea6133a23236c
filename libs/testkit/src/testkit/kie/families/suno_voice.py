"""Suno voices: a phrase to record, then a voice made of the recording."""

from dataclasses import replace

from testkit.kie.families.family import Family, always
from testkit.kie.media import Medium, lyrics
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, envelope, success


def phrase(task: Task) -> str:
    """What the user is asked to sing."""
    return lyrics(f"{task.key}/1")


def voice_id(task: Task) -> str:
    """The id of a finished voice."""
    return f"voice_{task.task_id[:12]}"


def _record_of(task: Task, key: str, value: str, words: dict[State, str]) -> dict[str, Json]:
    failed = task.state is State.FAILED
    return {
        "taskId": task.task_id,
        key: value if task.media_urls else "",
        "status": words[task.state],
        "errorCode": task.plan.fail_code if failed else 0,
        "errorMessage": task.plan.fail_message if failed else "",
    }


PHRASE_WORDS = {
    State.WAITING: "wait_processing",
    State.GENERATING: "processing_validate",
    State.SUCCEEDED: "wait_validating",
    State.FAILED: "processing_validate_fail",
}
VOICE_WORDS = {
    State.WAITING: "wait_processing",
    # Of a voice this is a stage, of a phrase it is the end.
    State.GENERATING: "wait_validating",
    State.SUCCEEDED: "success",
    State.FAILED: "fail",
}


def _phrase_record(task: Task) -> JsonObject:
    return _record_of(task, "validateInfo", phrase(task), PHRASE_WORDS)


def _voice_record(task: Task) -> JsonObject:
    return _record_of(task, "voiceId", voice_id(task), VOICE_WORDS)


def _told(task: Task, record: JsonObject, what: str) -> JsonObject:
    if task.state is State.FAILED:
        return envelope(task.plan.fail_code, f"{what} failed", record)
    return envelope(OK, "success", record)


def _phrase_final(task: Task) -> JsonObject:
    return _told(task, _phrase_record(task), "Validation phrase generation")


def _voice_final(task: Task) -> JsonObject:
    return _told(task, _voice_record(task), "Voice generation")


SUNO_VOICE_VALIDATE = Family(
    name="suno_voice_validate",
    create_path="/api/v1/voice/validate",
    poll_path="/api/v1/voice/validate-info",
    medium=always(Medium.TEXT),
    final=_phrase_final,
    record=_phrase_record,
    unknown=success(None),
    most_outputs=1,
)
SUNO_VOICE_REGENERATE = replace(
    SUNO_VOICE_VALIDATE,
    name="suno_voice_regenerate",
    create_path="/api/v1/voice/regenerate",
    callback_key="calBackUrl",
    requires=("taskId",),
    requires_callback_url=True,
)
SUNO_VOICE_GENERATE = Family(
    name="suno_voice_generate",
    create_path="/api/v1/voice/generate",
    poll_path="/api/v1/voice/record-info",
    medium=always(Medium.TEXT),
    final=_voice_final,
    record=_voice_record,
    unknown=success(None),
    requires=("taskId",),
    most_outputs=1,
)
SUNO_VOICES = (SUNO_VOICE_VALIDATE, SUNO_VOICE_REGENERATE, SUNO_VOICE_GENERATE)
