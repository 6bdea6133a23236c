"""4o images: the links are spelled in snake and in camel case, by page."""

from kie.dialects.base import FLAGS, Dialect, Facts, Links, Sign, Word

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
    callback_signs=(Sign(path="data.info", is_null=True), Sign(path="data.info.result_urls")),
    poll_signs=(
        Sign(path="data.response.result_urls"),
        Sign(path="data.progress", also=("data.successFlag",)),
        Sign(path="data.status", words=frozenset({"GENERATING", "GENERATE_FAILED"})),
    ),
)
