"""Runway Aleph: two official pages contradict each other, both are read."""

from kie.body import Json
from kie.dialects.base import Dialect, Facts, Links, Word
from kie.paths import at, has


def _recognise(root: dict[str, Json]) -> str | None:
    # A failure is `data: null` with the task id on top.
    failed = has(root, "taskId") and has(root, "data") and at(root, "data") is None
    return "aleph" if failed or has(root, "data.result_video_url") else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    return "aleph" if has(root, "data.response.resultVideoUrl") else None


DIALECT = Dialect(
    families=("aleph",),
    callback=Facts(
        media=(Links("data.result_video_url", "video"), Links("data.video_url", "video")),
        ignored=("data.result_image_url", "data.image_url"),
    ),
    poll=Facts(
        media=(Links("data.response.resultVideoUrl", "video"),),
        ignored=("data.response.resultImageUrl",),
        word_at="data.successFlag",
        words={"0": Word.RUNNING_OR_FAILED, "1": Word.DONE},
        word_required=True,
    ),
    recognise_callback=_recognise,
    recognise_poll=_recognise_poll,
)
