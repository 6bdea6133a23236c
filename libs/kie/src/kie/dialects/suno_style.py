"""Suno style: answered at once, never called back. Its flag was recorded in Chinese."""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Texts, Word
from kie.dialects.suno_music import FAILURES
from kie.paths import has

_SUCCESS_IN_CHINESE = "成功"


def _recognise(root: dict[str, Json]) -> str | None:
    return "suno_style" if has(root, "data.creditsRemaining") else None


_FACTS = Facts(
    media=(Texts("data.result"),),
    word_at="data.successFlag",
    words={_SUCCESS_IN_CHINESE: Word.DONE, "SUCCESS": Word.DONE, "1": Word.DONE},
    word_required=True,
)

DIALECT = Dialect(
    families=("suno_style",),
    callback=_FACTS,
    poll=_FACTS,
    recognise_poll=_recognise,
    failures=FAILURES,
)
