"""Trace contexts in the words of W3C: what a message, a row and a call carry of their cause."""

import os
import re
from collections.abc import Mapping
from typing import Final

TRACEPARENT: Final = "traceparent"  # the header's name

_FORM: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE: Final = slice(3, 35)
_SPAN: Final = slice(36, 52)
_RANDOM: Final = slice(21, 35)  # 56 bits of a trace id; a UUID's other half has fixed ones
_RANDOM_BITS: Final = 56


def read(text: str | None) -> str | None:
    """Return the text if it is a context; whatever else stands there counts as none."""
    return text if text is not None and _FORM.fullmatch(text) else None


def carried(headers: Mapping[str, str] | None) -> str | None:
    """Return the context that these headers carry."""
    return read(headers.get(TRACEPARENT)) if headers else None


def fresh() -> str:
    """Return the context of something that nothing we know of has caused."""
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-00"


def written(trace: str, span: str, *, kept: bool) -> str:
    """Write a context; `kept` says that its span is recorded."""
    return f"00-{trace}-{span}-{'01' if kept else '00'}"


def trace_id(context: str) -> str:
    """Return the 32 hexadecimal digits that everything of one trace has in common."""
    return context[_TRACE]


def span_id(context: str) -> str:
    """Return the 16 hexadecimal digits of the span itself."""
    return context[_SPAN]


def share(context: str) -> float:
    """Return a number in [0, 1) that is the same for the whole trace, evenly spread over traces."""
    return int(context[_RANDOM], 16) / (1 << _RANDOM_BITS)
