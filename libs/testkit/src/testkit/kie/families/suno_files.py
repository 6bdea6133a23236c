"""What Suno makes of a finished song: WAV, stems, MIDI, a video, covers."""

from testkit.kie.families.family import Family, always
from testkit.kie.families.suno import file_flag
from testkit.kie.media import Medium
from testkit.kie.tasks import State, Task
from testkit.kie.wire import OK, Json, JsonObject, clock_text, envelope, millis, success

FLAGS = {State.SUCCEEDED: 1, State.FAILED: 3}
STEMS = ("vocal", "instrumental")


def instruments(task: Task) -> list[Json]:
    """The notes of a song; no two songs have the same."""
    note = {"pitch": 40 + int(task.task_id[:2], 16) % 48, "start": 0.5, "end": 1, "velocity": 1}
    return [{"name": f"Drums {task.task_id[:8]}", "notes": [note]}]


def _url(task: Task) -> str | None:
    return task.media_urls[0] if task.media_urls else None


def _told(task: Task, message: str, answer: JsonObject) -> JsonObject:
    if task.state is State.FAILED:
        return envelope(task.plan.fail_code, task.plan.fail_message, answer)
    return envelope(OK, message, answer)


def _record_of(task: Task, *, flag: Json, response: Json) -> dict[str, Json]:
    failed = task.state is State.FAILED
    return {
        "taskId": task.task_id,
        "musicId": task.request.get("audioId"),
        "callbackUrl": task.callback_url,
        "completeTime": clock_text(task.ended_at),
        "response": response if task.media_urls else None,
        "successFlag": flag,
        "createTime": clock_text(task.created_at),
        "errorCode": task.plan.fail_code if failed else None,
        "errorMessage": task.plan.fail_message if failed else None,
    }


def _wav_final(task: Task) -> JsonObject:
    return _told(task, "success", {"audioWavUrl": _url(task), "task_id": task.task_id})


def _wav_record(task: Task) -> JsonObject:
    flag = file_flag(task, failed="GENERATE_WAV_FAILED")
    return _record_of(task, flag=flag, response={"audioWavUrl": _url(task)})


def _mp4_final(task: Task) -> JsonObject:
    return _told(
        task, "MP4 generated successfully.", {"task_id": task.task_id, "video_url": _url(task)}
    )


def _mp4_record(task: Task) -> JsonObject:
    flag = file_flag(task, failed="GENERATE_MP4_FAILED")
    record = _record_of(task, flag=flag, response={"videoUrl": _url(task)})
    return {**record, "musicIndex": 0}


def _stems_final(task: Task) -> JsonObject:
    parts: dict[str, Json] = {"origin_url": ""}
    parts |= {f"{stem}_url": url for stem, url in zip(STEMS, task.media_urls, strict=False)}
    answer: JsonObject = {
        "task_id": task.task_id,
        "vocal_separation_info": parts if task.media_urls else None,
    }
    return _told(task, "vocal separation generated successfully.", answer)


def _stems_record(task: Task) -> JsonObject:
    parts: dict[str, Json] = {"originUrl": None, "drumsUrl": None}
    parts |= {f"{stem}Url": url for stem, url in zip(STEMS, task.media_urls, strict=False)}
    flag = file_flag(task, failed="GENERATE_AUDIO_FAILED")
    return _record_of(task, flag=flag, response=parts)


def _midi_final(task: Task) -> JsonObject:
    if task.state is State.FAILED:
        return _told(task, "", {"taskId": task.task_id})
    answer: JsonObject = {"state": "complete", "instruments": instruments(task)}
    # One page puts the task id beside `data`, the other into it.
    return {**_told(task, "success", answer), "task_id": task.task_id}


def _midi_record(task: Task) -> JsonObject:
    record = _record_of(task, flag=FLAGS.get(task.state, 0), response=None)
    notes: Json = {"state": "complete", "instruments": instruments(task)}
    return {
        **record,
        "recordTaskId": -1,
        "completeTime": millis(task.ended_at),
        "midiData": notes if task.media_urls else None,
    }


def _cover_final(task: Task) -> JsonObject:
    return _told(task, "success", {"images": task.media_urls or None, "taskId": task.task_id})


def _cover_record(task: Task) -> JsonObject:
    # Here 2 is "generating", elsewhere a failure.
    flag = {State.GENERATING: 2, **FLAGS}.get(task.state, 0)
    return _record_of(task, flag=flag, response={"images": task.media_urls})


SUNO_WAV = Family(
    name="suno_wav",
    create_path="/api/v1/wav/generate",
    poll_path="/api/v1/wav/record-info",
    medium=always(Medium.WAV),
    final=_wav_final,
    record=_wav_record,
    unknown=success(None),
    requires=("taskId",),
    requires_callback_url=True,
    most_outputs=1,
)
SUNO_MP4 = Family(
    name="suno_mp4",
    create_path="/api/v1/mp4/generate",
    poll_path="/api/v1/mp4/record-info",
    medium=always(Medium.VIDEO),
    final=_mp4_final,
    record=_mp4_record,
    unknown=success(None),
    requires=("taskId",),
    requires_callback_url=True,
    most_outputs=1,
)
SUNO_STEMS = Family(
    name="suno_vocal_removal",
    create_path="/api/v1/vocal-removal/generate",
    poll_path="/api/v1/vocal-removal/record-info",
    medium=always(Medium.AUDIO),
    final=_stems_final,
    record=_stems_record,
    unknown=success(None),
    requires=("taskId",),
    requires_callback_url=True,
    usual_outputs=len(STEMS),
    most_outputs=len(STEMS),
)
SUNO_MIDI = Family(
    name="suno_midi",
    create_path="/api/v1/midi/generate",
    poll_path="/api/v1/midi/record-info",
    medium=always(Medium.TEXT),
    final=_midi_final,
    record=_midi_record,
    unknown=success(None),
    requires=("taskId",),
    requires_callback_url=True,
    most_outputs=1,
)
SUNO_COVER_IMAGE = Family(
    name="suno_cover_image",
    create_path="/api/v1/suno/cover/generate",
    poll_path="/api/v1/suno/cover/record-info",
    medium=always(Medium.PNG),
    final=_cover_final,
    record=_cover_record,
    unknown=success(None),
    requires=("taskId",),
    usual_outputs=2,
    most_outputs=2,
)
SUNO_FILES = (SUNO_WAV, SUNO_MP4, SUNO_STEMS, SUNO_MIDI, SUNO_COVER_IMAGE)
