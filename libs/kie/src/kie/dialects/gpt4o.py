"""4o images: the links are spelled in snake and in camel case, by page."""

from kie.body import Json
from kie.dialects.base import FLAGS, Dialect, Facts, Links, Word
from kie.paths import at, has


def _recognise(root: dict[str, Json]) -> str | None:
    failed = has(root, "data.info") and at(root, "data.info") is None
    return "gpt4o_image" if failed or has(root, "data.info.result_urls") else None


def _recognise_poll(root: dict[str, Json]) -> str | None:
    return "gpt4o_image" if has(root, "data.response.result_urls") else None


DIALECT = Dialect(
    families=("gpt4o_image",),
    callback=Facts(
        media=(Links("data.info.result_urls", "image"), Links("data.info.resultUrls", "image"))
    ),
    poll=Facts(
        media=(
            Links("data.response.result_urls", "image"),
            Links("data.response.resultUrls", "image"),
        ),
        word_at="data.successFlag",
        second_word_at="data.status",
        words={
            **FLAGS,
            "GENERATING": Word.RUNNING,
            "SUCCESS": Word.DONE,
            "CREATE_TASK_FAILED": Word.FAILED,
            "GENERATE_FAILED": Word.FAILED,
        },
        word_required=True,
        progress_at="data.progress",
    ),
    recognise_callback=_recognise,
    recognise_poll=_recognise_poll,
)
