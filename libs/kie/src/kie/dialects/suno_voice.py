"""Suno voices: validate yields a phrase, generate yields a voice id.

The same word `wait_validating` ends the first and is only a stage of the second.
"""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Texts, Word
from kie.dialects.suno_music import FAILURES
from kie.paths import has

_GENERATE_WORDS = {
    "wait_processing": Word.RUNNING,
    "processing_validate": Word.RUNNING,
    "wait_validating": Word.RUNNING,
    "processing_validate_fail": Word.FAILED,
    "fail": Word.FAILED,
    "success": Word.DONE,
}
_VALIDATE_WORDS = {**_GENERATE_WORDS, "wait_validating": Word.DONE}


def _recognise_validate(root: dict[str, Json]) -> str | None:
    return "suno_voice_validate" if has(root, "data.validateInfo") else None


def _recognise_generate(root: dict[str, Json]) -> str | None:
    return "suno_voice_generate" if has(root, "data.voiceId") else None


def _facts(result_at: str, words: dict[str, Word], *, word_required: bool) -> Facts:
    return Facts(
        media=(Texts(result_at),),
        word_at="data.status",
        words=words,
        word_required=word_required,
    )


VALIDATE = Dialect(
    families=("suno_voice_validate", "suno_voice_regenerate"),
    callback=_facts("data.validateInfo", _VALIDATE_WORDS, word_required=False),
    poll=_facts("data.validateInfo", _VALIDATE_WORDS, word_required=True),
    recognise_callback=_recognise_validate,
    recognise_poll=_recognise_validate,
    failures=FAILURES,
)

GENERATE = Dialect(
    families=("suno_voice_generate",),
    callback=_facts("data.voiceId", _GENERATE_WORDS, word_required=False),
    poll=_facts("data.voiceId", _GENERATE_WORDS, word_required=True),
    recognise_callback=_recognise_generate,
    recognise_poll=_recognise_generate,
    failures=FAILURES,
)
