"""Whether every callback that was answered 200 is accounted for."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from testkit.kie import CallbackKind, TaskTruth


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A callback that was taken, and whose body nobody kept."""

    task_id: str
    kind: CallbackKind
    answered_at: float  # Unix seconds

    def __str__(self) -> str:
        """Name it for a person."""
        return f"{self.task_id}: its {self.kind} callback was taken and is not kept"


def unaccounted(tasks: Iterable[TaskTruth], *, digests: Collection[str]) -> Iterator[Dropped]:
    """Return each accepted callback that is not kept; ``digests`` are the SHA-256 of those kept."""
    for task in tasks:
        for attempt in task.callbacks:
            if attempt.accepted and sha256(attempt.body).hexdigest() not in digests:
                yield Dropped(
                    task_id=task.task_id,
                    kind=attempt.kind,
                    answered_at=attempt.at + attempt.seconds,
                )


def without(tasks: Iterable[TaskTruth], gone: Collection[Dropped]) -> list[TaskTruth]:
    """Return the tasks as if nobody had answered these callbacks, for what took them is gone."""
    moments = {(one.task_id, one.answered_at) for one in gone}
    return [
        replace(
            task,
            callbacks=tuple(
                attempt
                for attempt in task.callbacks
                if (task.task_id, attempt.at + attempt.seconds) not in moments
            ),
        )
        for task in tasks
    ]
