"""Which trials there are: every point a life reaches, before and after it, in every service that reaches it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from contracts.values import JobState
from crash.lives import LIVES, Life
from crash.points import SERVICES
from crash.stage import NotSettled, Stage

SLOWEST: Final = "polled"


@dataclass(frozen=True, slots=True, order=True)
class Trial:
    """One service dies, or stands still, at one point of one life."""

    service: str
    point: str
    when: str
    life: str
    fault: str = "kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a trial."""

    trial: Trial
    reached: bool
    broken: tuple[str, ...] = ()
    uncertain: int = 0
    expired: bool = False


async def reached(stage: Stage, directory: Path, *, fault: str = "kill") -> list[Trial]:
    """Lead every life once, and list where each service came; a point belongs to the first life."""
    found: dict[tuple[str, str, str], Trial] = {}
    for life in LIVES:
        notes = {name: directory / f"{life.name}-{name}.notes" for name in SERVICES}
        for name, into in notes.items():
            stage.order(name, do="note", into=str(into))
        await stage.undisturbed(life)
        for name, into in notes.items():
            stage.take_back(name)
            for point, when in _lines(into):
                key = (name, point, when)
                found.setdefault(key, Trial(name, point, when, life.name, fault))
    return sorted(found.values())


async def run(stage: Stage, trials: Sequence[Trial]) -> AsyncIterator[Told]:
    """Try one after the other."""
    for trial in trials:
        told = await _tried(stage, trial)
        if not told.reached and trial.life != SLOWEST:
            # What a clock comes to once a second a quick life may miss.
            told = await _tried(stage, replace(trial, life=SLOWEST))
        yield told


async def _tried(stage: Stage, trial: Trial) -> Told:
    """A job that does not come to rest is told as broken."""
    life = by_name(trial.life)
    stage.order(trial.service, at=trial.point, when=trial.when, do=trial.fault)
    try:
        if trial.fault == "freeze":
            ended = await stage.frozen(trial.service, life)
        else:
            ended = await stage.killed(trial.service, life)
    except NotSettled as stuck:
        return Told(trial=trial, reached=True, broken=(str(stuck),))
    if ended is None:
        return Told(trial=trial, reached=False)
    return Told(
        trial=trial,
        reached=True,
        broken=tuple(ended.broken()),
        uncertain=ended.uncertain,
        expired=ended.job.state is JobState.EXPIRED,
    )


def by_name(name: str) -> Life:
    """Return a life by its name."""
    return next(life for life in LIVES if life.name == name)


def _lines(notes: Path) -> Iterable[tuple[str, str]]:
    if not notes.exists():
        return
    for line in notes.read_text("utf-8").splitlines():
        point, _, when = line.partition(" ")
        yield point, when
