"""How much one user, and all users of one bot, may ask for: how fast, and how many jobs and holds at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from job_store.domain.pacing import Limit

MINUTE: Final = timedelta(minutes=1)
USUALLY: Final = timedelta(seconds=30)  # an image; when nothing is learned yet
SOONEST: Final = timedelta(seconds=1)  # before that nobody need ask again

Whose = Literal["user", "bot"]
What = Literal["jobs_per_minute", "open_jobs", "open_holds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one of them may have; None is no limit."""

    jobs_per_minute: int | None = None
    open_jobs: int | None = None
    open_holds: int | None = None

    @property
    def is_limited(self) -> bool:
        return self.jobs_per_minute is not None or self.counts

    @property
    def counts(self) -> bool:
        """Claim that somebody must count what is open."""
        return self.open_jobs is not None or self.open_holds is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The limits of a deployment; without settings there are none."""

    user: Allowance = field(default_factory=Allowance)  # of each user of a bot
    bot: Allowance = field(default_factory=Allowance)  # of all users of a bot together

    def of(self, whose: Whose) -> Allowance:
        return self.user if whose == "user" else self.bot


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one of them stands: a bucket's theoretical arrival time, and what is open."""

    tat: datetime
    open_jobs: int = 0
    open_holds: int = 0
    oldest_at: datetime | None = None  # when the first of the open jobs was made


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """Somebody wants a job; ``takes`` is what its kind usually takes."""

    bot: str
    user_id: int
    holds: bool
    takes: timedelta | None

    @property
    def keys(self) -> tuple[tuple[Whose, str], ...]:
        """Name the rows it counts in."""
        return ("user", user_key(self.bot, self.user_id)), ("bot", bot_key(self.bot))


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany:
    """Which limit stands in the way, and for how long at the least."""

    whose: Whose
    what: What
    allowed: int
    wait: timedelta


def pace_of(jobs_per_minute: int) -> Limit:
    """Return the bucket of so many a minute on average, half of them at once."""
    return Limit(interval=MINUTE / jobs_per_minute, burst=max(jobs_per_minute // 2, 1))


def user_key(bot: str, user_id: int) -> str:
    """Name the row of one user of one bot."""
    return f"user:{bot}:{user_id}"


def bot_key(bot: str) -> str:
    """Name the row of all that is asked of one bot."""
    return f"intake:{bot}"


class Intake:
    """Who is let in while a batch of requests goes by: each that is counts for the next."""

    def __init__(self, quota: Quota, standings: Mapping[str, Standing], now: datetime) -> None:
        self.standings = dict(standings)
        self._loaded = dict(standings)
        self._quota = quota
        self._now = now

    @property
    def moved(self) -> dict[str, datetime]:
        """Return the arrival times that are others now."""
        return {
            key: standing.tat
            for key, standing in self.standings.items()
            if standing.tat != self._loaded[key].tat
        }

    def refuse(self, knock: Knock) -> TooMany | None:
        """Let it in and count it, or say what stands in the way the longest, and count nothing."""
        found = [hit for whose, key in knock.keys for hit in self._hits(knock, whose, key)]
        if found:
            return max(found, key=lambda hit: hit.wait)
        for whose, key in knock.keys:
            if key in self.standings:
                self.standings[key] = self._counted(knock, self._quota.of(whose), key)
        return None

    def _hits(self, knock: Knock, whose: Whose, key: str) -> Iterator[TooMany]:
        standing = self.standings.get(key)
        if standing is None:
            return
        allowance, soon = self._quota.of(whose), self._soon(standing, knock)
        fast = allowance.jobs_per_minute
        if fast is not None and (wait := self._free_in(standing, pace_of(fast))) > timedelta(0):
            yield TooMany(whose=whose, what="jobs_per_minute", allowed=fast, wait=wait)
        jobs = allowance.open_jobs
        if jobs is not None and standing.open_jobs >= jobs:
            yield TooMany(whose=whose, what="open_jobs", allowed=jobs, wait=soon)
        holds = allowance.open_holds if knock.holds else None
        if holds is not None and standing.open_holds >= holds:
            yield TooMany(whose=whose, what="open_holds", allowed=holds, wait=soon)

    def _free_in(self, standing: Standing, pace: Limit) -> timedelta:
        free_at = self._believed(standing, pace) - (pace.burst - 1) * pace.interval
        return max(free_at - self._now, timedelta(0))

    def _believed(self, standing: Standing, pace: Limit) -> datetime:
        """One that is further ahead was left there by a clock that has been set back."""
        return min(standing.tat, self._now + pace.burst * pace.interval)

    def _soon(self, standing: Standing, knock: Knock) -> timedelta:
        """Guess when a place is free: when the oldest has taken its usual time, else a quarter of that."""
        takes = knock.takes or USUALLY
        passed = timedelta(0) if standing.oldest_at is None else self._now - standing.oldest_at
        return max(takes - passed, takes / 4, SOONEST)

    def _counted(self, knock: Knock, allowance: Allowance, key: str) -> Standing:
        standing = self.standings[key]
        tat, fast = standing.tat, allowance.jobs_per_minute
        if fast is not None:
            pace = pace_of(fast)
            tat = max(self._believed(standing, pace), self._now) + pace.interval
        return replace(
            standing,
            tat=tat,
            open_jobs=standing.open_jobs + 1,
            open_holds=standing.open_holds + knock.holds,
            oldest_at=standing.oldest_at or self._now,
        )
