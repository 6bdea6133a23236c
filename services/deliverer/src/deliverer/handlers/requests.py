"""A delivery request becomes a delivery outcome, once per attempt however often it is delivered."""

import asyncio
from collections import OrderedDict
from typing import Final
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError

from chassis import tracing
from chassis.bus import Delivered, NotStored, Outgoing, Publisher
from chassis.clock import Clock
from chassis.verdicts import Hopeless
from contracts import subjects
from contracts.deliveries import DeliveryOutcome, DeliveryRequested, Send, Sent, Shown
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from deliverer.domain.leases import Lease
from deliverer.domain.reports import Report, outcome_of, too_late, unknown
from deliverer.handlers.acting import Acting
from deliverer.handlers.calling import Calling

log = structlog.get_logger()

ATTEMPTS_REMEMBERED: Final = 10_000
TELL_AGAIN: Final = 1.0  # seconds before an outcome the bus did not store is published again
EDIT_CALL: Final = (
    75.0  # seconds a call takes at most, but for a large upload, which may be repeated
)
TELL_WITHIN: Final = 10.0  # seconds an outcome gets to be told when the service stops

_Handled = asyncio.Future[DeliveryOutcome]
_Handling = asyncio.Task[None]


class Deliveries:
    """The one subject this service reads; as a part of the service, it notes when to stop."""

    name = "deliveries"

    def __init__(
        self, acting: Acting, publisher: Publisher, calling: Calling, clock: Clock
    ) -> None:
        self._acting = acting
        self._publisher = publisher
        self._calling = calling
        self._clock = clock
        self._handled: OrderedDict[UUID, _Handled] = OrderedDict()
        self._running: dict[_Handling, float] = {}

    async def run(self, ready: asyncio.Event) -> None:
        """Be stopped first, before the consumer waits for what it handed out."""
        ready.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._calling.stop()

    async def on_delivery_requested(self, delivered: Delivered) -> None:
        """Act, tell, and only then let the message be acked."""
        try:
            request = DeliveryRequested.read(delivered.data)
        except ValidationError as unreadable:
            raise Hopeless(f"unreadable request: {unreadable.error_count()} errors") from None
        # In a task of its own: the consumer's patience when it stops is shorter than a call, and
        # a call that is cancelled may still be sent.
        handling = asyncio.create_task(self._answer(request, delivered.num_delivered))
        self._running[handling] = longest(request)
        handling.add_done_callback(lambda done: self._running.pop(done, None))
        await asyncio.shield(handling)

    async def drain(self) -> None:
        """Wait for the calls in flight and for their outcomes to be told, each in its bounds."""
        while self._running:
            seconds = max(self._running.values()) + TELL_WITHIN
            log.info("deliveries.draining", running=len(self._running), seconds=seconds)
            _, late = await asyncio.wait(set(self._running), timeout=seconds)
            for handling in late:
                handling.cancel()
            if late:
                log.error("deliveries.cut_off", running=len(late))
                await asyncio.wait(late)

    async def _answer(self, request: DeliveryRequested, num_delivered: int) -> None:
        outcome = await self._once(request, redelivered=num_delivered > 1)
        await self._tell(outcome)

    async def _once(self, request: DeliveryRequested, *, redelivered: bool) -> DeliveryOutcome:
        known = self._handled.get(request.attempt.id)
        if known is not None:
            return await asyncio.shield(known)
        handled: _Handled = asyncio.get_running_loop().create_future()
        self._remember(request.attempt.id, handled)
        try:
            outcome = await self._handle(request, redelivered=redelivered)
        except BaseException:
            self._handled.pop(request.attempt.id, None)
            handled.cancel()
            raise
        handled.set_result(outcome)
        return outcome

    async def _handle(self, request: DeliveryRequested, *, redelivered: bool) -> DeliveryOutcome:
        received_at = self._clock.monotonic()
        lease = Lease.received(request.attempt, monotonic=received_at, wall=self._clock.now())
        # New for every handling: another process that was handed the same message is another.
        holder = uuid4()
        if lease.over(received_at):
            report = too_late(request, redelivered=redelivered)
        else:
            report = await self._act(request, lease, holder)
        asked_by = holder if isinstance(request.action, Send) else None
        outcome = outcome_of(request, report, at=self._clock.now(), holder=asked_by)
        _log(request, outcome, seconds=self._clock.monotonic() - received_at)
        return outcome

    async def _act(self, request: DeliveryRequested, lease: Lease, holder: UUID) -> Report:
        try:
            return await self._acting.act(request, lease, holder=holder)
        except Exception:
            # A bug of ours: handling it again could double what it did before it failed.
            log.exception("delivery.failed", attempt_id=str(request.attempt.id))
            return unknown(request, "the deliverer failed on it")

    async def _tell(self, outcome: DeliveryOutcome) -> None:
        outgoing = Outgoing(
            subject=subjects.DELIVERY_OUTCOME, data=outcome.wire(), msg_id=outcome.id
        )
        try:
            await self._store(outgoing)
        except asyncio.CancelledError:
            # The process must end before the bus came back; for a person, this line is all there is.
            log.error("outcome.lost", outcome=outcome.model_dump(mode="json"))  # noqa: TRY400 - told to stop, no error of ours
            raise

    async def _store(self, outgoing: Outgoing) -> None:
        while True:
            try:
                await self._publisher.publish(outgoing)
                return
            except NotStored as untold:
                # Untold evidence costs more than a held worker: with the bus away or full,
                # there is nothing better to do than to act no further.
                log.warning("outcome.untold", reason=untold.reason, outcome_id=outgoing.msg_id)
                await self._clock.sleep(TELL_AGAIN)

    def _remember(self, attempt_id: UUID, handled: _Handled) -> None:
        self._handled[attempt_id] = handled
        if len(self._handled) > ATTEMPTS_REMEMBERED:
            self._handled.popitem(last=False)


def longest(request: DeliveryRequested) -> float:
    """Return the seconds the last call of a request may take."""
    return request.action.call_timeout if isinstance(request.action, Send) else EDIT_CALL


def _log(request: DeliveryRequested, outcome: DeliveryOutcome, *, seconds: float) -> None:
    result = outcome.result
    event = "[DELIVERY_RETRY] delivery.not_shown"
    if isinstance(result, Shown | Sent):
        event = "[TELEGRAM_SUCCESS] delivery.shown"
    reason = result.reason if isinstance(result, NotSent | Later | Ambiguous | Refused) else None
    log.info(
        event,
        outcome=result.kind,
        action=request.action.kind,
        reason=reason,
        attempt_id=str(request.attempt.id),
        attempt_no=request.attempt.no,
        job_id=str(request.job_id),
        part_id=str(outcome.part_id) if outcome.part_id else None,
        bot=request.bot,
        chat_id=request.chat_id,
        carrier_id=outcome.carrier_id,
        stray_ids=outcome.stray_ids,
        seconds=round(seconds, 3),
    )
    tracing.note(
        job_id=str(request.job_id),
        attempt_id=str(request.attempt.id),
        attempt_no=request.attempt.no,
        action=request.action.kind,
        outcome=result.kind,
    )
