"""Everything KIE can be asked for, one row an operation.

A row is found by family and operation (`veo`, `extend`), or by the name of its dialect and the
operation `generate` (`veo_extend`, `generate`).
"""

from collections.abc import Iterator, Mapping

from kie.creation import Unfit
from kie.endpoints import GENERATE, Endpoint, Input

__all__ = ["ENDPOINTS", "FAMILIES", "GENERATE", "Endpoint", "Input", "find"]

_VEO = "/api/v1/veo/record-info"
_RUNWAY = "/api/v1/runway/record-detail"
_VALIDATE = "/api/v1/voice/validate-info"


def _song(operation: str, *, needs_callback: bool = True, takes_model: bool = True) -> Endpoint:
    """One more way to make music: its own page, polled as all music is."""
    return Endpoint(
        name=f"suno_{operation}",
        family="suno",
        operation=operation,
        create_path=f"/api/v1/generate/{operation.replace('_', '-')}",
        poll_path="/api/v1/generate/record-info",
        needs_callback=needs_callback,
        takes_model=takes_model,
    )


def _suno(operation: str, create: str, poll: str, *, needs_callback: bool = False) -> Endpoint:
    """An operation on or beside a song, under `/api/v1`; it takes no model."""
    return Endpoint(
        name=f"suno_{operation}",
        family="suno",
        operation=operation,
        create_path=f"/api/v1/{create}",
        poll_path=f"/api/v1/{poll}",
        takes_model=False,
        needs_callback=needs_callback,
    )


def _no_task(family: str, operation: str) -> Endpoint:
    return Endpoint(
        name=f"{family}_{operation}", family=family, operation=operation, kind="synchronous"
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    # Six Market pages list no callBackUrl; the address is one for all models, so it is sent.
    Endpoint(
        name="market",
        family="market",
        create_path="/api/v1/jobs/createTask",
        poll_path="/api/v1/jobs/recordInfo",
        nested=True,
    ),
    Endpoint(name="veo", family="veo", create_path="/api/v1/veo/generate", poll_path=_VEO),
    Endpoint(
        name="veo_extend",
        family="veo",
        operation="extend",
        create_path="/api/v1/veo/extend",
        poll_path=_VEO,
    ),
    Endpoint(
        name="veo_4k",
        family="veo",
        operation="4k",
        create_path="/api/v1/veo/get-4k-video",
        poll_path=_VEO,
        takes_model=False,
    ),
    # Nothing is created and nobody calls back: the parent's id is the task, polling makes it.
    Endpoint(
        name="veo_1080p",
        family="veo",
        operation="1080p",
        kind="asked_for",
        poll_path="/api/v1/veo/get-1080p-video",
    ),
    Endpoint(
        name="suno_music",
        family="suno",
        create_path="/api/v1/generate",
        poll_path="/api/v1/generate/record-info",
        needs_callback=True,
    ),
    _song("extend"),
    _song("upload_cover"),
    _song("upload_extend"),
    _song("add_instrumental"),
    _song("add_vocals"),
    _song("replace_section", needs_callback=False, takes_model=False),
    _song("mashup"),
    _song("sounds", needs_callback=False),
    _suno("lyrics", "lyrics", "lyrics/record-info"),
    _suno("wav", "wav/generate", "wav/record-info", needs_callback=True),
    _suno(
        "vocal_removal",
        "vocal-removal/generate",
        "vocal-removal/record-info",
        needs_callback=True,
    ),
    _suno("midi", "midi/generate", "midi/record-info", needs_callback=True),
    _suno("mp4", "mp4/generate", "mp4/record-info", needs_callback=True),
    _suno("cover_image", "suno/cover/generate", "suno/cover/record-info"),
    _suno("voice_validate", "voice/validate", "voice/validate-info"),
    Endpoint(
        name="suno_voice_regenerate",
        family="suno",
        operation="voice_regenerate",
        create_path="/api/v1/voice/regenerate",
        poll_path=_VALIDATE,
        takes_model=False,
        callback_key="calBackUrl",  # KIE's own spelling on this one page
        needs_callback=True,
    ),
    _suno("voice_generate", "voice/generate", "voice/record-info"),
    Endpoint(
        name="gpt4o_image",
        family="gpt4o_image",
        create_path="/api/v1/gpt4o-image/generate",
        poll_path="/api/v1/gpt4o-image/record-info",
        takes_model=False,
    ),
    Endpoint(
        name="flux_kontext",
        family="flux_kontext",
        create_path="/api/v1/flux/kontext/generate",
        poll_path="/api/v1/flux/kontext/record-info",
    ),
    Endpoint(
        name="runway",
        family="runway",
        create_path="/api/v1/runway/generate",
        poll_path=_RUNWAY,
        takes_model=False,
    ),
    Endpoint(
        name="runway_extend",
        family="runway",
        operation="extend",
        create_path="/api/v1/runway/extend",
        poll_path=_RUNWAY,
        takes_model=False,
    ),
    Endpoint(
        name="aleph",
        family="aleph",
        create_path="/api/v1/aleph/generate",
        poll_path="/api/v1/aleph/record-info",
        takes_model=False,
    ),
    # Tasks made before their end are still read and polled.
    Endpoint(
        name="luma_modify",
        family="luma_modify",
        kind="retired",
        poll_path="/api/v1/modify/record-info",
    ),
    Endpoint(
        name="midjourney",
        family="midjourney",
        kind="retired",
        poll_path="/api/v1/mj/record-info",
    ),
    _no_task("suno", "style"),
    _no_task("suno", "persona"),
    _no_task("suno", "timestamped_lyrics"),
    _no_task("suno", "check_voice"),
    _no_task("omni", "audio"),
    _no_task("omni", "character"),
)

FAMILIES: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in ENDPOINTS}

# The dialect of music names the whole family in callbacks.
_OTHER_NAMES = {"suno_music": "suno"}


def _pairs() -> Iterator[tuple[tuple[str, str], Endpoint]]:
    for endpoint in ENDPOINTS:
        yield (endpoint.name, GENERATE), endpoint
        yield (endpoint.family, endpoint.operation), endpoint


_BY_PAIR = dict(_pairs())


def find(family: str, operation: str = GENERATE) -> Endpoint | Unfit:
    """Return the row of an operation, or say that KIE has none."""
    general = _OTHER_NAMES.get(family, family)
    found = _BY_PAIR.get((family, operation)) or _BY_PAIR.get((general, operation))
    if found is not None:
        return found
    known = sorted(endpoint.operation for endpoint in ENDPOINTS if endpoint.family == general)
    if not known:
        return Unfit("unknown_family", f"KIE has no family {family[:100]}")
    has = ", ".join(known)
    return Unfit("unknown_operation", f"{family} has no operation {operation[:100]}; it has {has}")
