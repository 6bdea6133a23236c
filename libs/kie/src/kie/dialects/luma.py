"""Luma modify (retired): flag 4 means generated, callback not delivered."""

from kie.dialects.base import FLAGS, Dialect, Facts, Links, Sign, Word

DIALECT = Dialect(
    families=("luma_modify",),
    callback=Facts(media=(Links("data.resultUrls", "video"),)),
    poll=Facts(
        media=(Links("data.response.resultUrls", "video"),),
        word_at="data.successFlag",
        words={**FLAGS, "4": Word.UNDELIVERED},
        word_required=True,
    ),
    callback_signs=(Sign(path="data.promptJson.videoUrl"),),
)
