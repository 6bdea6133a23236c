"""The lives a job may lead while a service dies beneath it, and what must have become of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.api import JobView
from contracts.values import JobState, MoneyState, PartState

PRICE: Final = 100
OPEN_PARTS: Final = frozenset({PartState.PENDING, PartState.CARRIED})
SETTLED_MONEY: Final = {
    JobState.DELIVERED: {MoneyState.CAPTURED, MoneyState.WAIVED},
    JobState.FAILED: {MoneyState.RELEASED},
    JobState.EXPIRED: {MoneyState.RELEASED},
    JobState.SUCCEEDED: {MoneyState.CAPTURED, MoneyState.WAIVED},
    JobState.UNDELIVERABLE: {MoneyState.REFUNDED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is asked, and how it ends when nobody dies."""

    name: str
    prompt: str
    ends: JobState = JobState.DELIVERED
    asked: Mapping[str, Any] = field(default_factory=dict)
    # What a lost answer may leave for a person to look at, instead of a second message.
    may_be_uncertain: bool = False


LIVES: Final = (
    Life(name="edited", prompt="plan:ok"),
    Life(name="polled", prompt="plan:silent"),
    Life(name="failed", prompt="plan:fail", ends=JobState.FAILED),
    Life(
        name="sent",
        prompt="plan:two",
        asked={"mode": "send", "caption": "two of them"},
        may_be_uncertain=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A job after the dust has settled, and what the outside saw of it."""

    life: Life
    job: JobView
    showings: tuple[int, ...]  # for each result, in how many messages it has ever stood
    tasks: int  # of KIE, made for it

    @property
    def uncertain(self) -> int:
        """Results that are shown to an operator as uncertain."""
        return sum(part.state is PartState.UNCERTAIN for part in self.job.parts)

    def broken(self) -> Iterator[str]:
        """Say what must not be; nothing when every promise was kept."""
        job = self.job
        if self.tasks > 1:
            yield f"{self.tasks} tasks at KIE"
        if job.money not in SETTLED_MONEY.get(job.state, set()):
            yield f"{job.state} with its money {job.money}"
        if any(count > 1 for count in self.showings):
            yield f"shown {self.showings} times"
        if job.state is JobState.EXPIRED:
            if self.tasks:
                yield "expired although KIE made it"
            return
        yield from self._not_shown()

    def _not_shown(self) -> Iterator[str]:
        unshown = sum(count == 0 for count in self.showings)
        if self.life.may_be_uncertain and self.uncertain:
            if unshown > self.uncertain:
                yield f"{unshown} results lost, {self.uncertain} of them uncertain"
        elif self.job.state is not self.life.ends:
            yield f"ended {self.job.state} instead of {self.life.ends}"
        elif unshown or not self.showings:
            yield f"{unshown} results lost"


def is_settled(job: JobView, life: Life) -> bool:
    """Tell whether nothing more will happen to a job by itself."""
    if any(part.state in OPEN_PARTS for part in job.parts):
        return False
    if job.state in (JobState.DELIVERED, JobState.EXPIRED, JobState.UNDELIVERABLE):
        return True
    if job.state is JobState.FAILED:
        return bool(job.parts)  # the notice has its message
    held = any(part.state is PartState.UNCERTAIN for part in job.parts)
    return job.state is JobState.SUCCEEDED and held and life.may_be_uncertain
