"""Asking another service over core NATS until it answers or the time to act is over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import nats.errors
import structlog
from nats.aio.client import Client

from chassis import tracing
from chassis.clock import Clock, honour_cancellation

log = structlog.get_logger()

PAUSE: Final = 0.2  # seconds before asking again when nobody listens

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """What was answered, and when the question it answers was sent, on the monotonic clock."""

    answer: A
    asked_at: float


class Asking:
    """Repeats a question in the same words; the other side must answer it the same way twice."""

    def __init__(self, client: Client, clock: Clock) -> None:
        """Ask over this connection."""
        self._client = client
        self._clock = clock

    async def until_answered(
        self,
        subject: str,
        question: bytes,
        *,
        read: Callable[[bytes], A],
        left: Callable[[], float],
        one_try: float,
    ) -> Answered[A] | None:
        """Return the first readable answer, or None when no seconds are `left`.

        `read` raises `ValueError` for what is no answer: another version, an error of the other
        side's. That is not a permission, and the question is asked again.
        """
        tries = 0
        with tracing.span(f"ask {subject}", tracing.Kind.CLIENT) as span:
            while (seconds := left()) > 0:
                tries += 1
                asked_at = self._clock.monotonic()
                raw = await self._ask(subject, question, seconds=min(one_try, seconds))
                honour_cancellation()
                if raw is not None:
                    try:
                        return Answered(read(raw), asked_at)
                    except ValueError:
                        log.debug("question.answer_unreadable", subject=subject, bytes=len(raw))
                await self._clock.sleep(min(PAUSE, seconds))
            # One line a question: in an outage every worker asks five times a second.
            log.warning("question.unanswered", subject=subject, tries=tries)
            span.tell({"error.type": "unanswered"})
        return None

    async def _ask(self, subject: str, question: bytes, *, seconds: float) -> bytes | None:
        try:
            reply = await self._client.request(
                subject, question, timeout=seconds, headers=tracing.headers()
            )
        except (nats.errors.Error, OSError, TimeoutError) as problem:
            log.debug("question.lost", subject=subject, problem=type(problem).__name__)
            return None
        return reply.data
