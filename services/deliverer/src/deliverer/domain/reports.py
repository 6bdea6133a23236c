"""What came of one request, and how it is told on the bus."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.deliveries import (
    Content,
    DeliveryOutcome,
    DeliveryRequested,
    DeliveryResult,
    Existing,
    PostStatus,
    Remove,
    Rewrite,
    Send,
    Show,
    Stage,
)
from contracts.outcomes import Ambiguous, NotSent
from contracts.values import MediaKind

FACT_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result with its evidence."""

    result: DeliveryResult
    carrier_id: int | None = None
    stray_ids: tuple[int, ...] = ()
    edit_maybe_applied: bool = False


def outcome_of(
    request: DeliveryRequested, report: Report, *, at: datetime, holder: UUID | None = None
) -> DeliveryOutcome:
    """Tell a report so that nobody needs to look anything up.

    `holder` is who asked before a send: only the one who was let through is believed when it
    says what did not happen.
    """
    action = request.action
    return DeliveryOutcome(
        id=f"{request.attempt.id}:{report.result.kind}:{_fact(report, holder)}",
        at=at,
        trace=request.trace,
        attempt_id=request.attempt.id,
        holder=holder,
        job_id=request.job_id,
        bot=request.bot,
        chat_id=request.chat_id,
        part_id=action.part_id if isinstance(action, Show | Stage) else None,
        result=report.result,
        carrier_id=report.carrier_id,
        stray_ids=report.stray_ids,
        edit_maybe_applied=report.edit_maybe_applied,
    )


def _fact(report: Report, holder: UUID | None) -> str:
    # Another message id, or another witness, is another fact: deduplication must not swallow it.
    words = f"{report.result.model_dump_json()} {report.carrier_id} {report.stray_ids} {holder}"
    return hashlib.sha256(words.encode()).hexdigest()[:FACT_DIGITS]


def too_late(request: DeliveryRequested, *, redelivered: bool) -> Report:
    """Return the report of who comes after the lease and will not act.

    A message comes again this late only when its first holder never settled it, and that holder
    may have acted before it died. Within the lease a message comes again only when it was given
    back unread, and even then a carrier gets no content without job-store's permission. A send
    is never made without asking, so whoever did not ask knows that it did nothing.
    """
    if not redelivered or isinstance(request.action, Send):
        reason = "the lease was over on arrival"
        return Report(result=NotSent(reason=reason), carrier_id=_known_carrier(request))
    return unknown(request, "redelivered: another process may have acted on it")


def unknown(request: DeliveryRequested, reason: str) -> Report:
    """Return the report of an attempt of which nothing certain can be said."""
    return Report(
        result=Ambiguous(reason=reason),
        carrier_id=_known_carrier(request),
        edit_maybe_applied=isinstance(request.action, Show),
    )


def _known_carrier(request: DeliveryRequested) -> int | None:
    match request.action:
        case Show(carrier=Existing(message_id=message_id)):
            return message_id
        case Show() | PostStatus() | Rewrite() | Remove() | Send() | Stage():
            return None


def rewritten(action: Rewrite) -> Content:
    """Return what an old status is turned into."""
    return Content(kind=MediaKind.TEXT, text=action.text)
