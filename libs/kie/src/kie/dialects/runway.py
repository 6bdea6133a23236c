"""Runway videos. The poll's words are spelled unlike Market's: wait, queueing."""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Links, Word
from kie.paths import has


def _recognise(root: dict[str, Json]) -> str | None:
    return "runway" if has(root, "data.video_id") or has(root, "data.image_url") else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    marks = ("data.videoInfo", "data.generateParam", "data.expireFlag")
    return "runway" if any(has(root, mark) for mark in marks) else None


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
    recognise_callback=_recognise,
    recognise_poll=_recognise_poll,
)
