"""How fast we may call whom: GCRA buckets advanced once per batch of claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

GROUP_LIMIT_PER_MINUTE: Final = 20


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
        bot=Limit(interval=timedelta(seconds=1 / (28 * share)), burst=max(int(28 * share), 1)),
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
    """What a pacing row holds: the theoretical arrival time, and a stop that somebody asked for."""

    key: str
    tat: datetime
    parked_until: datetime | None = None
    needs_owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Somebody wants ``units`` calls that count in each of these buckets."""

    keys: tuple[str, ...]
    units: int


def decide(
    asks: Sequence[Ask], buckets: Mapping[str, Bucket], all_limits: Limits, now: datetime
) -> tuple[list[datetime], dict[str, Bucket]]:
    """Say for each ask when it may go (``now`` or later), in order, and return the buckets after it.

    Who goes now is counted. Who must wait is only told when to ask again, one slot behind those before
    it in the bucket that holds it back, so that one chat's backlog neither delays another chat nor is
    looked at over and over, and neither is a bot's.
    """
    after = dict(buckets)
    waiting: dict[str, int] = {}
    answers: list[datetime] = []
    for ask in asks:
        free = {key: _earliest(after[key], all_limits.of(key), ask.units, now) for key in ask.keys}
        if max(free.values()) <= now:
            for key in ask.keys:
                after[key] = _spend(after[key], all_limits.of(key), ask.units, now)
            answers.append(now)
            continue
        slots = {
            key: at + waiting.get(key, 0) * all_limits.of(key).interval
            for key, at in free.items()
            if at > now
        }
        at, binding = max((at, key) for key, at in slots.items())
        waiting[binding] = waiting.get(binding, 0) + ask.units
        answers.append(at)
    return answers, after


def _earliest(bucket: Bucket, limit: Limit, units: int, now: datetime) -> datetime:
    # A request larger than the burst is let through when the bucket is full.
    room = max(limit.burst - units, 0)
    at = max(bucket.tat - room * limit.interval, now)
    return max(at, bucket.parked_until or now)


def _spend(bucket: Bucket, limit: Limit, units: int, now: datetime) -> Bucket:
    return replace(bucket, tat=max(bucket.tat, now) + units * limit.interval)
