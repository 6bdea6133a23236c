"""What KIE's callbacks look like, a success and a failure of every family that calls back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from testkit.kie import SAMPLES, Plan, State
from testkit.kie.families import FAMILIES, Family
from testkit.kie.media import Medium
from testkit.kie.tasks import Task
from testkit.kie.wire import JsonObject, envelope, success

# Under .invalid nothing is ever found: nobody can fetch what a probe only tells of.
MEDIA: Final = "https://check.invalid"
CREATED, ENDED = 1_700_000_000.0, 1_700_000_030.0
FAILURE: Final = "Your prompt was flagged as violating content policies."

# By the group a person knows them under.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "market": ("market",),
    "veo": ("veo", "veo_extend", "veo_4k"),
    "suno music": (
        "suno_music",
        "suno_extend",
        "suno_upload_cover",
        "suno_upload_extend",
        "suno_add_instrumental",
        "suno_add_vocals",
        "suno_replace_section",
        "suno_mashup",
        "suno_sounds",
    ),
    "suno lyrics": ("suno_lyrics",),
    "suno files": (
        "suno_wav",
        "suno_mp4",
        "suno_vocal_removal",
        "suno_midi",
        "suno_cover_image",
    ),
    "suno voice": ("suno_voice_validate", "suno_voice_regenerate", "suno_voice_generate"),
    "4o and flux": ("gpt4o_image", "flux_kontext"),
    "runway": ("runway", "runway_extend", "aleph"),
    "retired": ("luma_modify", "midjourney"),
}
_PLAYED: Final = {family.name: family for family in FAMILIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One callback, and the links a reader must find in it."""

    body: JsonObject
    links: tuple[str, ...] = ()


def done(family: str, task_id: str) -> Spoken:
    """Return the callback of a task that succeeded."""
    if family not in _PLAYED:
        link = f"{MEDIA}/{task_id}.mp4"
        return Spoken(body=success({"taskId": task_id, "resultUrls": [link]}), links=(link,))
    task = _task(_PLAYED[family], task_id, fails=False)
    links = () if task.medium is Medium.TEXT else task.media_urls
    return Spoken(body=task.family.final(task), links=links)


def failed(family: str, task_id: str) -> Spoken:
    """Return the callback of a task that failed."""
    if family not in _PLAYED:
        body = envelope(400, FAILURE, {"taskId": task_id, "resultUrls": None})
        return Spoken(body=body)
    task = _task(_PLAYED[family], task_id, fails=True)
    return Spoken(body=task.family.final(task))


def running(task_id: str) -> JsonObject:
    """Return a callback that tells of progress."""
    return success({"taskId": task_id, "state": "generating", "progress": 45})


def unheard_of(task_id: str) -> JsonObject:
    """Return a callback whose state nobody has ever documented."""
    return success({"taskId": task_id, "state": "dreaming"})


def lyrics(task_id: str) -> tuple[JsonObject, str]:
    """Return the callback of a text that needs no link, and the text."""
    line = f"The lines of {task_id}"
    told = [{"text": line, "title": "Check", "status": "complete", "errorMessage": ""}]
    return success({"callbackType": "complete", "task_id": task_id, "data": told}), line


def _task(family: Family, task_id: str, *, fails: bool) -> Task:
    wanted = SAMPLES[family.name]
    request = {"model": wanted.model, **wanted.given(parent=f"parent-of-{task_id}")}
    return Task(
        task_id=task_id,
        key=task_id,
        account="check",
        family=family,
        request=request,
        plan=Plan(fails=fails, fail_message=FAILURE),
        seconds=ENDED - CREATED,
        medium=family.medium(request),
        outputs=family.usual_outputs,
        media_base=MEDIA,
        created_at=CREATED,
        ended_at=ENDED,
        state=State.FAILED if fails else State.SUCCEEDED,
    )
