"""How each errand ended: what job-store says, what KIE did, what the chat shows."""

import asyncio
from dataclasses import dataclass
from typing import Final

from contracts.api import JobView
from contracts.values import JobState
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.drive import tasks_by_errand
from sendonce_cli.demo.errands import Errand
from sendonce_cli.demo.oracle import Sighting, sightings
from sendonce_cli.demo.world import World
from testkit.kie import CallbackKind, State, TaskTruth

AT_ONCE: Final = 32
RESULT_KNOWN: Final = frozenset({JobState.SUCCEEDED, JobState.DELIVERED, JobState.UNDELIVERABLE})
WAITING: Final = frozenset({JobState.CREATED, JobState.SUBMITTING, JobState.RUNNING})
OPEN: Final = WAITING | {JobState.SUCCEEDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One task KIE made for an errand, and where its results were seen."""

    task: TaskTruth
    results: tuple[Sighting, ...]

    @property
    def is_right(self) -> bool:
        """Claim that every result stood in one message ever, and stands there now."""
        return bool(self.results) and all(seen.is_right for seen in self.results)

    @property
    def was_seen(self) -> bool:
        return any(seen.ever for seen in self.results)

    @property
    def called_back(self) -> bool:
        """Claim that a callback of the end was answered 200."""
        return any(
            attempt.accepted and attempt.kind is CallbackKind.FINAL
            for attempt in self.task.callbacks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One errand at the end of the run."""

    errand: Errand
    job: JobView | None
    generations: tuple[Generation, ...]

    @property
    def state(self) -> JobState | None:
        return self.job.state if self.job is not None else None

    @property
    def has_result(self) -> bool:
        """Claim that the job's result is known to us."""
        return self.state in RESULT_KNOWN

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_expired(self) -> bool:
        """Claim that we ended the job, because nothing was heard of its task in time."""
        return self.state is JobState.EXPIRED

    @property
    def is_shown_once(self) -> bool:
        # KIE may have made a second task for one job; only one of them may ever be seen.
        return any(made.is_right for made in self.generations) and not self.is_doubled

    @property
    def is_doubled(self) -> bool:
        seen = sum(made.was_seen for made in self.generations)
        return seen > 1 or any(one.is_doubled for made in self.generations for one in made.results)

    @property
    def is_lost(self) -> bool:
        """Claim that somebody waits in vain: no end, or a result we could know and do not show."""
        if self.job is None or self.state in WAITING:
            return True
        could_be_known = self.has_result or any(self._is_known(made) for made in self.generations)
        stands = any(
            made.results and all(seen.is_visible for seen in made.results)
            for made in self.generations
        )
        return could_be_known and not stands

    @property
    def is_polled(self) -> bool:
        """Claim that KIE was asked, because no callback of the end got through."""
        return any(
            made.task.polls and not made.called_back and self._owns(made)
            for made in self.generations
        )

    def _is_known(self, made: Generation) -> bool:
        return made.task.state is State.SUCCEEDED and (made.called_back or self._owns(made))

    def _owns(self, made: Generation) -> bool:
        return self.job is not None and made.task.task_id in self.job.task_ids


async def endings_of(world: World, bot: Bot, errands: tuple[Errand, ...]) -> tuple[Ending, ...]:
    """Look every errand up, at job-store and in the sandboxes."""
    slots = asyncio.Semaphore(AT_ONCE)
    tasks = tasks_by_errand(world.kie.tasks())

    async def ending(errand: Errand) -> Ending:
        async with slots:
            job = await bot.get(errand.key)
        generations = (
            Generation(
                task=task,
                results=tuple(sightings(world.telegram, task, chat_id=errand.user.id)),
            )
            for task in tasks.get(errand.marker, ())
        )
        return Ending(errand=errand, job=job, generations=tuple(generations))

    return tuple(await asyncio.gather(*(ending(errand) for errand in errands)))
