"""Veo 3.1 and its variants: extend, 4K, 1080p. Links stand in `info`, as a list or as JSON text."""

from kie.body import Json
from kie.dialects.base import FLAGS, Dialect, Facts, Links
from kie.failure import FailureClass
from kie.paths import has

_CALLBACK = Facts(
    media=(Links("data.info.resultUrls", "video"),),
    ignored=("data.info.originUrls", "data.info.fullResultUrls", "data.info.imageUrls"),
)
_POLL = Facts(
    media=(Links("data.response.resultUrls", "video"),),
    ignored=("data.response.originUrls", "data.response.fullResultUrls"),
    word_at="data.successFlag",
    words=FLAGS,
    word_required=True,
)
# 422: the fallback model failed too.
_FAILURES = {"422": FailureClass.PROVIDER_ERROR}


def _recognise_callback(root: dict[str, Json]) -> str | None:
    if has(root, "data.info.imageUrls"):
        return "veo_4k"
    if has(root, "data.info.fullResultUrls"):
        return "veo_extend"
    if has(root, "data.info.resultUrls") or has(root, "data.fallbackFlag"):
        return "veo"
    return None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    return "veo" if has(root, "data.fallbackFlag") else None


def _recognise_1080p(root: dict[str, Json]) -> str | None:
    return "veo_1080p" if has(root, "data.resultUrl") else None


DIALECT = Dialect(
    families=("veo", "veo_extend", "veo_4k"),
    callback=_CALLBACK,
    poll=_POLL,
    recognise_callback=_recognise_callback,
    recognise_poll=_recognise_poll,
    failures=_FAILURES,
)

_LINK_1080P = Facts(
    media=(Links("data.resultUrl", "video"),),
    # "1080P is processing. It should be ready in 1-2 minutes."
    pending_codes=frozenset({400}),
)

DIALECT_1080P = Dialect(
    families=("veo_1080p",),
    callback=_LINK_1080P,
    poll=_LINK_1080P,
    recognise_poll=_recognise_1080p,
    failures=_FAILURES,
)
