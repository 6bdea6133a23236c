"""Job-store as the submitter meets it: one question before the call, one outcome after it."""

import asyncio
from datetime import timedelta
from typing import Final

import nats.errors
import structlog
from nats.aio.client import Client
from pydantic import TypeAdapter, ValidationError

from chassis import bus
from chassis.clock import Clock
from chassis.metrics import gauge
from contracts import subjects
from contracts.effects import Begin, Go, Stop
from contracts.submissions import SubmissionOutcome, TaskCreated

log = structlog.get_logger()

ANSWER_TIMEOUT: Final = timedelta(seconds=2)  # a begin is one small transaction
PAUSE: Final = 0.5  # seconds before a question or an outcome is sent again
LOUD_EVERY: Final = 20  # of the tries to tell an outcome one is logged

_ANSWER: Final[TypeAdapter[Go | Stop]] = TypeAdapter(Go | Stop)
_UNTOLD = gauge("submission_outcomes_untold", "Outcomes known and not yet stored on the bus.")


class Effects:
    def __init__(self, client: Client, publisher: bus.Publisher, clock: Clock) -> None:
        self._client = client
        self._publisher = publisher
        self._clock = clock

    async def begin(self, question: Begin) -> Go | Stop | None:
        """Ask once; None when no readable answer came, which leaves open what was granted."""
        try:
            reply = await self._client.request(
                subjects.EFFECT_BEGIN,
                question.model_dump_json().encode(),
                timeout=ANSWER_TIMEOUT.total_seconds(),
            )
            answer = _ANSWER.validate_json(reply.data)
            if answer.go == isinstance(answer, Go):
                return answer
        except (nats.errors.Error, OSError, TimeoutError, ValidationError) as problem:
            attempt_id = str(question.attempt_id)
            log.debug("begin.unanswered", attempt_id=attempt_id, problem=type(problem).__name__)
        await self._clock.sleep(PAUSE)
        return None

    async def tell(self, outcome: SubmissionOutcome) -> None:
        """Return once the outcome is stored, however long the bus is away.

        A redelivery could not make up for it: another process would get that, and be told to stop.
        """
        outgoing = bus.Outgoing(
            subject=subjects.SUBMISSION_OUTCOME, data=outcome.wire(), msg_id=outcome.id
        )
        try:
            with _UNTOLD.track_inprogress():
                await self._store(outgoing)
        except asyncio.CancelledError:
            # The process must end before the bus came back; for a person, this line is all there is.
            log.error("outcome.lost", **_evidence(outcome))  # noqa: TRY400 - told to stop, no error of ours
            raise

    async def _store(self, outgoing: bus.Outgoing) -> None:
        tries = 0
        while (why := await self._refusal(outgoing)) is not None:
            if tries % LOUD_EVERY == 0:
                log.warning("outcome.not_stored", id=outgoing.msg_id, reason=why)
            tries += 1
            await self._clock.sleep(PAUSE)

    async def _refusal(self, outgoing: bus.Outgoing) -> str | None:
        try:
            await self._publisher.publish(outgoing)
        except bus.NotStored as refusal:
            return refusal.reason
        return None


def _evidence(outcome: SubmissionOutcome) -> dict[str, str | None]:
    result = outcome.result
    return {
        "job_id": str(outcome.job_id),
        "attempt_id": str(outcome.attempt_id),
        "outcome": result.kind,
        "task_id": result.task_id if isinstance(result, TaskCreated) else None,
    }
