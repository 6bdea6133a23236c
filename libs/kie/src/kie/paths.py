"""Finding values in a message by a written path: `data.info.resultUrls`, `data.data[].audio_url`.

A path names one place; nothing here ever searches. `[]` stands for every element of a list,
`*_url!origin_url` for every key with that ending but one. A string on the way that carries JSON is
opened.
"""

from dataclasses import dataclass
from functools import cache

from kie.body import Json, embedded

# Elements of a list of results are links, or objects that hold the link under one of these.
_LINK_KEYS = ("resultUrl", "url")


def at(value: Json, path: str) -> Json:
    """Return what stands at a path without lists, None when nothing does."""
    for key in _keys(path):
        holder = opened(value)
        if not isinstance(holder, dict):
            return None
        value = holder.get(key)
    return value


def has(value: Json, path: str) -> bool:
    """Tell whether the key exists, whatever its value."""
    *parents, last = _keys(path)
    for key in parents:
        if not isinstance(value, dict):
            return False
        value = opened(value.get(key))
    return isinstance(value, dict) and last in value


def leaves(value: Json, path: str) -> list[Json]:
    """Return everything at a path as it is; an element that lacks the key gives None."""
    found = [value]
    for step in _steps(path):
        found = [inner for holder in found for inner in step.into(opened(holder))]
    return found


def links(value: Json, path: str) -> list[Json]:
    """Return every leaf at a path, with lists and link objects unpacked."""
    found: list[Json] = []
    for leaf in leaves(value, path):
        unpacked = opened(leaf)
        found.extend(map(_link, unpacked) if isinstance(unpacked, list) else [_link(unpacked)])
    return found


def opened(value: Json) -> Json:
    """Open a string that carries JSON; everything else stays what it is."""
    if isinstance(value, str):
        inner = embedded(value)
        return value if inner is None else inner
    return value


def _link(item: Json) -> Json:
    if isinstance(item, dict):
        return next((item[key] for key in _LINK_KEYS if key in item), None)
    return item


@dataclass(frozen=True, slots=True)
class _Step:
    """One stretch of a path, from a value to the values behind it."""

    name: str
    is_list: bool = False
    ending: str | None = None  # of the keys that are meant, instead of one name
    exception: str = ""

    def into(self, value: Json) -> list[Json]:
        if not isinstance(value, dict):
            return [None]
        if self.ending is not None:
            wanted = (key for key in value if key.endswith(self.ending) and key != self.exception)
            return [value[key] for key in wanted]
        inner = value.get(self.name)
        if not self.is_list:
            return [inner]
        listed = opened(inner)
        return listed if isinstance(listed, list) else []


# Paths are written in our source: few, and never a message's.
@cache
def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


@cache
def _steps(path: str) -> tuple[_Step, ...]:
    return tuple(map(_step, _keys(path)))


def _step(text: str) -> _Step:
    name = text.removesuffix("[]")
    if name.startswith("*"):
        ending, _, exception = name[1:].partition("!")
        return _Step(name, ending=ending, exception=exception)
    return _Step(name, is_list=name != text)
