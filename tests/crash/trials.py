"""Which trials there are: every point a life comes to, before and after it, in every service that comes to it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from crash.blows import Blow, NotSettled, struck, undisturbed
from crash.lives import BY_NAME, LIVES, Life
from crash.points import SERVICES
from crash.stage import Stage

SLOWEST: Final = "polled"


@dataclass(frozen=True, slots=True, order=True)
class Trial:
    """One service, or two, struck at one point each of one life."""

    life: str
    blows: tuple[Blow, ...]

    def __str__(self) -> str:
        """Name it so that it can be asked for again."""
        fell = (f"{one.service} {one.do} {one.when} {one.point}" for one in self.blows)
        return f"{' and '.join(fell)} ({self.life})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a trial."""

    trial: Trial
    reached: bool
    broken: tuple[str, ...] = ()
    uncertain: int = 0
    expired: bool = False


async def reached(stage: Stage, directory: Path) -> list[Trial]:
    """Lead every life once, and list where each service came; a point belongs to the first life."""
    found: dict[Blow, Trial] = {}
    for life in LIVES:
        for name in SERVICES if life.turns else ("",):
            for blow in await _noted(stage, life, directory, turning=name):
                found.setdefault(blow, Trial(life.name, (blow,)))
    return sorted(found.values())


async def _noted(stage: Stage, life: Life, directory: Path, *, turning: str) -> set[Blow]:
    watched = (turning,) if turning else SERVICES
    notes = {name: directory / f"{life.name}-{name}.notes" for name in watched}
    await undisturbed(stage, life, notes)
    return {Blow(name, *line) for name, into in notes.items() for line in _lines(into)}


def frozen(trials: Iterable[Trial]) -> list[Trial]:
    """Return the same with a service that stands still; who starts or stops is not frozen."""
    return [
        Trial(each.life, tuple(replace(blow, do="freeze") for blow in each.blows))
        for each in trials
        if not BY_NAME[each.life].turns
    ]


def pairs(trials: Sequence[Trial], count: int, *, seed: int) -> list[Trial]:
    """Draw so many pairs of points that two services come to in one life."""
    dice = Random(f"pairs:{seed}")  # reproducible, not secret
    steady = [each for each in trials if not BY_NAME[each.life].turns]
    drawn: list[Trial] = []
    while len(drawn) < count:
        first = dice.choice(steady)
        others = [
            other
            for other in steady
            if other.life == first.life and other.blows[0].service != first.blows[0].service
        ]
        if others:
            drawn.append(Trial(first.life, (*first.blows, *dice.choice(others).blows)))
    return drawn


async def run(stage: Stage, trials: Sequence[Trial]) -> AsyncIterator[Told]:
    """Try one after the other."""
    for trial in trials:
        told = await _tried(stage, trial)
        if not told.reached and not BY_NAME[trial.life].turns:
            # What a clock comes to once a second a quick life may miss.
            told = await _tried(stage, replace(trial, life=SLOWEST))
        yield told


async def _tried(stage: Stage, trial: Trial) -> Told:
    """A job that does not come to rest is told as broken."""
    try:
        came = await struck(stage, BY_NAME[trial.life], trial.blows)
    except NotSettled as stuck:
        return Told(trial=trial, reached=True, broken=(str(stuck),))
    if came.ended is None:
        return Told(trial=trial, reached=False)
    return Told(
        trial=trial,
        reached=True,
        broken=tuple(came.ended.broken()),
        uncertain=came.ended.uncertain,
        expired=came.ended.is_expired,
    )


def _lines(notes: Path) -> Iterable[tuple[str, str]]:
    if not notes.exists():
        return
    for line in notes.read_text("utf-8").splitlines():
        point, _, when = line.partition(" ")
        yield point, when
