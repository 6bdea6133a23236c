"""The questions we ask job-store: may this message be ours, and may we send."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from nats.aio.client import Client
from pydantic import BaseModel, ConfigDict

from chassis.asking import Answered, Asking
from chassis.clock import Clock
from contracts import subjects
from contracts.effects import Begin, Carried, Go, Stop
from deliverer.domain.leases import Lease

ONE_TRY: Final = 3.0  # seconds for one answer; job-store batches these within milliseconds


@dataclass(frozen=True, slots=True)
class Granted:
    """Put the content into this message while the new lease lasts."""

    message_id: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class Begun:
    """Send while this lease lasts; nobody else will."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Stopped:
    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody answered while the lease lasted."""


class _Flag(BaseModel):
    model_config = ConfigDict(extra="ignore")

    go: bool


class Effects:
    """Request and reply over core NATS; the same question may be asked many times."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._asking = Asking(client, clock)
        self._clock = clock

    async def begin(
        self, attempt_id: UUID, holder: UUID, *, not_after: datetime, lease: Lease
    ) -> Begun | Stopped | Unanswered:
        """Ask as this holder until there is an answer or the time to begin is over."""
        question = Begin(attempt_id=attempt_id, holder=holder, not_after=not_after)
        answered = await self._ask(subjects.EFFECT_BEGIN, question, lease)
        if answered is None:
            return Unanswered()
        match answered.answer:
            case Go(lease=seconds):
                return Begun(Lease.granted(asked_at=answered.asked_at, seconds=seconds))
            case Stop(reason=reason):
                return Stopped(reason)

    async def carried(
        self, attempt_id: UUID, message_id: int, *, not_after: datetime, lease: Lease
    ) -> Granted | Stopped | Unanswered:
        """Ask until there is an answer or the lease is over."""
        question = Carried(attempt_id=attempt_id, message_id=message_id, not_after=not_after)
        answered = await self._ask(subjects.EFFECT_CARRIED, question, lease)
        if answered is None:
            return Unanswered()
        match answered.answer:
            case Go(lease=seconds, message_id=other):
                granted = Lease.granted(asked_at=answered.asked_at, seconds=seconds)
                return Granted(other or message_id, granted)
            case Stop(reason=reason):
                return Stopped(reason)

    async def _ask(
        self, subject: str, question: Begin | Carried, lease: Lease
    ) -> Answered[Go | Stop] | None:
        return await self._asking.until_answered(
            subject,
            question.model_dump_json().encode(),
            read=_read,
            left=lambda: lease.left(self._clock.monotonic()),
            one_try=ONE_TRY,
        )


def _read(raw: bytes) -> Go | Stop:
    reader = Go if _Flag.model_validate_json(raw).go else Stop
    return reader.model_validate_json(raw)
