"""Suno cover images. Here the poll's flag 2 means generating, not failed."""

from kie.dialects.base import Dialect, Facts, Links, Sign, Word
from kie.dialects.suno_music import FAILURES

DIALECT = Dialect(
    families=("suno_cover_image",),
    callback=Facts(media=(Links("data.images", "image"),)),
    poll=Facts(
        media=(Links("data.response.images", "image"),),
        word_at="data.successFlag",
        words={
            "0": Word.RUNNING,
            "1": Word.DONE,
            "2": Word.RUNNING,
            "3": Word.FAILED,
        },
        word_required=True,
    ),
    callback_signs=(Sign(path="data.images"),),
    poll_signs=(Sign(path="data.response.images"),),
    failures=FAILURES,
)
