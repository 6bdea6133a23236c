"""Bus entry points: read, apply in shared batches, say what came of it. Every rule lives in domain."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from pydantic import ValidationError

from chassis import tracing
from chassis.bus import Delivered
from chassis.coalesce import Coalescer, Outage
from chassis.postgres import is_conflict, is_outage
from chassis.verdicts import Hopeless, TryLater
from contracts.deliveries import DeliveryOutcome, Sent, Shown
from contracts.message import Message
from contracts.reports import ReportReceived
from contracts.submissions import SubmissionOutcome
from job_store.store.effects import Effects, Settled
from job_store.store.inbox import Applied, Inbox
from job_store.store.unit import TaskTakenError

log = structlog.get_logger()

M = TypeVar("M", bound=Message)
T = TypeVar("T")
R = TypeVar("R")

BATCH = 200  # messages a transaction
PATIENCE = 8  # deliveries after which a message that always fails is set aside as a row
PAUSE = timedelta(seconds=1)


class Handlers:
    def __init__(self, inbox: Inbox, effects: Effects) -> None:
        self._inbox = inbox
        self._reports = _shared("apply reports", inbox.apply_reports)
        self._submissions = _shared("apply submissions", effects.apply_submissions)
        self._deliveries = _shared("apply deliveries", effects.apply_deliveries)

    async def on_report_received(self, delivered: Delivered) -> None:
        report = _read(ReportReceived, delivered)
        applied = await _settled(self._reports(report), delivered)
        if applied.did == "unreadable":
            raise Hopeless("a report that names neither a task nor a job")
        _log_report(applied)

    async def on_submission_outcome(self, delivered: Delivered) -> None:
        outcome = _read(SubmissionOutcome, delivered)
        _log_outcome(await _settled(self._submissions(outcome), delivered))

    async def on_delivery_outcome(self, delivered: Delivered) -> None:
        outcome = _read(DeliveryOutcome, delivered)
        _log_outcome(await _settled(self._deliveries(outcome), delivered))

    def dead_letters_of(self, durable: str) -> Callable[[Delivered, str], Awaitable[None]]:
        """Return what keeps a durable's hopeless messages, as rows, before they are acked."""

        async def keep(delivered: Delivered, reason: str) -> None:
            await self._inbox.keep_dead_letter(
                durable=durable,
                subject=delivered.subject,
                stream_seq=delivered.stream_seq,
                payload=delivered.data,
                reason=reason,
            )

        return keep


def loud(apply: Callable[[list[T]], Awaitable[list[R]]]) -> Callable[[list[T]], Awaitable[list[R]]]:
    """Tell an absent database apart from a poison message: nobody is tried one by one against it."""

    async def applied(batch: list[T]) -> list[R]:
        try:
            return await apply(batch)
        except Exception as problem:
            if is_outage(problem) or is_conflict(problem):
                raise Outage(type(problem).__name__) from problem
            raise

    return applied


def _shared(
    name: str, apply: Callable[[list[M]], Awaitable[list[R]]]
) -> Callable[[M], Awaitable[R]]:
    """Let messages that arrive together share a transaction, which is linked to each one's trace."""

    async def applied(batch: list[M]) -> list[R]:
        with tracing.batch(name, [message.trace for message in batch]):
            return await apply(batch)

    return Coalescer(loud(applied), max_batch=BATCH)


def _read(kind: type[M], delivered: Delivered) -> M:
    """Read a message; what it leads to, whenever that is, was caused by this handling of it."""
    try:
        message = kind.read(delivered.data)
        return message.model_copy(update={"trace": tracing.current() or message.trace})
    except ValidationError as invalid:
        fields = sorted(
            {".".join(map(str, error["loc"])) or "message" for error in invalid.errors()}
        )
        raise Hopeless(f"not a {kind.__name__}: {', '.join(fields)[:500]}") from invalid


async def _settled(answer: Awaitable[T], delivered: Delivered) -> T:
    try:
        return await answer
    except Outage as outage:
        raise TryLater(f"database: {outage}", after=PAUSE) from outage
    except TaskTakenError as taken:
        raise Hopeless(f"task {taken} belongs to another job") from taken
    except Exception as problem:
        if delivered.num_delivered >= PATIENCE:
            raise Hopeless(f"{type(problem).__name__}: {problem}"[:500]) from problem
        raise


def _log_report(applied: Applied) -> None:
    tag = "[KIE_CALLBACK]" if applied.report.origin == "callback" else "[JOB_UPDATE]"
    facts = {
        "job_id": str(applied.job_id) if applied.job_id else None,
        "task_id": applied.report.reading.task_id,
        "state": applied.report.reading.state,
        "trust": applied.trust,
        "did": applied.did,
    }
    event = f"{tag} report.applied"
    log.info(event, report_id=applied.report.id, **facts)
    tracing.note(**facts)


def _log_outcome(settled: Settled) -> None:
    outcome = settled.outcome
    facts: dict[str, str | float | None] = {
        "job_id": str(outcome.job_id),
        "attempt_id": str(outcome.attempt_id),
        "outcome": outcome.result.kind,
        "moved": settled.moved,
        "state": settled.state,
        "again_in": settled.again_in,
    }
    log.info(_event_of(outcome, settled.again_in), **facts)
    tracing.note(**facts)


def _event_of(outcome: SubmissionOutcome | DeliveryOutcome, again_in: float | None) -> str:
    if isinstance(outcome, SubmissionOutcome):
        return "[JOB_UPDATE] submission.applied"
    if isinstance(outcome.result, Shown | Sent):
        return "[TELEGRAM_SUCCESS] delivery.done"
    if again_in is not None:
        return "[DELIVERY_RETRY] delivery.due_again"
    return "[JOB_UPDATE] delivery.applied"
