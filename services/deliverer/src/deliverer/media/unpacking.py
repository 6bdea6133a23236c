"""Bodies that were packed for the way, unpacked no further than we may hold."""

import zlib
from typing import Final

# zlib's word for "gzip or zlib, whichever the header says".
_EITHER: Final = 32 + zlib.MAX_WBITS
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_PLAIN: Final = frozenset({"", "identity"})


class TooBig(Exception):
    """There is more of it than we take."""


class Unreadable(Exception):
    """It is packed in a way we do not know, or broken."""


class Unpacked:
    """Takes a body piece by piece; a small body that unpacks without end is cut short."""

    def __init__(self, encoding: str, *, most: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in _PLAIN | _PACKED:
            raise Unreadable("the link answers in an encoding nobody asked for")
        self._left = most
        self._zlib = zlib.decompressobj(_EITHER) if encoding in _PACKED else None

    def take(self, chunk: bytes) -> bytes:
        """Return what a piece holds, or raise `TooBig` or `Unreadable`."""
        if self._zlib is None:
            return self._counted(chunk)
        try:
            # One byte more than allowed tells that there is more.
            return self._counted(self._zlib.decompress(chunk, self._left + 1))
        except zlib.error as broken:
            raise Unreadable("the link answers a body that does not unpack") from broken

    def end(self) -> None:
        """Raise `Unreadable` when the body ended before its packing did."""
        if self._zlib is not None and not self._zlib.eof:
            raise Unreadable("the link answers half a body")

    def _counted(self, content: bytes) -> bytes:
        self._left -= len(content)
        if self._left < 0:
            raise TooBig
        return content
