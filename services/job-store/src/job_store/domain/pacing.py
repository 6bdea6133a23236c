"""How fast we may call whom: GCRA buckets advanced once per batch of claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# Of Telegram's 30 a second and bot. What is claimed evenly arrives bunched: the second of a pair is
# called when the first has its answer, a worker may be late. The burst leaves room for those.
BOT_PER_SECOND: Final = 29
BOT_BURST: Final = 22
GROUP_LIMIT_PER_MINUTE: Final = 20
# No bucket is ever further ahead: an album of ten in a group takes 40 s of it.
FARTHEST: Final = timedelta(minutes=2)
SPARE_PAUSE: Final = timedelta(seconds=3)  # before somebody looks for a spare slot again


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One call every ``interval`` on average, and up to ``burst`` at once."""

    interval: timedelta
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a deployment; telegram.md section 5, kie.md section 5.3."""

    bot: Limit
    chat: Limit
    group: Limit
    creates: Limit
    polls: Limit
    hints: Limit  # polls that an untrusted report may bring forward: a fifth of all

    def of(self, key: str) -> Limit:
        """Return the limit of a bucket by the first word of its key."""
        return getattr(self, key.partition(":")[0])  # type: ignore[no-any-return]


def limits(*, telegram_share: float, creates_per_10s: int) -> Limits:
    """Build the limits. Within any 10 s a bucket lets through burst + 10 s / interval calls."""
    share = max(telegram_share, 0.01)
    burst = max(creates_per_10s // 4, 1)
    return Limits(
        bot=Limit(
            interval=timedelta(seconds=1 / (BOT_PER_SECOND * share)),
            burst=max(int(BOT_BURST * share), 1),
        ),
        chat=Limit(interval=timedelta(seconds=1), burst=3),
        group=Limit(interval=timedelta(seconds=60 / (GROUP_LIMIT_PER_MINUTE - 5)), burst=5),
        creates=Limit(
            interval=timedelta(seconds=10 / max(creates_per_10s - burst, 1)), burst=burst
        ),
        polls=Limit(interval=timedelta(seconds=0.125), burst=2),
        hints=Limit(interval=timedelta(seconds=0.125) * 5, burst=2),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What a pacing row holds: the theoretical arrival time, the end of the queue, a stop asked for.

    ``credits`` is what a KIE account had left when it was last heard of.
    """

    key: str
    tat: datetime
    tail: datetime | None = None
    parked_until: datetime | None = None
    needs_owner: str | None = None
    credits: float | None = None


class Turn(StrEnum):
    """How an ask stands to those who wait already."""

    NEW = "new"  # goes after them
    QUEUED = "queued"  # is one of them: its slot has come
    SPARE = "spare"  # goes only where half the burst stays free, and never waits in line
    PASSING = "passing"  # goes now or not at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Somebody wants ``units`` calls that count in each of these buckets, the widest first."""

    keys: tuple[str, ...]
    units: int
    turn: Turn = Turn.NEW


def decide(
    asks: Sequence[Ask], buckets: Mapping[str, Bucket], all_limits: Limits, now: datetime
) -> tuple[list[datetime], dict[str, Bucket]]:
    """Say for each ask when it may go (``now`` or later), in order, and return the buckets after it.

    Who goes now is counted. Who must wait is told a slot of his own, behind those before him in the
    bucket that holds him back, and whoever comes later goes behind that: so one chat's backlog
    neither delays another chat nor is overtaken, and a large album gets its turn in a busy chat.
    """
    believed = {key: _believed(each, all_limits.of(key), now) for key, each in buckets.items()}
    rank = _Rank(believed, all_limits, now)
    answers = [now] * len(asks)
    # A spare slot is what the others leave.
    for place in sorted(range(len(asks)), key=lambda at: asks[at].turn is Turn.SPARE):
        answers[place] = rank.answer(asks[place])
    return answers, rank.buckets


def _believed(bucket: Bucket, limit: Limit, now: datetime) -> Bucket:
    """One that is further ahead was left there by a clock that has been set back: it counts as just spent."""
    if bucket.tat <= now + FARTHEST:
        return bucket
    return replace(bucket, tat=now + limit.burst * limit.interval)


class _Rank:
    """The buckets while a batch of asks goes by."""

    def __init__(self, buckets: dict[str, Bucket], all_limits: Limits, now: datetime) -> None:
        self.buckets = buckets
        self._limits = all_limits
        self._now = now
        self._waiting: dict[str, datetime] = {}  # where those end who are told to wait again

    def answer(self, ask: Ask) -> datetime:
        if ask.turn is Turn.SPARE:
            return self._in_a_spare_slot(ask)
        free = [self._free(key, ask) for key in ask.keys]
        at = max(free)
        if at <= self._now:
            self._spend(ask)
        elif ask.turn is not Turn.PASSING:
            self._queue(ask, at, free)
        return at

    def _free(self, key: str, ask: Ask) -> datetime:
        bucket, limit = self.buckets[key], self._limits.of(key)
        # A request larger than the burst is let through when the bucket is full.
        room = max(limit.burst - ask.units, 0)
        before = {Turn.NEW: bucket.tail, Turn.QUEUED: self._waiting.get(key)}.get(ask.turn)
        moments = (bucket.tat - room * limit.interval, bucket.parked_until, before)
        return max(self._now, *(moment for moment in moments if moment is not None))

    def _in_a_spare_slot(self, ask: Ask) -> datetime:
        if not all(self._has_spare(key, ask.units) for key in ask.keys):
            return self._now + SPARE_PAUSE
        self._spend(ask)
        return self._now

    def _has_spare(self, key: str, units: int) -> bool:
        bucket, limit = self.buckets[key], self._limits.of(key)
        if any(
            stop is not None and stop > self._now for stop in (bucket.tail, bucket.parked_until)
        ):
            return False
        used = max(bucket.tat - self._now, timedelta(0)) / limit.interval + units
        return used <= limit.burst / 2

    def _spend(self, ask: Ask) -> None:
        for key in ask.keys:
            bucket = self.buckets[key]
            tat = max(bucket.tat, self._now) + ask.units * self._limits.of(key).interval
            self.buckets[key] = replace(bucket, tat=tat)

    def _queue(self, ask: Ask, at: datetime, free: Sequence[datetime]) -> None:
        """Stand in the line of the bucket that binds, and of the narrower ones, which are used then."""
        binding = max(place for place, moment in enumerate(free) if moment == at)
        for key in ask.keys[binding:]:
            end = at + ask.units * self._limits.of(key).interval
            bucket = self.buckets[key]
            self._waiting[key] = end
            self.buckets[key] = replace(bucket, tail=max(bucket.tail or end, end))
