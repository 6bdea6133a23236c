"""Flux Kontext images. `originImageUrl` lives ten minutes and is no result."""

from kie.body import Json
from kie.dialects.base import FLAGS, Dialect, Facts, Links
from kie.paths import has


def _recognise(root: dict[str, Json]) -> str | None:
    return "flux_kontext" if has(root, "data.info.resultImageUrl") else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    # Aleph has a picture of that name too, beside its video.
    own = has(root, "data.response.resultImageUrl")
    return "flux_kontext" if own and not has(root, "data.response.resultVideoUrl") else None


DIALECT = Dialect(
    families=("flux_kontext",),
    callback=Facts(
        media=(Links("data.info.resultImageUrl", "image"),),
        ignored=("data.info.originImageUrl",),
    ),
    poll=Facts(
        media=(Links("data.response.resultImageUrl", "image"),),
        ignored=("data.response.originImageUrl",),
        word_at="data.successFlag",
        words=FLAGS,
        word_required=True,
    ),
    recognise_callback=_recognise,
    recognise_poll=_recognise_poll,
)
