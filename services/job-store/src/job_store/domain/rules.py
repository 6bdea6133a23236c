"""The numbers and choices a deployment makes; given to decisions, never read by them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

DISPATCH_LEASE: Final = timedelta(
    seconds=45
)  # a submission may wait this long for a submitter to begin
CREATE_TASK_TIMEOUT: Final = timedelta(seconds=30)  # KIE answers a createTask in a few seconds
SUBMIT_LEASE: Final = CREATE_TASK_TIMEOUT + timedelta(seconds=15)
TELEGRAM_LEASE: Final = timedelta(
    seconds=15
)  # edits may be repeated, so a short lease costs nothing
POLL_LEASE: Final = timedelta(seconds=30)
STATUS_IS_FRESH: Final = timedelta(seconds=30)  # the user is still looking at it
MAX_CARRIER_POSTS: Final = 8  # a spare carrier is true and harmless; without end they are neither
QUICK_CARRIER_POSTS: Final = 4  # then ever more slowly (ADR 13)
MAX_CARRIERS: Final = 3
TEXT_LIMIT: Final = 4_000  # Telegram takes 4,096 UTF-16 units


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    callback_url: Callable[[UUID, int], str | None]
    job_ttl: timedelta = timedelta(hours=1)
    poll_after: timedelta = timedelta(seconds=30)
    orphan_ttl: timedelta = timedelta(hours=1)

    def poll_delay(self, polls: int) -> timedelta:
        """Return the wait before the next poll: growing by half, up to half a minute or the first wait."""
        longest = max(self.poll_after, timedelta(seconds=30))
        grown: timedelta = self.poll_after * 1.5 ** min(polls, 20)
        return min(grown, longest)


def backoff(failures: int) -> timedelta:
    """Return the wait after so many failures in a row: half a second, doubling to half a minute."""
    return timedelta(seconds=min(0.5 * 2 ** min(failures, 10), 30))


def carrier_wait(posts: int, failures: int) -> timedelta:
    """Return the wait before a carrier is posted again: soon at first, then from 15 s on, doubling."""
    if posts < QUICK_CARRIER_POSTS:
        return backoff(failures)
    return timedelta(seconds=15 * 2 ** (posts - QUICK_CARRIER_POSTS))
