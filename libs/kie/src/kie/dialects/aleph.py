"""Runway Aleph: two official pages contradict each other, both are read."""

from kie.dialects.base import Dialect, Facts, Links, Sign, Word

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
    callback_signs=(
        Sign(path="data", is_null=True, also=("taskId",)),
        Sign(path="data.result_video_url"),
    ),
    poll_signs=(Sign(path="data.response.resultVideoUrl"),),
)
