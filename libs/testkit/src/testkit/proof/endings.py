"""How each asked job ended: what job-store says, what KIE did, what the chat shows."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from contracts.api import JobView
from contracts.values import JobState, PartState
from testkit.kie import CallbackKind, State, TaskTruth
from testkit.proof.sightings import Sighting, Witness, sightings

RESULT_KNOWN: Final = frozenset({JobState.SUCCEEDED, JobState.DELIVERED, JobState.UNDELIVERABLE})
WAITING: Final = frozenset({JobState.CREATED, JobState.SUBMITTING, JobState.RUNNING})
OPEN: Final = WAITING | {JobState.SUCCEEDED}
MARK: Final = (
    "plan:"  # what stands before a marker in a prompt; the sandbox KIE finds its plan by it
)


class Asked(Protocol):
    """One job as its bot asked for it."""

    @property
    def key(self) -> str:
        """The bot's own idempotency key."""

    @property
    def marker(self) -> str:
        """What finds its tasks at the sandbox KIE."""

    @property
    def chat_id(self) -> int:
        """The only chat its results may be seen in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One task KIE made for a job, and where its results were seen."""

    task: TaskTruth
    results: tuple[Sighting, ...]

    @property
    def is_right(self) -> bool:
        """Claim that every result stood in one message ever, and stands there now."""
        return bool(self.results) and all(seen.is_right for seen in self.results)

    @property
    def was_seen(self) -> bool:
        """Claim that a user saw something of it."""
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
    """One asked job at the end of a run."""

    asked: Asked
    job: JobView | None
    generations: tuple[Generation, ...]

    @property
    def state(self) -> JobState | None:
        """What job-store says; None when it knows no such job."""
        return self.job.state if self.job is not None else None

    @property
    def has_result(self) -> bool:
        """Claim that the job's result is known to us."""
        return self.state in RESULT_KNOWN

    @property
    def is_open(self) -> bool:
        """Claim that somebody has still something to do."""
        return self.state in OPEN

    @property
    def is_expired(self) -> bool:
        """Claim that we ended the job, because nothing was heard of its task in time."""
        return self.state is JobState.EXPIRED

    @property
    def uncertain(self) -> int:
        """How many of its results are left to an operator, and shown to one as such."""
        parts = () if self.job is None else self.job.parts
        return sum(part.state is PartState.UNCERTAIN for part in parts)

    @property
    def is_shown_once(self) -> bool:
        """Claim that one generation stands in its chat, each result in one message ever."""
        # KIE may have made a second task for one job; only one of them may ever be seen.
        return any(made.is_right for made in self.generations) and not self.is_doubled

    @property
    def is_doubled(self) -> bool:
        """Claim that a user saw a result twice, two results for one job, or somebody else's."""
        return sum(made.was_seen for made in self.generations) > 1 or self.has_doubled_result

    @property
    def has_doubled_result(self) -> bool:
        """Claim that one result stood in two messages, or in a stranger's chat."""
        return any(one.is_doubled for made in self.generations for one in made.results)

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
        return could_be_known and not stands and not self._is_told_as_uncertain

    @property
    def is_polled(self) -> bool:
        """Claim that KIE was asked, because no callback of the end got through."""
        return any(
            made.task.polls and not made.called_back and self._owns(made)
            for made in self.generations
        )

    @property
    def _is_told_as_uncertain(self) -> bool:
        # Only what is sent may end so; an edit can always be made again.
        return self.job is not None and self.job.mode == "send" and self.uncertain > 0

    def _is_known(self, made: Generation) -> bool:
        return made.task.state is State.SUCCEEDED and (made.called_back or self._owns(made))

    def _owns(self, made: Generation) -> bool:
        return self.job is not None and made.task.task_id in self.job.task_ids


def endings(
    asked: Iterable[Asked],
    *,
    jobs: Mapping[str, JobView | None],
    tasks: Iterable[TaskTruth],
    telegram: Witness,
) -> Iterator[Ending]:
    """Put together, for each asked job, what its key, its tasks and its chat say."""
    by_marker = tasks_by_marker(tasks)
    for one in asked:
        generations = (
            Generation(task=task, results=tuple(sightings(telegram, task, chat_id=one.chat_id)))
            for task in by_marker.get(one.marker, ())
        )
        yield Ending(asked=one, job=jobs.get(one.key), generations=tuple(generations))


def tasks_by_marker(tasks: Iterable[TaskTruth]) -> dict[str, list[TaskTruth]]:
    """Return KIE's tasks by the marker in their request."""
    found: dict[str, list[TaskTruth]] = {}
    for task in tasks:
        _, _, rest = json.dumps(task.request).partition(MARK)
        found.setdefault(rest.partition('"')[0], []).append(task)
    return found
