"""A row of a table of telegram.md, with the verdict for an edit and for a send.

A verdict is the kind of outcome: what job-store is told when nothing better comes after it.
"""

from dataclasses import dataclass

from contracts.deliveries import RefusalCode
from contracts.values import MediaKind
from deliverer.domain.bodies import Way
from deliverer.domain.faults import ApiError, Broken, Fault


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: what happens, and what follows for an edit and for a send.

    `edit` and `send` are the outcome's kind, with a refusal's code or the way tried next.
    """

    text: str
    fault: Fault
    edit: str
    send: str
    elapsed: float = 0.1
    kind: MediaKind = MediaKind.IMAGE
    file_id: str | None = None
    parts: int = 1


def said(text: str, code: int = 400) -> ApiError:
    """What Telegram answers, with its own prefix."""
    prefix = {400: "Bad Request: ", 403: "Forbidden: "}.get(code, "")
    return ApiError(code=code, text=prefix + text)


def before(reason: str) -> Broken:
    """Nothing left us."""
    return Broken(reason=reason, left_us=False)


def after(reason: str) -> Broken:
    """The request may have been read."""
    return Broken(reason=reason, left_us=True)


def refused(code: RefusalCode) -> str:
    """The verdict that ends it."""
    return f"refused {code}"


def tried(way: Way) -> str:
    """The verdict that goes on in another way."""
    return f"try {way}"


DONE, SENT, AGAIN = "done", "sent", "again"
NOT_SENT, AMBIGUOUS, LATER, MIGRATED = "not_sent", "ambiguous", "later", "migrated"
GONE, UNEDITABLE = refused(RefusalCode.CARRIER_GONE), refused(RefusalCode.CARRIER_UNEDITABLE)
UNUSABLE, PAYLOAD = refused(RefusalCode.MEDIA_UNUSABLE), refused(RefusalCode.PAYLOAD)
BLOCKED, CHAT_GONE = refused(RefusalCode.BLOCKED), refused(RefusalCode.CHAT_GONE)
NO_RIGHTS = refused(RefusalCode.NO_RIGHTS)
UPLOAD, DOCUMENT = tried(Way.UPLOAD), tried(Way.DOCUMENT)
