"""Runway videos. The poll's words are spelled unlike Market's: wait, queueing."""

from kie.dialects.base import Dialect, Facts, Links, Sign, Word

DIALECT = Dialect(
    families=("runway", "runway_extend"),
    callback=Facts(media=(Links("data.video_url", "video"),), ignored=("data.image_url",)),
    poll=Facts(
        media=(Links("data.videoInfo.videoUrl", "video"),),
        ignored=("data.videoInfo.imageUrl",),
        word_at="data.state",
        words={
            "wait": Word.RUNNING,
            "queueing": Word.RUNNING,
            "generating": Word.RUNNING,
            "success": Word.DONE,
            "fail": Word.FAILED,
        },
        word_required=True,
        expired_at="data.expireFlag",
    ),
    callback_signs=(Sign(path="data.video_id"), Sign(path="data.image_url")),
    poll_signs=(
        Sign(path="data.videoInfo"),
        Sign(path="data.generateParam"),
        Sign(path="data.expireFlag"),
    ),
)
