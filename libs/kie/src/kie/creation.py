"""What KIE's answer to a creation proves: created, certainly not created, or neither.

Only `NotCreated` may be tried again; a repeated `Ambiguous` could be paid twice.
"""

import re
from dataclasses import dataclass
from typing import Literal

from kie import body, envelope, task_ids

Refusal = Literal["refused", "later", "owner_account"]


@dataclass(frozen=True, slots=True)
class Created:
    """KIE has the task."""

    task_id: str


@dataclass(frozen=True, slots=True)
class NotCreated:
    """KIE certainly has no task: refused for good, for now, or because of the owner's account."""

    kind: Refusal
    code: str | None
    message: str | None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """KIE may have a task; `task_id` is what an error answer named, as evidence."""

    reason: str
    task_id: str | None = None


Unfitness = Literal[
    "unknown_family",
    "unknown_operation",
    "retired",
    "synchronous",
    "callback_url_missing",
    "input_unfit",
]


@dataclass(frozen=True, slots=True)
class Unfit:
    """No call was made, and none could be: what is asked for is nothing KIE makes a task of."""

    why: Unfitness
    message: str


Creation = Created | NotCreated | Ambiguous | Unfit

_REFUSALS: dict[int, Refusal] = {
    400: "refused",
    401: "owner_account",
    402: "owner_account",
    403: "owner_account",
    404: "refused",
    409: "refused",
    413: "refused",
    422: "refused",
    429: "later",
    433: "owner_account",
    451: "refused",
    455: "later",
    505: "refused",
}
_LATER_TEXT = re.compile(r"limit for concurrent|rate limit", re.IGNORECASE)
# Veo's 4K endpoint says so of a task it has: "4k is processing. It should be ready in …".
_UNDER_WAY_TEXT = re.compile(r"is processing", re.IGNORECASE)
# KIE dresses this validation error as 500.
_REFUSED_TEXT = re.compile(r"this field is required", re.IGNORECASE)
_SERVER_ERROR = 500
_FIRST_CLIENT_ERROR = 400
_HTTP_TIMEOUT = 408
_LONGEST_WAIT = 3600.0


def on_answer(*, http_status: int, raw: bytes, retry_after: str | None) -> Creation:
    """Judge an answer that arrived whole."""
    message = body.parse(raw)
    outer = envelope.of(message.root)
    task_id = task_ids.find(message)[0]
    if outer.is_ok and task_id is not None:
        return Created(task_id)
    if task_id is not None:
        said = envelope.error_message(message.root)
        if said and _UNDER_WAY_TEXT.search(said.text):
            return Created(task_id)
        return Ambiguous(f"code {outer.shown_code} with a task id", task_id)
    if http_status >= _SERVER_ERROR:
        return Ambiguous(f"HTTP status {http_status}")
    if outer.code is None:
        return _without_envelope(http_status, _seconds(retry_after))
    if outer.is_ok:
        return Ambiguous(f"code {outer.shown_code} without a task id")
    return _by_code(message, outer, _seconds(retry_after))


def _by_code(message: body.Body, outer: envelope.Envelope, wait: float | None) -> Creation:
    said = envelope.error_message(message.root)
    text = said.text if said else None
    kind = _REFUSALS.get(outer.code or 0)
    if kind == "refused" and text and _LATER_TEXT.search(text):
        kind = "later"
    if outer.code == _SERVER_ERROR and text and _REFUSED_TEXT.search(text):
        kind = "refused"
    if kind is None:
        return Ambiguous(f"code {outer.shown_code}: {text}")
    return NotCreated(kind, outer.shown_code, text, wait)


def _without_envelope(http_status: int, wait: float | None) -> Creation:
    kind = _REFUSALS.get(http_status)
    rejected = _FIRST_CLIENT_ERROR <= http_status < _SERVER_ERROR and http_status != _HTTP_TIMEOUT
    if kind is None and rejected:
        kind = "refused"
    if kind is None:
        return Ambiguous(f"HTTP status {http_status} with an unreadable answer")
    return NotCreated(kind, str(http_status), None, wait)


def _seconds(header: str | None) -> float | None:
    seconds = body.whole_number(header)
    return None if seconds is None or seconds < 0 else min(float(seconds), _LONGEST_WAIT)
