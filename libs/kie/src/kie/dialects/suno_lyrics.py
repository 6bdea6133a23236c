"""Suno lyrics: the result is text. A failure also says `complete`; only the code tells."""

from kie.dialects.base import Dialect, Facts, Sign, Texts, Word
from kie.dialects.suno_music import FAILURES, STAGES, STATUSES

NAME = "lyrics.txt"

DIALECT = Dialect(
    families=("suno_lyrics",),
    callback=Facts(
        media=(Texts("data.data[].text", NAME),),
        word_at="data.callbackType",
        words=STAGES,
        code_outranks_word=True,
    ),
    poll=Facts(
        media=(Texts("data.response.data[].text", NAME),),
        word_at="data.status",
        words={**STATUSES, "GENERATE_LYRICS_FAILED": Word.FAILED},
        words_have_remarks=True,
        word_required=True,
    ),
    callback_signs=(Sign(path="data.data[].text", is_text=True),),
    poll_signs=(
        Sign(path="data.type", words=frozenset({"LYRICS"})),
        Sign(path="data.response.data[].text", is_text=True),
    ),
    failures=FAILURES,
)
