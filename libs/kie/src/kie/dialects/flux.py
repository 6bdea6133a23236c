"""Flux Kontext images. `originImageUrl` lives ten minutes and is no result."""

from kie.dialects.base import FLAGS, Dialect, Facts, Links, Sign

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
    callback_signs=(Sign(path="data.info.resultImageUrl"),),
    poll_signs=(
        Sign(path="data.response.resultImageUrl", lacks=("data.response.resultVideoUrl",)),
    ),
)
