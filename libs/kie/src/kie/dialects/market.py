"""Market: the unified jobs API. `data.state` decides, the result is JSON in a string."""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Links, Whole, Word
from kie.paths import has

_RESULT = "data.resultJson"
# `resultJson` is an object, a bare array of links, or one link, each possibly as a string.
_MEDIA = (Links(f"{_RESULT}.resultUrls"), Links(_RESULT))
_OBJECT = (Whole(f"{_RESULT}.resultObject", "text"),)
_IGNORED = (
    f"{_RESULT}.resultWaterMarkUrls",
    f"{_RESULT}.firstFrameUrl",
    f"{_RESULT}.lastFrameUrl",
)
_WORDS = {
    "waiting": Word.RUNNING,
    "queuing": Word.RUNNING,
    "generating": Word.RUNNING,
    "success": Word.DONE,
    "fail": Word.FAILED,
}
_MARKS = ("data.resultJson", "data.model", "data.failCode", "data.state")


def _recognise(root: dict[str, Json]) -> str | None:
    return "market" if any(has(root, mark) for mark in _MARKS) else None


_FACTS = Facts(
    media=_MEDIA,
    media_instead=_OBJECT,
    ignored=_IGNORED,
    word_at="data.state",
    words=_WORDS,
    word_required=True,
    progress_at="data.progress",
    progress_whole=100.0,
)

DIALECT = Dialect(
    families=("market",),
    callback=_FACTS,
    poll=_FACTS,
    recognise_callback=_recognise,
    recognise_poll=_recognise,
)
