"""Suno voices: validate yields a phrase, generate yields a voice id.

The same word `wait_validating` ends the first and is only a stage of the second.
"""

from kie.dialects.base import Dialect, Facts, Sign, Texts, Word
from kie.dialects.suno_music import FAILURES

_GENERATE_WORDS = {
    "wait_processing": Word.RUNNING,
    "processing_validate": Word.RUNNING,
    "wait_validating": Word.RUNNING,
    "processing_validate_fail": Word.FAILED,
    "fail": Word.FAILED,
    "success": Word.DONE,
}
_VALIDATE_WORDS = {**_GENERATE_WORDS, "wait_validating": Word.DONE}
_PHRASE = (Sign(path="data.validateInfo"),)
_VOICE = (Sign(path="data.voiceId"),)


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
    callback_signs=_PHRASE,
    poll_signs=_PHRASE,
    failures=FAILURES,
)

GENERATE = Dialect(
    families=("suno_voice_generate",),
    callback=_facts("data.voiceId", _GENERATE_WORDS, word_required=False),
    poll=_facts("data.voiceId", _GENERATE_WORDS, word_required=True),
    callback_signs=_VOICE,
    poll_signs=_VOICE,
    failures=FAILURES,
)
