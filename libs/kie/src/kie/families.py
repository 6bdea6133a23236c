"""Where each family is created and polled, and how its request is written. One line a family."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kie.body import Json

Input = Mapping[str, Json]
Writer = Callable[[str | None, Input, str | None], dict[str, Json]]


def _nested(model: str | None, given: Input, callback_url: str | None) -> dict[str, Json]:
    return _with({"model": model, "input": dict(given)}, {"callBackUrl": callback_url})


def _flat(model: str | None, given: Input, callback_url: str | None) -> dict[str, Json]:
    return _with(dict(given), {"model": model, "callBackUrl": callback_url})


def _flat_misspelt(model: str | None, given: Input, callback_url: str | None) -> dict[str, Json]:
    # KIE's own spelling on this one endpoint.
    return _with(dict(given), {"model": model, "calBackUrl": callback_url})


def _with(body: dict[str, Json], more: dict[str, str | None]) -> dict[str, Json]:
    return body | {key: value for key, value in more.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Family:
    """The endpoints of one family; an endpoint KIE does not have is None."""

    create_path: str | None
    poll_path: str | None
    write: Writer = _flat


_VEO = "/api/v1/veo/record-info"
_SUNO = "/api/v1/generate/record-info"
_RUNWAY = "/api/v1/runway/record-detail"
_VALIDATE = "/api/v1/voice/validate-info"

FAMILIES: Mapping[str, Family] = {
    "market": Family("/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo", _nested),
    "veo": Family("/api/v1/veo/generate", _VEO),
    "veo_extend": Family("/api/v1/veo/extend", _VEO),
    # A 4K task answers under its parent's id: polling that would read the parent's video.
    "veo_4k": Family("/api/v1/veo/get-4k-video", None),
    "veo_1080p": Family(None, "/api/v1/veo/get-1080p-video"),
    "suno_music": Family("/api/v1/generate", _SUNO),
    "suno_extend": Family("/api/v1/generate/extend", _SUNO),
    "suno_upload_cover": Family("/api/v1/generate/upload-cover", _SUNO),
    "suno_upload_extend": Family("/api/v1/generate/upload-extend", _SUNO),
    "suno_add_instrumental": Family("/api/v1/generate/add-instrumental", _SUNO),
    "suno_add_vocals": Family("/api/v1/generate/add-vocals", _SUNO),
    "suno_replace_section": Family("/api/v1/generate/replace-section", _SUNO),
    "suno_mashup": Family("/api/v1/generate/mashup", _SUNO),
    "suno_sounds": Family("/api/v1/generate/sounds", _SUNO),
    "suno_lyrics": Family("/api/v1/lyrics", "/api/v1/lyrics/record-info"),
    "suno_wav": Family("/api/v1/wav/generate", "/api/v1/wav/record-info"),
    "suno_vocal_removal": Family(
        "/api/v1/vocal-removal/generate", "/api/v1/vocal-removal/record-info"
    ),
    "suno_midi": Family("/api/v1/midi/generate", "/api/v1/midi/record-info"),
    "suno_mp4": Family("/api/v1/mp4/generate", "/api/v1/mp4/record-info"),
    "suno_cover_image": Family("/api/v1/suno/cover/generate", "/api/v1/suno/cover/record-info"),
    "suno_voice_validate": Family("/api/v1/voice/validate", _VALIDATE),
    "suno_voice_regenerate": Family("/api/v1/voice/regenerate", _VALIDATE, _flat_misspelt),
    "suno_voice_generate": Family("/api/v1/voice/generate", "/api/v1/voice/record-info"),
    "gpt4o_image": Family("/api/v1/gpt4o-image/generate", "/api/v1/gpt4o-image/record-info"),
    "flux_kontext": Family("/api/v1/flux/kontext/generate", "/api/v1/flux/kontext/record-info"),
    "runway": Family("/api/v1/runway/generate", _RUNWAY),
    "runway_extend": Family("/api/v1/runway/extend", _RUNWAY),
    "aleph": Family("/api/v1/aleph/generate", "/api/v1/aleph/record-info"),
    "luma_modify": Family("/api/v1/modify/generate", "/api/v1/modify/record-info"),
    "midjourney": Family("/api/v1/mj/generate", "/api/v1/mj/record-info"),
}
