"""A token bucket: how many callbacks that nobody vouches for are taken. It is told the time."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Final

# So much of a callback may be missing: sums of floats miss the whole ones they stand for.
ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast a bucket fills, and how much it holds."""

    per_second: float  # more than 0
    burst: float  # at least 1, or nothing is ever taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What may still be taken, as it was at a moment."""

    rate: Rate
    left: float
    at: float  # seconds of a monotonic clock


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is left: the time after which one may be taken, if nobody else takes it."""

    seconds: int  # at least 1


def full(rate: Rate, *, at: float) -> Bucket:
    """Return a bucket from which a whole burst may be taken at once."""
    return Bucket(rate=rate, left=rate.burst, at=at)


def take(bucket: Bucket, *, at: float) -> Bucket | Wait:
    """Take one: the bucket afterwards, or how long to wait; who waits has taken nothing.

    In any span of seconds no more are taken than `burst + per_second * span`.
    """
    # A time that was told already fills nothing a second time.
    latest = max(at, bucket.at)
    filled = bucket.left + (latest - bucket.at) * bucket.rate.per_second
    left = min(bucket.rate.burst, filled)
    if (missing := 1 - left) > ROUNDING:
        return Wait(max(1, ceil(missing / bucket.rate.per_second)))
    return replace(bucket, left=left - 1, at=latest)
