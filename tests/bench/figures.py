"""What is measured, and the little arithmetic around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from statistics import median


class Aim(StrEnum):
    """Which side of a target is good."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure should reach; of the ratio when `of_ratio`."""

    aim: Aim
    bound: float
    of_ratio: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number, and what the yardstick reached in the same minute."""

    scenario: str
    name: str
    unit: str
    value: float
    yardstick: float | None = None
    ratio: float | None = None
    target: Target | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Claim that the target is reached; None without one."""
        if self.target is None:
            return None
        measured = self.ratio if self.target.of_ratio else self.value
        if measured is None:
            return None
        if self.target.aim is Aim.AT_LEAST:
            return measured >= self.target.bound
        return measured <= self.target.bound


def at_least(bound: float) -> Target:
    """A value to reach."""
    return Target(aim=Aim.AT_LEAST, bound=bound)


def at_most(bound: float) -> Target:
    """A value not to exceed."""
    return Target(aim=Aim.AT_MOST, bound=bound)


def ratio_at_least(bound: float) -> Target:
    """A ratio to the yardstick to reach."""
    return Target(aim=Aim.AT_LEAST, bound=bound, of_ratio=True)


@dataclass(frozen=True, slots=True)
class Name:
    """How a figure is called."""

    scenario: str
    name: str
    unit: str


def beside(
    name: Name,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    target: Target | None = None,
    note: str = "",
) -> Figure:
    """A figure of rounds that alternated: medians, and the median of the rounds' own ratios."""
    return Figure(
        scenario=name.scenario,
        name=name.name,
        unit=name.unit,
        value=median(ours),
        yardstick=median(theirs),
        ratio=median(mine / other for mine, other in zip(ours, theirs, strict=True)),
        target=target,
        note=note,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]
