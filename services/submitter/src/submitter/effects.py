"""Job-store as the submitter meets it: one question before the call, one outcome after it."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

import structlog
from nats.aio.client import Client
from pydantic import Field, TypeAdapter

from chassis import bus
from chassis.asking import Answered, Asking
from chassis.clock import Clock
from chassis.metrics import gauge
from contracts import subjects
from contracts.effects import Begin, Go, Stop
from contracts.submissions import SubmissionOutcome, TaskCreated

log = structlog.get_logger()

ONE_TRY: Final = 2.0  # seconds for one answer; a begin is one small transaction
PAUSE: Final = 0.5  # seconds before an outcome is sent again
LOUD_EVERY: Final = 20  # of the tries to tell an outcome one is logged

# By its mark, which must be there: what is neither is no permission.
_ANSWER: Final[TypeAdapter[Go | Stop]] = TypeAdapter(
    Annotated[Go | Stop, Field(discriminator="go")]
)
_UNTOLD = gauge("submission_outcomes_untold", "Outcomes known and not yet stored on the bus.")


class Effects:
    def __init__(self, client: Client, publisher: bus.Publisher, clock: Clock) -> None:
        self._asking = Asking(client, clock)
        self._publisher = publisher
        self._clock = clock

    async def begin(
        self, question: Begin, *, left: Callable[[], float]
    ) -> Answered[Go | Stop] | None:
        """Ask while seconds are left; None when no answer came: what was granted stays open."""
        return await self._asking.until_answered(
            subjects.EFFECT_BEGIN,
            question.model_dump_json().encode(),
            read=_ANSWER.validate_json,
            left=left,
            one_try=ONE_TRY,
        )

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
