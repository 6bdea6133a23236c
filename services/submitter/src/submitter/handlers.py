"""Bus entry point: ask, call once, tell. Every rule lives in domain.py."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError

from chassis import tracing
from chassis.asking import Answered
from chassis.bus import Delivered
from chassis.clock import Clock
from chassis.metrics import counter, histogram
from chassis.verdicts import Hopeless, TryLater
from contracts.effects import Begin, Go, Stop
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.submissions import (
    SubmissionOutcome,
    SubmissionRequested,
    SubmissionResult,
    TaskCreated,
)
from submitter import domain
from submitter.effects import Effects
from submitter.kie import Kie

log = structlog.get_logger()

# A call may take this long; its own handling tells the outcome.
BUSY_DELAY: Final = timedelta(seconds=30)
LEAVING_DELAY: Final = timedelta(seconds=1)  # whoever stays may take it at once

_EVENTS: Final = {
    "done": "[GEN_CREATE] submission.created",
    "not_sent": "[GEN_CREATE] submission.not_sent",
    "later": "[GEN_CREATE] submission.put_off",
    "ambiguous": "[GEN_CREATE] submission.ambiguous",
    "refused": "[GEN_CREATE] submission.refused",
}
_OUTCOMES = counter(
    "submissions_total", "createTask requests by what came of them.", ["outcome"], known=_EVENTS
)
_CALL_SECONDS = histogram("kie_create_seconds", "One createTask call.")


@dataclass(frozen=True, slots=True)
class Granted:
    """We may act; the lease may have begun at this moment of our monotonic clock."""

    go: Go
    asked_at: float


class Handlers:
    def __init__(self, *, effects: Effects, kie: Kie, pace: domain.Pace, clock: Clock) -> None:
        self._effects = effects
        self._kie = kie
        self._clock = clock
        self._attempts = domain.Attempts()
        self._pace = pace
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Begin no call any more; those that were begun are finished and their outcomes told."""
        self._leaving.set()

    async def on_submission_requested(self, delivered: Delivered) -> None:
        request = _read(delivered)
        if self._leaving.is_set():
            raise TryLater("this process is leaving", after=LEAVING_DELAY)
        match self._attempts.take(request.attempt.id):
            case domain.Taken.BUSY:
                raise TryLater("the attempt is being handled here", after=BUSY_DELAY)
            case SubmissionOutcome() as known:
                await self._effects.tell(known)
                log.info(
                    "[GEN_CREATE] submission.repeated", **_ids(request), outcome=known.result.kind
                )
            case domain.Taken.FRESH:
                try:
                    await self._handle(request, delivered)
                finally:
                    self._attempts.release(request.attempt.id)

    async def _handle(self, request: SubmissionRequested, delivered: Delivered) -> None:
        holder = uuid4()
        result = await self._result(request, delivered, holder)
        if result is None:
            return
        outcome = domain.outcome_of(
            request,
            result,
            holder=holder,
            now=self._clock.now(),
            credits_left=self._kie.credits_left(request.account),
        )
        self._attempts.settle(outcome)
        await self._effects.tell(outcome)
        _note(request, outcome)

    async def _result(
        self, request: SubmissionRequested, delivered: Delivered, holder: UUID
    ) -> SubmissionResult | None:
        """Return what came of it; None when it is not ours to say."""
        match await self._ask(request, holder):
            case Granted() as granted:
                return await self._act(request, granted)
            case Stop(reason=reason):
                log.debug("submission.stopped", **_ids(request), reason=reason)
                return None
            case None if domain.is_first_delivery(delivered.num_delivered):
                return NotSent(reason="not allowed to act before not_after")
            case None:
                # Whoever received it before us may have acted: job-store's clock decides.
                log.info("[GEN_CREATE] submission.expired", **_ids(request))
                return None

    async def _ask(self, request: SubmissionRequested, holder: UUID) -> Granted | Stop | None:
        """Ask as one holder until there is an answer; None when the time to act has passed."""
        not_after = request.attempt.not_after
        question = Begin(attempt_id=request.attempt.id, holder=holder, not_after=not_after)
        match await self._effects.begin(question, left=lambda: self._time_left(not_after)):
            case Answered(Go() as go, asked_at):
                return Granted(go, asked_at)
            case Answered(Stop() as stop):
                return stop
            case _:
                return None

    def _time_left(self, not_after: datetime) -> float:
        """Seconds in which we may still be told to act; none once we leave."""
        if self._leaving.is_set():
            return 0.0
        return (not_after - self._clock.now()).total_seconds()

    async def _act(self, request: SubmissionRequested, granted: Granted) -> SubmissionResult:
        """Call KIE once, in the account's pace, if it is there and the call surely ends within the lease."""
        if (silence := await self._kie.silence(request.account)) is not None:
            return silence
        now = self._clock.monotonic()
        wait = self._pace.wait(request.account, now)
        if wait > self._slack(request, granted):
            return NotSent(reason="too little of the lease is left", after=wait)
        self._pace.reserve(request.account, now + wait)
        if wait > 0:
            await self._rest(wait)
        if self._leaving.is_set():
            return NotSent(reason="this process is leaving")
        if self._slack(request, granted) < 0:
            return NotSent(reason="the lease ran out while waiting")
        with tracing.span("kie createTask", tracing.Kind.CLIENT), _CALL_SECONDS.time():
            result = await self._kie.create(request)
            tracing.note(outcome=result.kind, family=request.family)
            return result

    async def _rest(self, seconds: float) -> None:
        """Wait out the pace, or until we leave."""
        resting = asyncio.create_task(self._clock.sleep(seconds))
        leaving = asyncio.create_task(self._leaving.wait())
        try:
            await asyncio.wait({resting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            resting.cancel()
            leaving.cancel()

    def _slack(self, request: SubmissionRequested, granted: Granted) -> float:
        elapsed = self._clock.monotonic() - granted.asked_at
        return domain.slack(granted.go, request, elapsed=elapsed)


def _read(delivered: Delivered) -> SubmissionRequested:
    try:
        return SubmissionRequested.read(delivered.data)
    except ValidationError as problem:
        # The count only: the text quotes the input, which holds the prompt.
        raise Hopeless(f"no submission request: {problem.error_count()} errors") from None


def _ids(request: SubmissionRequested) -> dict[str, str | int]:
    return {
        "job_id": str(request.job_id),
        "attempt_id": str(request.attempt.id),
        "attempt_no": request.attempt.no,
        "bot": request.bot,
        "account": request.account,
        "family": request.family,
    }


def _note(request: SubmissionRequested, outcome: SubmissionOutcome) -> None:
    result = outcome.result
    _OUTCOMES.labels(result.kind).inc()
    log.info(_EVENTS[result.kind], **_ids(request), outcome=result.kind, **_details(result))
    tracing.note(**_ids(request), outcome=result.kind)


def _details(result: SubmissionResult) -> dict[str, str | float | bool | None]:
    # No texts of KIE: they may quote the prompt. The outcome carries them to the operator.
    match result:
        case TaskCreated():
            return {"task_id": result.task_id}
        case NotSent():
            return {"reason": result.reason, "after": result.after}
        case Later():
            return {"after": result.after, "needs_owner": result.needs_owner}
        case Refused():
            return {"code": result.code, "failure": result.failure}
        case Ambiguous():
            return {}
