"""The numbers and choices a deployment makes; given to decisions, never read by them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from job_store.domain.intake import Quota

DISPATCH_LEASE: Final = timedelta(
    seconds=45
)  # a submission may wait this long for a submitter to begin
CREATE_TASK_TIMEOUT: Final = timedelta(seconds=30)  # KIE answers a createTask in a few seconds
SUBMIT_LEASE: Final = CREATE_TASK_TIMEOUT + timedelta(seconds=15)
TELEGRAM_LEASE: Final = timedelta(
    seconds=15
)  # edits may be repeated, so a short lease costs nothing
SEND_TIMEOUT: Final = timedelta(seconds=75)  # one call with its upload; Telegram holds some for 8 s
SEND_LEASE: Final = SEND_TIMEOUT + timedelta(seconds=15)
SEND_DISPATCH_LEASE: Final = timedelta(seconds=120)  # media is fetched before anybody asks to begin
STAGE_LEASE: Final = timedelta(seconds=120)  # fetched and sent within one lease
STAGE_AFTER: Final = timedelta(hours=12)  # KIE's links live for a day and more
SET_ASIDE: Final = timedelta(minutes=1)  # for what cannot be claimed; the log says why
POLL_LEASE: Final = timedelta(seconds=30)
STATUS_IS_FRESH: Final = timedelta(seconds=30)  # the user is still looking at it
STATUS_UNCLEAR: Final = timedelta(seconds=90)  # how late an edit may land; telegram.md section 11
PROGRESS_EVERY: Final = timedelta(seconds=5)
PROGRESS_EVERY_IN_GROUPS: Final = timedelta(seconds=15)  # 20 calls a minute are all a group takes
LATE: Final = timedelta(minutes=5)  # when nothing is learned yet
LATE_AT_LEAST: Final = timedelta(seconds=30)  # below that nobody calls it long
MAX_CARRIER_POSTS: Final = 8  # a spare carrier is true and harmless; without end they are neither
QUICK_CARRIER_POSTS: Final = 4  # then ever more slowly (ADR 13)
MAX_CARRIERS: Final = 3
TEXT_LIMIT: Final = 4_000  # Telegram takes 4,096 UTF-16 units
CAPTION_LIMIT: Final = 1_024  # UTF-16 units
ALBUM_LIMIT: Final = 10
COLLAGE_LIMIT: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What a kind of generation usually takes, as far as it is known."""

    expected: timedelta | None = None
    late: timedelta = LATE


def nothing_learned(_family: str, _operation: str, _model: str) -> Usual:
    return Usual()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How long content is kept; None is for ever."""

    prompts: timedelta | None = None
    media: timedelta | None = None
    bodies: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    callback_url: Callable[[UUID, int], str | None]
    job_ttl: timedelta = timedelta(hours=1)
    poll_after: timedelta = timedelta(seconds=30)
    orphan_ttl: timedelta = timedelta(hours=1)
    usual: Callable[[str, str, str], Usual] = nothing_learned
    quota: Quota = field(default_factory=Quota)
    ages: Ages = field(default_factory=Ages)

    @property
    def working_time(self) -> timedelta:
        """Return what of a job's life is kept for its task: its submission begins before, or never.

        Of the usual hour a quarter, because KIE takes up to a quarter of an hour. A task begun later would
        be paid for and shown to nobody.
        """
        return self.job_ttl / 4

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
