"""A callback in, an answer out: judge it, store it. Every rule lives in the domain."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from callback_gateway.domain import answers, bucket
from callback_gateway.domain.answers import Problem
from callback_gateway.domain.arrival import Callback
from callback_gateway.domain.judgement import (
    Keys,
    Refuse,
    Store,
    is_vouched,
    judge,
    standing,
)
from callback_gateway.domain.reports import Report
from chassis import tracing
from chassis.bus import NotStored, Outgoing, Publisher, Stored, TooLarge
from chassis.clock import Clock
from chassis.metrics import counter, histogram
from contracts.reports import ReportState
from contracts.subjects import REPORT_RECEIVED
from contracts.values import trace_of

log = structlog.get_logger()

# Between two tries while the bus is away: a restarted server is found within the caller's patience.
PAUSE: Final = timedelta(milliseconds=250)

_READINGS = counter(
    "callback_readings_total", "Callbacks stored, by what we read.", ["state"], known=ReportState
)
_STORING = histogram("callback_store_seconds", "From the judged callback to its PubAck or 503.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a caller may wait: KIE hangs up after 15 s (kie.md section 4)."""

    publishing: timedelta
    whole_request: timedelta


class Handlers:
    """The one decision of the gateway: a callback is stored, or its caller hears why not."""

    def __init__(
        self,
        publisher: Publisher,
        *,
        keys: Keys,
        patience: Patience,
        unvouched: bucket.Rate,
        clock: Clock,
    ) -> None:
        self._publisher = publisher
        self._keys = keys
        self._patience = patience
        self._last_try = (patience.publishing - PAUSE).total_seconds()
        self._clock = clock
        # This process's own: replicas share nothing.
        self._strangers = bucket.full(unvouched, at=clock.monotonic())
        self._holds_back = False

    async def on_callback(self, callback: Callback, *, began: float) -> Problem | None:
        """Return None once the callback is stored; `began` is the request's start (monotonic)."""
        match judge(callback, keys=self._keys, now=self._clock.now()):
            case Refuse(problem):
                _refused(problem)
                return problem
            case Store(report):
                if (held := self._held_back(report)) is not None:
                    return held
                with tracing.span(
                    "receive callback", tracing.Kind.SERVER, parent=_trace(report), since=began
                ):
                    stored = await self._stored(report, within=self._time_left(began))
                    _note(report, stored)
                return None if stored is not None else answers.NOT_STORED

    def _held_back(self, report: Report) -> Problem | None:
        """Refuse what nobody vouches for while too much of it comes; nothing is lost by it.

        A job's own callbacks carry its token. KIE may repeat the others, and a poll finds the
        result of every task that a job is told of.
        """
        if is_vouched(report.message):
            return None
        match bucket.take(self._strangers, at=self._clock.monotonic()):
            case bucket.Wait(seconds):
                # No flood of lines: the first after each that was taken; the metric counts them all.
                if not self._holds_back:
                    _refused(answers.TOO_MANY_UNVOUCHED)
                self._holds_back = True
                return replace(answers.TOO_MANY_UNVOUCHED, retry_after=seconds)
            case rest:
                self._strangers, self._holds_back = rest, False
                return None

    def _time_left(self, began: float) -> float:
        rest = self._patience.whole_request.total_seconds() - (self._clock.monotonic() - began)
        return max(0.0, min(rest, self._patience.publishing.total_seconds()))

    async def _stored(self, report: Report, *, within: float) -> Stored | None:
        """Publish while the caller waits; identical callbacks and lost answers share the id."""
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(within):
                return await self._publish(report, until=began + self._last_try)
        except TimeoutError:
            return None
        finally:
            _STORING.observe(self._clock.monotonic() - began)

    async def _publish(self, report: Report, *, until: float) -> Stored | None:
        outgoing = Outgoing(subject=REPORT_RECEIVED, data=report.wire, msg_id=report.message.id)
        while True:
            try:
                return await self._publisher.publish(outgoing)
            except (NotStored, TooLarge) as refusal:
                hopeless = isinstance(refusal, TooLarge)
                if hopeless or self._clock.monotonic() >= until:
                    log.warning("[KIE_CALLBACK] callback.publish_failed", reason=str(refusal))
                    return None
            await self._clock.sleep(PAUSE.total_seconds())


def _refused(problem: Problem) -> None:
    log.info("[KIE_CALLBACK] callback.refused", status=problem.status, problem=problem.name)


def _trace(report: Report) -> str | None:
    """Return what the callback belongs to: the trace of the job we signed it for; no header of a stranger's."""
    token = report.message.token
    return trace_of(token.job_id) if token is not None and token.verdict == "valid" else None


def _note(report: Report, stored: Stored | None) -> None:
    message = report.message
    fields = {
        "job_id": str(message.token.job_id) if message.token else None,
        "task_id": message.reading.task_id,
        "state": message.reading.state.value,
        "trust": standing(message),
        "hmac": message.hmac.verdict,
        "anomalies": list(message.reading.anomalies),
        "report_id": message.id,
    }
    tracing.note(
        job_id=str(message.token.job_id) if message.token else None,
        task_id=message.reading.task_id,
        state=message.reading.state.value,
        stored=stored is not None,
        duplicate=stored.duplicate if stored is not None else None,
    )
    if stored is None:
        log.warning("[KIE_CALLBACK] callback.not_stored", **fields)
        return
    _READINGS.labels(message.reading.state.value).inc()
    log.info("[KIE_CALLBACK] callback.stored", duplicate=stored.duplicate, seq=stored.seq, **fields)
