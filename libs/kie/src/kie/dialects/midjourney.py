"""Midjourney (retired), images and videos: bare links in callbacks, objects in polls."""

from kie.body import Json
from kie.dialects.base import FLAGS, Dialect, Facts, Links
from kie.paths import has


def _recognise(root: dict[str, Json]) -> str | None:
    return "midjourney" if has(root, "data.resultUrls") else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    return "midjourney" if has(root, "data.resultInfoJson") else None


DIALECT = Dialect(
    families=("midjourney",),
    callback=Facts(media=(Links("data.resultUrls"),)),
    poll=Facts(
        media=(Links("data.resultInfoJson.resultUrls"),),
        word_at="data.successFlag",
        words=FLAGS,
        word_required=True,
    ),
    recognise_callback=_recognise,
    recognise_poll=_recognise_poll,
)
