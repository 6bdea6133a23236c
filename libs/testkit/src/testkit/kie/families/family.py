"""One dialect of KIE as a value: where it lives and how it words its answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testkit.kie.media import Medium
from testkit.kie.tasks import Task
from testkit.kie.wire import Json, JsonObject, envelope

Wording = Callable[[Task], JsonObject]

OUTPUT_COUNT_KEYS = ("num_images", "numImages", "nVariants", "max_images", "n")
NO_RECORD = envelope(422, "record is null")


def task_id_only(task_id: str) -> JsonObject:
    """The create answer of most families."""
    return {"taskId": task_id}


def always(medium: Medium) -> Callable[[JsonObject], Medium]:
    """The medium of a family that makes only one."""
    return lambda _request: medium


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One entry of the table of families."""

    name: str
    create_path: str | None  # None: nothing is created, only asked for
    poll_path: str
    medium: Callable[[JsonObject], Medium]
    final: Wording  # the body of the callback that ends the task
    record: Wording  # `data` of the polling answer
    unknown: JsonObject  # the polling answer for an id it does not know
    created: Callable[[str], JsonObject] = task_id_only  # `data` of the create answer
    stages: tuple[Wording, ...] = ()  # callbacks that tell of progress, in order
    afterthought: Wording | None = None  # progress told after the end, by a family without stages
    callback_key: str = "callBackUrl"
    requires_callback_url: bool = False
    of_parent: bool = False  # another form of a finished task, under that task's id
    requires: tuple[str, ...] = ()  # fields without which a create call is refused
    usual_outputs: int = 1
    most_outputs: int = 15

    def outputs(self, request: JsonObject) -> int:
        """How many media the request asks for."""
        for key in OUTPUT_COUNT_KEYS:
            asked = inputs(request).get(key)
            if isinstance(asked, (int, str)) and str(asked).isdecimal():
                return max(1, min(int(asked), self.most_outputs))
        return self.usual_outputs


def inputs(request: JsonObject) -> JsonObject:
    """What the model is given: the nested `input` of Market, else the request itself."""
    nested = request.get("input")
    return nested if isinstance(nested, Mapping) else request


def other_form(family: Family, task_id: str) -> str:
    """The name under which another form of a task is kept beside it."""
    return f"{task_id}.{family.name}"


def words_of(request: JsonObject, key: str) -> str:
    """A text field of the request; empty if it is missing or no text."""
    value: Json = request.get(key)
    return value if isinstance(value, str) else ""
