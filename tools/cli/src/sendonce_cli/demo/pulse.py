"""The system's pulse: asked twice a second, kept as numbers the screen and the end of the run read."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Protocol

from contracts.ops import AskStatus, StatusView
from contracts.values import JobState
from sendonce_cli.asking import Desk
from sendonce_cli.demo.drive import Progress
from sendonce_cli.demo.outside import Outside, Seen
from sendonce_cli.trouble import Trouble

EVERY: Final = 0.5  # seconds
WINDOW: Final = 10  # pulses a rate is measured over
ENDED: Final = frozenset(
    {
        JobState.DELIVERED,
        JobState.FAILED,
        JobState.UNDELIVERABLE,
        JobState.EXPIRED,
        JobState.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One look at everything."""

    at: float
    by_state: dict[str, int]
    status: StatusView | None
    outside: Seen
    kie_faults: int
    kills: int

    @property
    def jobs(self) -> int:
        return sum(self.by_state.values())

    @property
    def ended(self) -> int:
        return sum(count for state, count in self.by_state.items() if state in ENDED)

    def count(self, *states: JobState) -> int:
        """Return how many jobs are in these states."""
        return sum(self.by_state.get(state, 0) for state in states)


class Killer(Protocol):
    """Who kills processes meanwhile."""

    @property
    def total(self) -> int:
        """How many died so far."""


@dataclass(slots=True)
class Pulse:
    """The beats so far."""

    outside: Outside
    desk: Desk
    progress: Progress
    killer: Killer
    bot: str | None = None  # whose jobs are counted; None: every bot's
    before: Mapping[str, int] = field(default_factory=dict)  # jobs by state that are not the run's
    began: float = field(default_factory=monotonic)
    beats: list[Beat] = field(default_factory=list)

    @property
    def last(self) -> Beat:
        return self.beats[-1] if self.beats else self._beat(None, Seen())

    @property
    def seconds(self) -> float:
        return monotonic() - self.began

    @property
    def rate(self) -> float:
        """Jobs ended a second, lately."""
        window = self.beats[-WINDOW:]
        if len(window) <= 1:
            return 0.0
        return (window[-1].ended - window[0].ended) / max(window[-1].at - window[0].at, 0.1)

    @property
    def is_working(self) -> bool:
        """Claim that most of the work is still ahead or under way."""
        return self.last.ended < 0.85 * self.progress.wanted

    @property
    def is_quiet(self) -> bool:
        """Claim that nothing is left to happen: every job ended, nothing is on its way."""
        status = self.last.status
        if status is None or not self.progress.is_over:
            return False
        open_jobs = self.last.jobs - self.last.ended
        stuck = min(status.parts_uncertain, open_jobs)
        underway = (
            status.effects_due + status.effects_acting + status.late_polls + status.outbox_rows
        )
        return open_jobs == stuck and underway == 0 and self.last.outside.is_quiet

    async def look(self) -> Beat:
        """Ask once; an absent job-store leaves the numbers as they were."""
        try:
            status: StatusView | None = await self.desk.ops("status", AskStatus, StatusView)
        except Trouble:
            status = None
        self.beats.append(self._beat(status, await self.outside.look()))
        return self.last

    async def begin(self) -> None:
        """Leave out of every count the jobs there are already."""
        self.before = self._by_state(await self.desk.ops("status", AskStatus, StatusView))

    async def until_quiet(self, *, within: float) -> bool:
        """Look until nothing is left to happen; False when time is up first."""
        while self.seconds < within:
            await self.look()
            if self.is_quiet:
                await self.outside.settle()
                await self.look()
                if self.is_quiet:
                    return True
            await asyncio.sleep(EVERY)
        return False

    def _beat(self, status: StatusView | None, outside: Seen) -> Beat:
        before = self.beats[-1].by_state if self.beats else {}
        return Beat(
            at=monotonic(),
            by_state=before if status is None else self._by_state(status),
            status=status,
            outside=outside,
            kie_faults=self.progress.kie_faults,
            kills=self.killer.total,
        )

    def _by_state(self, status: StatusView) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for bot in status.bots:
            if self.bot in (None, bot.bot):
                counts.update(bot.by_state)
        counts.subtract(self.before)
        return counts
