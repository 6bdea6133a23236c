"""One operation of KIE as a value: where it lives, how its request is written, why it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kie.body import Json, task_id
from kie.creation import Unfit

Input = Mapping[str, Json]
# Most are created. 1080p is only asked for, about a finished video; the rest cannot be had.
Kind = Literal["created", "asked_for", "synchronous", "retired"]

GENERATE = "generate"
_CALLBACK_KEYS = ("callBackUrl", "calBackUrl")
# The one Market page that says its model needs a callback address.
_MODELS_NEEDING_CALLBACK = frozenset({"kling/motion-control-v3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of the table; a path KIE does not have is None."""

    name: str  # of its dialect, as readings call it
    family: str
    operation: str = GENERATE
    kind: Kind = "created"
    create_path: str | None = None
    poll_path: str | None = None
    nested: bool = False  # what the model is given stands under `input`
    takes_model: bool = True
    callback_key: str = "callBackUrl"
    needs_callback: bool = False

    @property
    def label(self) -> str:
        """Family and operation, for people."""
        return f"{self.family}/{self.operation}"

    def write(self, model: str | None, given: Input, callback_url: str | None) -> dict[str, Json]:
        """Write the body of a creation; where KIE answers is never the input's to say."""
        if self.nested:
            written: dict[str, Json] = {"input": dict(given)}
        else:
            written = {key: value for key, value in given.items() if key not in _CALLBACK_KEYS}
        if self.takes_model and model is not None:
            written["model"] = model
        if callback_url is not None:
            written[self.callback_key] = callback_url
        return written

    def unfit(self, *, model: str | None, given: Input, callback_url: str | None) -> Unfit | None:
        """Say why it cannot be created at all, None when it can."""
        match self.kind:
            case "retired":
                return Unfit("retired", f"KIE no longer offers {self.label}")
            case "synchronous":
                said = f"KIE makes no task of {self.label}: there is nothing to wait for"
                return Unfit("synchronous", said)
            case "asked_for":
                return self._unfit_parent(given)
            case "created" if self.needs_callback or model in _MODELS_NEEDING_CALLBACK:
                said = f"KIE makes {self.label} only with a callback address: set a public URL"
                return None if callback_url else Unfit("callback_url_missing", said)
            case "created":
                return None

    def _unfit_parent(self, given: Input) -> Unfit | None:
        if parent_of(given) is None:
            return Unfit("input_unfit", f"{self.label} needs the taskId of a finished video")
        # The poll says no index, and KIE takes that for the first.
        if given.get("index") not in (None, 0):
            return Unfit("input_unfit", f"{self.label} is offered for index 0 only")
        return None


def parent_of(given: Input) -> str | None:
    """Return the task whose result is asked for in another form."""
    return task_id(given.get("taskId"))
