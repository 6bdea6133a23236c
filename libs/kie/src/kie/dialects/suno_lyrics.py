"""Suno lyrics: the result is text. A failure also says `complete`; only the code tells."""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Texts, Word
from kie.dialects.suno_music import FAILURES, STAGES, STATUSES
from kie.paths import at, leaves


def _recognise_callback(root: dict[str, Json]) -> str | None:
    written = any(isinstance(text, str) for text in leaves(root, "data.data[].text"))
    return "suno_lyrics" if written else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    return "suno_lyrics" if at(root, "data.type") == "LYRICS" else None


DIALECT = Dialect(
    families=("suno_lyrics",),
    callback=Facts(
        media=(Texts("data.data[].text"),),
        word_at="data.callbackType",
        words=STAGES,
        code_outranks_word=True,
    ),
    poll=Facts(
        media=(Texts("data.response.data[].text"),),
        word_at="data.status",
        words={**STATUSES, "GENERATE_LYRICS_FAILED": Word.FAILED},
        words_have_remarks=True,
        word_required=True,
    ),
    recognise_callback=_recognise_callback,
    recognise_poll=_recognise_poll,
    failures=FAILURES,
)
