"""The task id: four documented places which must agree, and never a search."""

from kie import body
from kie.paths import at
from kie.values import Anomaly, Step

PLACES = ("data.taskId", "data.task_id", "taskId", "task_id")


def find(message: body.Body) -> tuple[str | None, tuple[Anomaly, ...], tuple[Step, ...]]:
    """Return the id on which all places agree, what is odd about it, and where it stood."""
    present = {
        place: value for place in PLACES if (value := at(message.root, place)) not in (None, "")
    }
    trace = tuple(Step("task_id", place) for place in present)
    ids = {place: body.task_id(value) for place, value in present.items()}
    if message.torn_task_id or len(set(ids.values()) - {None}) > 1:
        return None, (Anomaly.TASK_ID_CONFLICT,), trace
    if None in ids.values():
        return None, (Anomaly.TASK_ID_MALFORMED,), trace
    if not ids:
        return None, (Anomaly.NO_TASK_ID,), trace
    return next(iter(ids.values())), (), trace
