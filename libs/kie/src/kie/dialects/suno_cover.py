"""Suno cover images. Here the poll's flag 2 means generating, not failed."""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Links, Word
from kie.dialects.suno_music import FAILURES
from kie.paths import has


def _recognise(root: dict[str, Json]) -> str | None:
    return "suno_cover_image" if has(root, "data.images") else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    return "suno_cover_image" if has(root, "data.response.images") else None


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
    recognise_callback=_recognise,
    recognise_poll=_recognise_poll,
    failures=FAILURES,
)
