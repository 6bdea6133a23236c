"""Luma modify (retired): flag 4 means generated, callback not delivered."""

from kie.body import Json
from kie.dialects.base import FLAGS, Dialect, Facts, Links, Word
from kie.paths import has


def _recognise(root: dict[str, Json]) -> str | None:
    return "luma_modify" if has(root, "data.promptJson.videoUrl") else None


DIALECT = Dialect(
    families=("luma_modify",),
    callback=Facts(media=(Links("data.resultUrls", "video"),)),
    poll=Facts(
        media=(Links("data.response.resultUrls", "video"),),
        word_at="data.successFlag",
        words={**FLAGS, "4": Word.UNDELIVERED},
        word_required=True,
    ),
    recognise_callback=_recognise,
)
