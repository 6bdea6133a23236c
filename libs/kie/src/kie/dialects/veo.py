"""Veo 3.1 and its variants: extend, 4K, 1080p. Links stand in `info`, as a list or as JSON text."""

from dataclasses import replace

from contracts.values import FailureClass
from kie.dialects.base import FLAGS, Dialect, Facts, Links, Sign

_CALLBACK = Facts(
    media=(Links("data.info.resultUrls", "video"),),
    # The stitched whole of an extended video; the new clip alone is the result where there is one.
    media_instead=(Links("data.info.fullResultUrls", "video"),),
    ignored=("data.info.originUrls", "data.info.fullResultUrls", "data.info.imageUrls"),
)
_POLL = Facts(
    media=(Links("data.response.resultUrls", "video"),),
    media_instead=(Links("data.response.fullResultUrls", "video"),),
    ignored=("data.response.originUrls", "data.response.fullResultUrls"),
    word_at="data.successFlag",
    words=FLAGS,
    word_required=True,
)
# 422: the fallback model failed too.
_FAILURES = {"422": FailureClass.PROVIDER_ERROR}

DIALECT = Dialect(
    families=("veo", "veo_extend"),
    callback=_CALLBACK,
    poll=_POLL,
    callback_signs=(
        Sign(path="data.info.fullResultUrls", family="veo_extend"),
        Sign(path="data.info.resultUrls"),
        Sign(path="data.fallbackFlag"),
    ),
    poll_signs=(Sign(path="data.fallbackFlag"),),
    failures=_FAILURES,
)

DIALECT_4K = Dialect(
    families=("veo_4k",),
    callback=_CALLBACK,
    # A 4K task may answer under its parent's id, and the parent's record is no 4K video.
    poll=replace(_POLL, own_marks=("data.mediaIds", "data.response.mediaIds")),
    callback_signs=(Sign(path="data.info.imageUrls"),),
    poll_signs=(Sign(path="data.mediaIds"), Sign(path="data.response.mediaIds")),
    failures=_FAILURES,
)

_LINK_1080P = Facts(
    media=(Links("data.resultUrl", "video"),),
    # "1080P is processing. It should be ready in 1-2 minutes."
    pending_codes=frozenset({400}),
    result_required=True,
)

DIALECT_1080P = Dialect(
    families=("veo_1080p",),
    callback=_LINK_1080P,
    poll=_LINK_1080P,
    poll_signs=(Sign(path="data.resultUrl"),),
    failures=_FAILURES,
)
