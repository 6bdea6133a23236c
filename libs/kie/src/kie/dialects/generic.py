"""What all of KIE shares; read by it when neither the caller nor the shape tells the family.

Flags 0 and 2 mean running here and failed there, so an error code must tell which.
"""

from kie.dialects.base import Dialect, Facts, Links, Sign, Word
from kie.dialects.suno_files import FLAG_WORDS
from kie.dialects.suno_music import STATUSES, TASK_COMPLETED

DIALECT = Dialect(
    families=("generic",),
    callback=Facts(
        word_at="data.callbackType",
        words={TASK_COMPLETED: Word.DONE},
        word_required=True,
        code_outranks_word=True,
    ),
    poll=Facts(
        media=(Links("data.response.resultUrls"),),
        word_at="data.successFlag",
        second_word_at="data.status",
        words={
            **STATUSES,
            **FLAG_WORDS,
            "0": Word.RUNNING_OR_FAILED,
            "1": Word.DONE,
            "2": Word.RUNNING_OR_FAILED,
            "3": Word.FAILED,
            # Only Luma has it.
            "4": Word.UNDELIVERED,
        },
        words_have_remarks=True,
        word_required=True,
    ),
    # With a list of results beside it, it is a song's word.
    callback_signs=(
        Sign(
            path="data.callbackType",
            words=frozenset({TASK_COMPLETED}),
            lacks=("data.data",),
        ),
    ),
)
