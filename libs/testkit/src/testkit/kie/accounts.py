"""Accounts: one per API key, each with its credits and its rate windows."""

import time
from collections import deque
from dataclasses import dataclass, field

from testkit.kie.media import Medium

PRICES = {
    Medium.PNG: 4.0,
    Medium.JPEG: 4.0,
    Medium.VIDEO: 60.0,
    Medium.AUDIO: 12.0,
    Medium.WAV: 0.8,
    Medium.TEXT: 0.4,
}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


KIE_CREATES = Rate(calls=20, seconds=10.0)
KIE_POLLS = Rate(calls=10, seconds=1.0)


class RateWindow:
    """Counts calls in a sliding window; a refused call does not count."""

    def __init__(self, rate: Rate | None) -> None:
        self._rate = rate
        self._taken: deque[float] = deque()

    def admits(self) -> bool:
        """Take one call from the window, or say that it is full."""
        if self._rate is None:
            return True
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - self._rate.seconds:
            self._taken.popleft()
        if len(self._taken) >= self._rate.calls:
            return False
        self._taken.append(now)
        return True


@dataclass(slots=True, kw_only=True)
class Account:
    """One API key, its balance and its windows."""

    name: str
    credits_left: float
    creates: RateWindow = field(repr=False)
    polls: RateWindow = field(repr=False)
