"""Suno stems: one link per stem, under a key that drifted, nested twice when split finely."""

from kie.dialects.base import Dialect, Facts, Links, Sign
from kie.dialects.suno_files import FLAG_WORDS
from kie.dialects.suno_music import FAILURES

_KEYS = ("vocal_separation_info", "vocal_removal_info")
_CALLBACK_KEYS = tuple(f"data.{key}" for key in _KEYS)
# Records were seen with the callback's key, in `data` and in `data.response`.
_RECORD_KEYS = (*_CALLBACK_KEYS, *(f"data.response.{key}" for key in _KEYS))
# Of these one stands in every record, by the way of splitting and the spelling.
_MARKS = ("vocalUrl", "originUrl", "originData", "vocal_url", "origin_url", "origin_data", *_KEYS)


def _snake(root: str) -> tuple[Links, ...]:
    return (
        Links(f"{root}.*_url!origin_url", "audio"),
        Links(f"{root}.vocal_ur", "audio"),  # cut short, as public handlers saw it
        Links(f"{root}.origin_data[].extract.audio_url", "audio"),
        Links(f"{root}.origin_data[].remove.audio_url", "audio"),
    )


def _camel(root: str) -> tuple[Links, ...]:
    return (
        Links(f"{root}.*Url!originUrl", "audio"),
        Links(f"{root}.originData[].extract.audioUrl", "audio"),
        Links(f"{root}.originData[].remove.audioUrl", "audio"),
        Links(f"{root}.originData[].extract.audio_url", "audio"),
        Links(f"{root}.originData[].remove.audio_url", "audio"),
    )


DIALECT = Dialect(
    families=("suno_vocal_removal",),
    callback=Facts(
        media=tuple(place for key in _CALLBACK_KEYS for place in _snake(key)),
        ignored=tuple(f"{key}.origin_url" for key in _CALLBACK_KEYS),
    ),
    poll=Facts(
        media=(*_camel("data.response"), *_snake("data.response")),
        media_instead=tuple(place for key in _RECORD_KEYS for place in _snake(key)),
        ignored=("data.response.originUrl",),
        word_at="data.successFlag",
        words=FLAG_WORDS,
        words_have_remarks=True,
        word_required=True,
    ),
    callback_signs=tuple(Sign(path=key) for key in _CALLBACK_KEYS),
    poll_signs=(
        *(Sign(path=f"data.response.{mark}") for mark in _MARKS),
        *(Sign(path=key) for key in _CALLBACK_KEYS),
    ),
    failures=FAILURES,
)
