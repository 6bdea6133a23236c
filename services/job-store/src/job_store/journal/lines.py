"""Lines of JSON that know whether they are whole."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from job_store.journal.values import written

FORMAT: Final = 1  # of the files; raised when an older sendonce could not read them

_BEGIN, _MIDDLE, _END = b'{"crc":"', b'","line":', b"}\n"
_CRC: Final = slice(len(_BEGIN), len(_BEGIN) + 8)
_BODY: Final = len(_BEGIN) + 8 + len(_MIDDLE)


class TornLineError(ValueError):
    """A line that was not written to its end, or was changed since."""


def sealed(value: object) -> bytes:
    """Write a value as one line with its checksum."""
    body = json.dumps(value, default=written, separators=(",", ":")).encode()
    return b"%s%08x%s%s%s" % (_BEGIN, crc32(body), _MIDDLE, body, _END)


def unsealed(line: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a line; ``TornLineError`` unless it is what was written."""
    body = line[_BODY : -len(_END)]
    if not line.endswith(_END) or line[_CRC] != b"%08x" % crc32(body):
        raise TornLineError
    return json.loads(body)


def lines_of(path: Path) -> Iterator[tuple[int, Any]]:
    """Read a file line by line, each with where it ends; a bad one is a ``TornLineError`` in its place."""
    end = 0
    with path.open("rb") as file:
        for line in file:
            end += len(line)
            try:
                yield end, unsealed(line)
            except TornLineError as torn:
                yield end, torn
