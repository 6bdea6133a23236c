"""What all of KIE shares; read by it when neither the caller nor the shape tells the family.

Flags 0 and 2 mean running here and failed there, so an error code must tell which.
"""

from kie.dialects.base import Dialect, Facts, Links, Sign, Word
from kie.dialects.suno_files import FLAG_WORDS
from kie.dialects.suno_music import STATUSES

_TASK_COMPLETED = "task_completed"


DIALECT = Dialect(
    families=("generic",),
    callback=Facts(
        word_at="data.callbackType",
        words={_TASK_COMPLETED: Word.DONE},
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
        },
        words_have_remarks=True,
        word_required=True,
    ),
    callback_signs=(Sign(path="data.callbackType", words=frozenset({_TASK_COMPLETED})),),
)
