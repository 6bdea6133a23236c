"""Suno style: answered at once, never called back. Its flag was recorded in Chinese."""

from kie.dialects.base import Dialect, Facts, Sign, Texts, Word
from kie.dialects.suno_music import FAILURES

_SUCCESS_IN_CHINESE = "成功"


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
    poll_signs=(Sign(path="data.creditsRemaining"),),
    failures=FAILURES,
)
