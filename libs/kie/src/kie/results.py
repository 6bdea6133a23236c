"""Collecting the results of a message from the places its dialect names."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kie.body import Json, storable
from kie.dialects.base import Facts, Links, Place, Texts, Whole
from kie.paths import has, leaves, links, opened
from kie.values import Anomaly, Media, MediaKind, Step

_LONGEST_URL = 8192
_SCHEMES = ("https://", "http://")
_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_ENDING = re.compile(r"\.([a-z0-9]{2,5})(?:[?#]|$)", re.IGNORECASE)
_KINDS: dict[str, MediaKind] = {
    **dict.fromkeys(("png", "jpg", "jpeg", "webp", "gif", "bmp", "avif"), "image"),
    **dict.fromkeys(("mp4", "mov", "webm", "mkv", "m4v", "avi"), "video"),
    **dict.fromkeys(("mp3", "wav", "m4a", "ogg", "oga", "opus", "flac", "aac"), "audio"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the places held; `complete` unless a list had elements without their link."""

    media: tuple[Media, ...] = ()
    complete: bool = True
    anomalies: tuple[Anomaly, ...] = ()
    trace: tuple[Step, ...] = ()


def collect(facts: Facts, root: dict[str, Json]) -> Found:
    """Gather the results from every place of the dialect, each once."""
    found = _joined([_at_place(place, root) for place in facts.media])
    if not found.media:
        instead = _joined([_at_place(place, root) for place in facts.media_instead])
        found = _joined([found, instead])
    # Only keys are asked for here: a place with lists is named by its list.
    ignored = tuple(
        Step("ignored", path) for path in facts.ignored if has(root, path.partition("[]")[0])
    )
    return Found(found.media, found.complete, found.anomalies, found.trace + ignored)


def _joined(parts: list[Found]) -> Found:
    return Found(
        media=tuple(dict.fromkeys(medium for part in parts for medium in part.media)),
        complete=all(part.complete for part in parts),
        anomalies=tuple(dict.fromkeys(odd for part in parts for odd in part.anomalies)),
        trace=tuple(line for part in parts for line in part.trace),
    )


def _at_place(place: Place, root: dict[str, Json]) -> Found:
    match place:
        case Links():
            return _links(place, root)
        case Texts(path, name):
            found = [Media("text", text=text, name=name) for text in _texts(root, path)]
            return _inline(path, found)
        case Whole(path):
            values = (value for value in leaves(root, path) if opened(value))
            return _inline(path, [_whole(value, place) for value in values])


def _inline(path: str, media: list[Media]) -> Found:
    return Found(tuple(media), trace=_counted(path, len(media)))


def _links(place: Links, root: dict[str, Json]) -> Found:
    media: list[Media] = []
    blanks = odd = 0
    for leaf in links(root, place.path):
        text = leaf.strip() if isinstance(leaf, str) else leaf
        if text in (None, ""):
            blanks += 1
        elif isinstance(text, str) and _is_link(text):
            media.append(Media(place.kind or _kind_of(text), url=text))
        else:
            odd += 1
    return Found(
        media=tuple(media),
        # An absent spelling of a key is no gap; a list in which some have it is.
        complete=not (media and blanks and "[]" in place.path),
        anomalies=(Anomaly.BAD_URL,) if odd else (),
        trace=_counted(place.path, len(media)),
    )


def _is_link(text: str) -> bool:
    # A space is legal here: KIE sends some file names as they are.
    speakable = len(text) <= _LONGEST_URL and _UNSPEAKABLE.search(text) is None
    return speakable and text.lower().startswith(_SCHEMES)


def _kind_of(url: str) -> MediaKind:
    path = re.split(r"[?#]", url, maxsplit=1)[0]
    ending = _ENDING.search(path)
    return _KINDS.get(ending[1].lower(), "file") if ending else "file"


def _texts(root: dict[str, Json], path: str) -> Iterator[str]:
    for leaf in leaves(root, path):
        if isinstance(leaf, str) and leaf.strip():
            yield storable(leaf)


def _whole(value: Json, place: Whole) -> Media:
    match opened(value):
        # The one shape whose meaning is plain.
        case {"text": str(text), **others} if not others:
            return Media("text", text=storable(text))
        case other:
            return Media(place.kind, text=_written(other), name=place.name)


def _written(value: Json) -> str:
    try:
        return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except RecursionError:  # parsed just below the limit, written just above it
        return "null"


def _counted(path: str, count: int) -> tuple[Step, ...]:
    return (Step("result", path, f"{count} of them" if count > 1 else None),) if count else ()
