"""Suno music in all its ways of making. Several callbacks a task; the code outranks the stage."""

from contracts.values import FailureClass
from kie.dialects.base import Dialect, Facts, Links, Sign, Word

# The word of the page on signed callbacks, which names no family.
TASK_COMPLETED = "task_completed"
STAGES = {
    "text": Word.RUNNING,
    "first": Word.RUNNING,
    "complete": Word.DONE,
    TASK_COMPLETED: Word.DONE,
    "error": Word.FAILED,
}
STATUSES = {
    "PENDING": Word.RUNNING,
    "TEXT_SUCCESS": Word.RUNNING,
    "FIRST_SUCCESS": Word.RUNNING,
    "SUCCESS": Word.DONE,
    "CREATE_TASK_FAILED": Word.FAILED,
    "GENERATE_AUDIO_FAILED": Word.FAILED,
    "SENSITIVE_WORD_ERROR": Word.FAILED,
    "CALLBACK_EXCEPTION": Word.UNDELIVERED,
}
FAILURES = {
    "SENSITIVE_WORD_ERROR": FailureClass.MODERATED,
    "409": FailureClass.BAD_INPUT,
    "413": FailureClass.COPYRIGHT,
}


DIALECT = Dialect(
    families=(
        "suno_music",
        "suno_extend",
        "suno_upload_cover",
        "suno_upload_extend",
        "suno_add_instrumental",
        "suno_add_vocals",
        "suno_replace_section",
        "suno_mashup",
        "suno_sounds",
    ),
    callback=Facts(
        media=(
            Links("data.data[].audio_url", "audio"),
            Links("data.data[].audioUrl", "audio"),
        ),
        ignored=(
            "data.data[].stream_audio_url",
            "data.data[].image_url",
            "data.data[].source_audio_url",
        ),
        word_at="data.callbackType",
        words=STAGES,
        word_required=True,
        code_outranks_word=True,
    ),
    poll=Facts(
        media=(
            Links("data.response.sunoData[].audioUrl", "audio"),
            Links("data.response.sunoData[].audio_url", "audio"),
        ),
        ignored=("data.response.sunoData[].streamAudioUrl", "data.response.sunoData[].imageUrl"),
        word_at="data.status",
        words=STATUSES,
        words_have_remarks=True,
        word_required=True,
    ),
    callback_signs=(Sign(path="data.callbackType", words=frozenset(STAGES)),),
    poll_signs=(Sign(path="data.response.sunoData"), Sign(path="data.parentMusicId")),
    failures=FAILURES,
)
