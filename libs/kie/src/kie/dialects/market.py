"""Market: the unified jobs API. `data.state` decides, the result is JSON in a string."""

from kie.dialects.base import Dialect, Facts, Links, Sign, Whole, Word

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
_SIGNS = tuple(Sign(path=mark) for mark in _MARKS)

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
    callback_signs=_SIGNS,
    poll_signs=_SIGNS,
)
