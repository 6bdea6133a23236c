"""Whether every callback that was answered 200 is accounted for."""

from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256

from testkit.kie import TaskTruth


def unaccounted(tasks: Iterable[TaskTruth], *, digests: Collection[str]) -> Iterator[str]:
    """Name each accepted callback whose body nobody kept; ``digests`` are the SHA-256 of those kept."""
    for task in tasks:
        for attempt in task.callbacks:
            if attempt.accepted and sha256(attempt.body).hexdigest() not in digests:
                yield f"{task.task_id}: its {attempt.kind} callback was taken and is not kept"
