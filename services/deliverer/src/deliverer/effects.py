"""The question we ask job-store between a carrier and its content: may this message be ours?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import nats.errors
import structlog
from nats.aio.client import Client
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.clock import Clock
from contracts import subjects
from contracts.effects import Carried, Go, Stop
from deliverer.domain.leases import Lease

log = structlog.get_logger()

ONE_TRY: Final = 3.0  # seconds for one answer; job-store batches these within milliseconds
PAUSE: Final = 0.2  # seconds before asking again when nobody listens


@dataclass(frozen=True, slots=True)
class Granted:
    """Put the content into this message while the new lease lasts."""

    message_id: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class Stopped:
    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody answered while the lease lasted."""


Verdict = Granted | Stopped | Unanswered


class _Flag(BaseModel):
    model_config = ConfigDict(extra="ignore")

    go: bool


class Effects:
    """Request and reply over core NATS; the same question may be asked many times."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def carried(
        self, attempt_id: UUID, message_id: int, *, not_after: datetime, lease: Lease
    ) -> Verdict:
        """Ask until there is an answer or the lease is over."""
        question = Carried(attempt_id=attempt_id, message_id=message_id, not_after=not_after)
        raw = question.model_dump_json().encode()
        while (left := lease.left(self._clock.monotonic())) > 0:
            asked_at = self._clock.monotonic()
            answer = await self._ask(raw, seconds=min(ONE_TRY, left))
            match answer:
                case Go():
                    granted = Lease.granted(asked_at=asked_at, seconds=answer.lease)
                    return Granted(answer.message_id or message_id, granted)
                case Stop(reason=reason):
                    return Stopped(reason)
                case None:
                    await self._clock.sleep(min(PAUSE, left))
        return Unanswered()

    async def _ask(self, raw: bytes, *, seconds: float) -> Go | Stop | None:
        try:
            reply = await self._client.request(subjects.EFFECT_CARRIED, raw, timeout=seconds)
        except (nats.errors.Error, OSError, TimeoutError) as problem:
            log.warning("effects.unanswered", problem=type(problem).__name__)
            return None
        try:
            flag = _Flag.model_validate_json(reply.data)
            reader = Go if flag.go else Stop
            return reader.model_validate_json(reply.data)
        except ValidationError:
            # An answer of another version, or an error of the store's: not a permission.
            log.warning("effects.answer_unreadable", bytes=len(reply.data))
            return None
