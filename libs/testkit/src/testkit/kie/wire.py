"""JSON as it crosses the wire, envelopes, and the times KIE writes."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

Json: TypeAlias = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None
JsonObject: TypeAlias = Mapping[str, Json]

OK = 200

MESSAGES = {
    401: "You do not have access permissions",
    402: "Insufficient credits. Please top up to continue.",
    429: "Your call frequency is too high. Please try again later.",
    433: "Sub-key usage exceeds the limit",
    455: "Service under maintenance, please try again later",
    500: "Server exception, please try again later or contact customer service",
}


def envelope(code: int, message: str | None = None, answer: Json = None) -> JsonObject:
    """KIE's answer: the code that counts stands inside, the HTTP status is 200."""
    return {"code": code, "msg": message or MESSAGES.get(code, "error"), "data": answer}


def success(answer: Json) -> JsonObject:
    """The envelope of every good answer."""
    return envelope(OK, "success", answer)


def compact(value: Json) -> str:
    """JSON without blanks, as KIE sends it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def millis(at: float | None) -> int | None:
    """Unix milliseconds."""
    return None if at is None else round(at * 1000)


def clock_text(at: float | None) -> str | None:
    """`YYYY-MM-DD HH:MM:SS`, in UTC."""
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def iso_text(at: float | None) -> str | None:
    """`YYYY-MM-DDTHH:MM:SSZ`."""
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
