"""Midjourney (retired), images and videos: bare links in callbacks, objects in polls."""

from kie.dialects.base import FLAGS, Dialect, Facts, Links, Sign

DIALECT = Dialect(
    families=("midjourney",),
    callback=Facts(media=(Links("data.resultUrls"),)),
    poll=Facts(
        media=(Links("data.resultInfoJson.resultUrls"),),
        word_at="data.successFlag",
        words=FLAGS,
        word_required=True,
    ),
    callback_signs=(Sign(path="data.resultUrls"),),
    poll_signs=(Sign(path="data.resultInfoJson"),),
)
