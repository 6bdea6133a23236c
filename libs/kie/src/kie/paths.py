"""Finding values in a message by a written path: `data.info.resultUrls`, `data.data[].audio_url`.

A path names one place; nothing here ever searches. `[]` stands for every element of a list,
`*_url!origin_url` for every key with that ending but one. A string on the way that carries JSON is
opened.
"""

from collections.abc import Iterator
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


def leaves(value: Json, path: str) -> Iterator[Json]:
    """Yield everything at a path as it is; an element that lacks the key yields None."""
    yield from _leaves(value, _keys(path))


def links(value: Json, path: str) -> Iterator[Json]:
    """Yield every leaf at a path, with lists and link objects unpacked."""
    for leaf in leaves(value, path):
        unpacked = opened(leaf)
        for item in unpacked if isinstance(unpacked, list) else [unpacked]:
            if isinstance(item, dict):
                yield next((item[key] for key in _LINK_KEYS if key in item), None)
            else:
                yield item


def opened(value: Json) -> Json:
    """Open a string that carries JSON; everything else stays what it is."""
    if isinstance(value, str):
        inner = embedded(value)
        return value if inner is None else inner
    return value


@cache  # paths are written in our source: few, and never a message's
def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _leaves(value: Json, steps: tuple[str, ...]) -> Iterator[Json]:
    step, *rest = steps
    for found in _step(opened(value), step):
        if rest:
            yield from _leaves(found, tuple(rest))
        else:
            yield found


def _step(value: Json, step: str) -> Iterator[Json]:
    if not isinstance(value, dict):
        yield None
        return
    name = step.removesuffix("[]")
    if name.startswith("*"):
        ending, _, exception = name[1:].partition("!")
        yield from (value[key] for key in value if key.endswith(ending) and key != exception)
        return
    if name == step:
        yield value.get(name)
        return
    listed = opened(value.get(name))
    if isinstance(listed, list):
        yield from listed
