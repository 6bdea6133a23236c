"""Which trials there are: every point a life or a command comes to, before and after it, in whoever comes to it."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from crash import errands
from crash.bench import Bench
from crash.blows import Blow, NotSettled, struck, undisturbed
from crash.book import noted_in
from crash.errands import ERRANDS
from crash.lives import BY_NAME, LIVES, Life
from crash.points import SERVICES
from crash.stage import Stage

SLOWEST: Final = "polled"
# What a trial stands on: a deployment with either storage, or servers that only commands work on.
POSTGRES, JSON, BENCH = "postgres", "json", "bench"
STORE: Final = "job_store"  # the one service that knows what is below it


@dataclass(frozen=True, slots=True, order=True)
class Trial:
    """One service, or two, struck at one point each of one life; or a command at one point."""

    life: str  # or errand
    blows: tuple[Blow, ...]
    ground: str = POSTGRES

    def __str__(self) -> str:
        """Name it so that it can be asked for again."""
        fell = (f"{one.service} {one.do} {one.when} {one.point}" for one in self.blows)
        return f"{' and '.join(fell)} ({self.life} on {self.ground})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a trial."""

    trial: Trial
    reached: bool
    broken: tuple[str, ...] = ()
    uncertain: int = 0
    expired: bool = False


async def reached(stage: Stage, directory: Path, lives: Iterable[Life] = LIVES) -> list[Trial]:
    """Lead every life once, and list where each service came; a point belongs to the first life."""
    ground, services = (POSTGRES, SERVICES) if stage.postgres else (JSON, (STORE,))
    found: dict[Blow, Trial] = {}
    for life in lives:
        if life.needs_postgres and stage.postgres is None:
            continue
        turning = [(name,) for name in services if name in life.of]
        for watched in turning if life.turns else [services]:
            for blow in await _noted(stage, life, directory, watched):
                found.setdefault(blow, Trial(life.name, (blow,), ground))
    return sorted(found.values())


async def _noted(stage: Stage, life: Life, directory: Path, watched: Iterable[str]) -> set[Blow]:
    notes = {name: directory / f"{life.name}-{name}.notes" for name in watched}
    await undisturbed(stage, life, notes)
    return {Blow(name, *line) for name, into in notes.items() for line in noted_in(into)}


async def of_commands(on: Bench) -> list[Trial]:
    """Type every command once, and list where it came; a point belongs to the first command."""
    found: dict[Blow, Trial] = {}
    for errand in ERRANDS.values():
        for blow in await errands.noted(on, errand):
            found.setdefault(blow, Trial(errand.name, (blow,), BENCH))
    return list(found.values())


def beside(trials: Iterable[Trial], known: Collection[Trial]) -> list[Trial]:
    """Return those that strike where nothing known strikes."""
    struck_already = {each.blows for each in known}
    return [each for each in trials if each.blows not in struck_already]


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


async def run(on: Stage | Bench, trials: Sequence[Trial]) -> AsyncIterator[Told]:
    """Try one after the other."""
    for trial in trials:
        if isinstance(on, Bench):
            yield await _typed(on, trial)
            continue
        told = await _tried(on, trial)
        if not BY_NAME[trial.life].turns:
            # What a clock comes to once a second a quick life may miss; and a race has two ends.
            for life in (SLOWEST, trial.life):
                told = told if told.reached else await _tried(on, replace(trial, life=life))
        yield told


async def _typed(on: Bench, trial: Trial) -> Told:
    (blow,) = trial.blows
    broken = await errands.struck(on, ERRANDS[trial.life], blow)
    return Told(trial=trial, reached=broken is not None, broken=tuple(broken or ()))


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
