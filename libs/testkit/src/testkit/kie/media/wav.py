"""A short WAV file, silent but for its label."""

import struct

RATE = 8_000
SECONDS = 1


def wav(*, label: str) -> bytes:
    """One second of 8-bit silence whose title is the label."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)
    title = _chunk(b"LIST", b"INFO" + _chunk(b"INAM", label.encode() + b"\x00"))
    sound = _chunk(b"data", b"\x80" * RATE * SECONDS)
    return _chunk(b"RIFF", b"WAVE" + form + title + sound)


def _chunk(kind: bytes, content: bytes) -> bytes:
    padded = content + b"\x00" * (len(content) % 2)
    return struct.pack("<4sI", kind, len(content)) + padded
