"""Bus entry point: ask KIE once, report what it said. Every rule lives in domain.py."""

from datetime import timedelta
from typing import Final

import structlog
from pydantic import ValidationError

from chassis import tracing
from chassis.bus import Delivered, NotStored, Outgoing, Publisher
from chassis.clock import Clock
from chassis.metrics import counter, histogram
from chassis.verdicts import Hopeless, TryLater
from contracts import subjects
from contracts.polls import PollRequested
from contracts.reports import ReportReceived, ReportState
from reconciler import domain
from reconciler.kie import Kie

log = structlog.get_logger()

STORE_DELAY: Final = timedelta(seconds=2)  # a bus that refuses reports gets a moment

_REPORTS = counter(
    "poll_reports_total", "Polls reported, by what KIE said.", ["state"], known=ReportState
)
_CALL_SECONDS = histogram("kie_poll_seconds", "One polling call.")


class Handlers:
    def __init__(self, *, kie: Kie, publisher: Publisher, clock: Clock) -> None:
        self._kie = kie
        self._publisher = publisher
        self._clock = clock

    async def on_poll_requested(self, delivered: Delivered) -> None:
        request = _read(delivered)
        if self._clock.now() >= request.attempt.not_after:
            # Job-store's clock has made the question due again: an answer would be a second one.
            log.info("poll.expired", **_ids(request))
            return
        with tracing.span("kie recordInfo", tracing.Kind.CLIENT), _CALL_SECONDS.time():
            answer = await self._kie.poll(request)
            tracing.note(family=request.family)
        report = domain.report_of(request, answer, now=self._clock.now())
        await self._tell(report)
        _note(request, report)

    async def _tell(self, report: ReportReceived) -> None:
        try:
            await self._publisher.publish(
                Outgoing(subject=subjects.REPORT_RECEIVED, data=report.wire(), msg_id=report.id)
            )
        except NotStored as refusal:
            # Asking KIE twice is harmless, so nothing is kept for the next delivery.
            raise TryLater(refusal.reason, after=STORE_DELAY) from refusal


def _read(delivered: Delivered) -> PollRequested:
    try:
        return PollRequested.read(delivered.data)
    except ValidationError as problem:
        raise Hopeless(f"no poll request: {problem.error_count()} errors") from None


def _ids(request: PollRequested) -> dict[str, str]:
    return {
        "job_id": str(request.job_id),
        "attempt_id": str(request.attempt.id),
        "bot": request.bot,
        "account": request.account,
        "family": request.family,
        "task_id": request.task_id,
    }


def _note(request: PollRequested, report: ReportReceived) -> None:
    reading = report.reading
    _REPORTS.labels(reading.state.value).inc()
    log.info(
        "poll.reported",
        **_ids(request),
        outcome=reading.state.value,
        media=len(reading.media),
        error_code=reading.error_code,
        anomalies=list(reading.anomalies),
    )
    tracing.note(**_ids(request), outcome=reading.state.value)
