"""Draws a small PNG: a gradient between two colours, the task's name in a text chunk."""

import struct
import zlib

from testkit.kie.media.colour import Rgb, blend

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE = 96


def png(*, label: str, top: Rgb, bottom: Rgb) -> bytes:
    """A picture of its own for every label; the label is its comment."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    text = b"Comment\x00" + label.encode("latin-1", "replace")
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"tEXt", text),
            _chunk(b"IDAT", zlib.compress(_rows(top, bottom), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _rows(top: Rgb, bottom: Rgb) -> bytes:
    # The zero byte before each row says "no filter".
    return b"".join(
        b"\x00" + bytes(blend(top, bottom, row / (SIDE - 1))) * SIDE for row in range(SIDE)
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
