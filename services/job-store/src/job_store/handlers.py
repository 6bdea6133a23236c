"""Bus entry points: read, apply in shared batches, say what came of it. Every rule lives in domain."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from pydantic import ValidationError

from chassis.bus import Delivered
from chassis.coalesce import Coalescer, Outage
from chassis.postgres import is_conflict, is_outage
from chassis.verdicts import Hopeless, TryLater
from contracts.deliveries import DeliveryOutcome
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
        self._reports = Coalescer(loud(inbox.apply_reports), max_batch=BATCH)
        self._submissions = Coalescer(loud(effects.apply_submissions), max_batch=BATCH)
        self._deliveries = Coalescer(loud(effects.apply_deliveries), max_batch=BATCH)

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


def _read(kind: type[M], delivered: Delivered) -> M:
    try:
        return kind.read(delivered.data)
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
    event = f"{tag} report.applied"
    log.info(
        event,
        job_id=str(applied.job_id) if applied.job_id else None,
        task_id=applied.report.reading.task_id,
        state=applied.report.reading.state,
        trust=applied.trust,
        did=applied.did,
    )


def _log_outcome(settled: Settled) -> None:
    outcome = settled.outcome
    shown = isinstance(outcome, DeliveryOutcome) and outcome.result.kind in ("done", "sent")
    log.info(
        "[TELEGRAM_SUCCESS] delivery.done" if shown else "[JOB_UPDATE] outcome.applied",
        job_id=str(outcome.job_id),
        attempt_id=str(outcome.attempt_id),
        outcome=outcome.result.kind,
        moved=settled.moved,
    )
