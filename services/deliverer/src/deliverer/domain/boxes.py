"""Whether an MP4 has sound, read from its boxes without decoding anything."""

from collections.abc import Iterator
from typing import Final

_PARENTS: Final = frozenset({b"moov", b"trak", b"mdia"})
_HANDLER_AT: Final = 8  # bytes of a `hdlr` box before the four that name the kind of track
_HEADER, _LONG_HEADER, _TO_THE_END, _LONG = 8, 16, 0, 1


def is_silent(content: bytes) -> bool:
    """Say whether the file certainly has a picture track and no sound track."""
    handlers = set(_handlers(memoryview(content)))
    return b"vide" in handlers and b"soun" not in handlers


def _handlers(view: memoryview) -> Iterator[bytes]:
    for name, body in _boxes(view):
        if name in _PARENTS:
            yield from _handlers(body)
        elif name == b"hdlr":
            yield bytes(body[_HANDLER_AT : _HANDLER_AT + 4])


def _boxes(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + _HEADER <= len(view):
        size, name = int.from_bytes(view[at : at + 4]), bytes(view[at + 4 : at + 8])
        begin = _HEADER
        if size == _LONG:
            size, begin = int.from_bytes(view[at + 8 : at + 16]), _LONG_HEADER
        elif size == _TO_THE_END:
            size = len(view) - at
        if size < begin:
            return
        yield name, view[at + begin : at + size]
        at += size
