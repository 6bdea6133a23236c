"""The small words every message is made of: identifiers, money, bounded text."""

import math
import os
import re
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAX_INPUT_DEPTH: Final = 32
INT64: Final = 2**63 - 1
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def new_id() -> UUID:
    """Return a UUIDv7: time-ordered, so that new rows land at the end of an index.

    RFC 9562 section 5.7; the standard library has it from Python 3.14 on.
    """
    millis = time.time_ns() // 1_000_000
    rand = int.from_bytes(os.urandom(10), "big")
    high = (millis << 16) | 0x7000 | (rand >> 68 & 0xFFF)
    low = (0b10 << 62) | (rand & (1 << 62) - 1)
    return UUID(int=high << 64 | low)


def label(job_id: UUID) -> str:
    """Return the short name of a job that users and support read aloud, as ``7F3K2``.

    Five Crockford digits of the random tail: enough to tell one user's jobs apart, not a key.
    """
    tail = job_id.int
    return "".join(CROCKFORD[tail >> (5 * place) & 31] for place in range(5))


def trace_of(job_id: UUID) -> str:
    """Return the W3C trace context that a job's life begins in: its trace has the job's own id.

    Whoever knows the job can join its trace without asking, and whoever has the id can look it up.
    """
    return f"00-{job_id.hex}-{job_id.hex[16:]}-00"


def clean(text: str) -> str:
    """Refuse what Postgres cannot store: NUL and lone surrogates."""
    if "\x00" in text:
        msg = "text contains a NUL character"
        raise ValueError(msg)
    if not text.isascii() and _SURROGATE.search(text):
        msg = "text contains a lone surrogate"
        raise ValueError(msg)
    return text


def clean_json(value: JsonValue) -> JsonValue:
    """Refuse JSON that is nested too deep, or holds text or numbers that cannot be stored."""
    pending: list[tuple[JsonValue, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_INPUT_DEPTH:
            msg = f"nested deeper than {MAX_INPUT_DEPTH} levels"
            raise ValueError(msg)
        if isinstance(item, str):
            clean(item)
        elif isinstance(item, dict):
            for name in item:
                clean(name)
            pending.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, list):
            pending.extend((inner, depth + 1) for inner in item)
        elif isinstance(item, int | float) and not _is_finite(item):
            msg = "a number that no double can hold"
            raise ValueError(msg)
    return value


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number of more than 308 digits
        return False


def bigint(number: int) -> int:
    """Refuse a whole number that Postgres' bigint cannot hold."""
    if abs(number) > INT64:
        msg = f"must lie between -{INT64} and {INT64}"
        raise ValueError(msg)
    return number


def in_utc(moment: datetime) -> datetime:
    """Refuse a moment that UTC has no year for: nothing could compare or store it."""
    try:
        moment.astimezone(UTC)
    except OverflowError as outside:
        msg = "outside the years 1 to 9999 in UTC"
        raise ValueError(msg) from outside
    return moment


_CLEAN = AfterValidator(clean)
BotSlug = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="a bot's name in subjects and logs")
]
Clean = Annotated[str, _CLEAN]
Key = Annotated[str, Field(min_length=1, max_length=200), _CLEAN]
TaskId = Annotated[str, Field(min_length=1, max_length=200), _CLEAN]
FileId = Annotated[str, Field(min_length=1, max_length=300), _CLEAN]
Word = Annotated[str, Field(min_length=1, max_length=100), _CLEAN]
Line = Annotated[str, Field(max_length=2_000), _CLEAN]
Text = Annotated[str, Field(max_length=40_000), _CLEAN]
Body = Annotated[str, Field(max_length=250_000), _CLEAN]
Url = Annotated[str, Field(min_length=8, max_length=4_096, pattern=r"^https?://"), _CLEAN]
Currency = Annotated[
    str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, or XTR for Telegram Stars")
]
MinorUnits = Annotated[
    int, Field(strict=True, ge=0, le=10**12, description="money in minor units, never a float")
]
ChatId = Annotated[int, Field(strict=True, ge=-INT64, le=INT64)]
UserId = Annotated[int, Field(strict=True, ge=1, le=INT64)]
MessageId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Seconds = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]
Json = Annotated[JsonValue, AfterValidator(clean_json)]
Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]


class MediaKind(StrEnum):
    """What a medium is, as far as showing it goes."""

    IMAGE = "image"
    VIDEO = "video"
    ANIMATION = "animation"  # a silent loop
    AUDIO = "audio"
    VOICE = "voice"  # cannot be edited into a message: a voice note only in mode `send`, else audio
    TEXT = "text"
    FILE = "file"  # a link shown as a document, or a text that becomes one
    MIDI = "midi"  # notes as KIE's JSON; shown as a .mid document


class FailureClass(StrEnum):
    """Why a generation failed, in words that choose the text a user reads."""

    MODERATED = "moderated"
    BAD_INPUT = "bad_input"
    INPUT_UNREADABLE = "input_unreadable"
    COPYRIGHT = "copyright"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_BUSY = "provider_busy"
    OWNER_ACCOUNT = "owner_account"
    TIMEOUT = "timeout"


class JobState(StrEnum):
    """Where a job stands."""

    CREATED = "created"  # → submitting, cancelled, expired; what comes early skips ahead
    SUBMITTING = "submitting"  # → running, succeeded, failed, expired
    RUNNING = "running"  # → succeeded, failed, expired
    SUCCEEDED = "succeeded"  # → delivered, undeliverable
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDELIVERABLE = "undeliverable"
    EXPIRED = "expired"  # → succeeded, when the result comes after all
    CANCELLED = "cancelled"


class PartState(StrEnum):
    """Where one medium of a result stands."""

    PENDING = "pending"  # → carried, shown by a send, refused, uncertain, parked
    CARRIED = "carried"  # its message is known; → shown, refused, uncertain, parked
    SHOWN = "shown"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"  # → shown by evidence
    PARKED = "parked"  # the user blocked the bot; → pending when they are back


class Cause(StrEnum):
    """Who ended a job."""

    PROVIDER = "provider"
    OURS = "ours"
    USER = "user"


class MoneyState(StrEnum):
    """What became of a job's price."""

    NONE = "none"  # price 0
    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"
    WAIVED = "waived"  # released, then delivered free
    REFUNDED = "refunded"


def utc_iso(moment: datetime) -> str:
    """Render a moment the one way logs and replies show it."""
    return moment.isoformat(timespec="milliseconds")
