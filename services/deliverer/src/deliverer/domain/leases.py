"""Until when an attempt may act, on this machine's own monotonic clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from contracts.message import Attempt

MARGIN: Final = 0.5  # seconds between our last act and the moment others may act; a LAN round trip


@dataclass(frozen=True, slots=True)
class Lease:
    """`until` is a reading of the monotonic clock."""

    until: float

    @classmethod
    def received(cls, attempt: Attempt, *, monotonic: float, wall: datetime) -> Self:
        """Count from receipt, and never past `not_after`: the message may have waited."""
        left = min(attempt.lease, (attempt.not_after - wall).total_seconds())
        return cls(monotonic + left)

    @classmethod
    def granted(cls, *, asked_at: float, seconds: float) -> Self:
        """Count from the moment the question was sent."""
        return cls(asked_at + seconds)

    def left(self, monotonic: float) -> float:
        """Seconds in which acting is still allowed; negative when it is over."""
        return self.until - MARGIN - monotonic

    def over(self, monotonic: float) -> bool:
        return self.left(monotonic) <= 0


ENDED: Final = Lease(float("-inf"))
