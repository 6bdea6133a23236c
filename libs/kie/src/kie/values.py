"""The words every reader of KIE shares: a state, a medium, a reading. Values only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

About = Literal[
    "family", "task_id", "state", "result", "error_code", "error_message", "progress", "ignored"
]
MediaKind = Literal["image", "video", "audio", "text", "file"]


class State(StrEnum):
    """What one message of KIE says about its task."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PROGRESS = "progress"
    UNKNOWN = "unknown"  # a word, code or shape we have no fact about: hold and poll
    NOT_FOUND = "not_found"  # polls only, as are the two below
    TRANSIENT_ERROR = "transient_error"  # says nothing about the task, ask again
    FATAL_ERROR = "fatal_error"  # says nothing about the task, asking again will not help


class Anomaly(StrEnum):
    """Why a reading deserves a second look; several may stand together."""

    TASK_ID_CONFLICT = "task_id_conflict"
    TASK_ID_MALFORMED = "task_id_malformed"
    TASK_ID_MISMATCH = "task_id_mismatch"  # a poll answered about another task
    NO_TASK_ID = "no_task_id"
    SUCCESS_WITHOUT_RESULT = "success_without_result"
    RESULT_EXPIRED = "result_expired"
    BAD_URL = "bad_url"
    UNKNOWN_FAMILY = "unknown_family"
    UNKNOWN_STATE = "unknown_state"
    UNKNOWN_CODE = "unknown_code"
    CODE_CONTRADICTS_STATE = "code_contradicts_state"
    DUPLICATE_KEY = "duplicate_key"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_DEEP = "too_deep"
    HTTP_STATUS = "http_status"
    NO_ANSWER = "no_answer"
    NO_ENDPOINT = "no_endpoint"
    OTHER_OPERATION = "other_operation"  # the record is the parent's, not the task's own


@dataclass(frozen=True, slots=True)
class Media:
    """One result: a link to fetch, or the content itself where KIE sends it inline."""

    kind: MediaKind
    url: str | None = None
    text: str | None = None
    name: str | None = None  # of the document a text becomes; without one it stands in messages


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a reading rests on: what it is about, the path it stood at, and why it counts."""

    about: About
    place: str | None = None
    why: str | None = None

    def __str__(self) -> str:
        """Write it as one line."""
        where = f" at {self.place}" if self.place else ""
        return f"{self.about}{where}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True)
class Reading:
    """Our reading of one message; every string is safe for Postgres.

    `media` is partial while the state is progress. `family` is what the caller told, else the best
    guess from the shape. `progress` is a fraction. `status` is KIE's own word for the state.
    `trace` tells where each value was found and what was ignored; it quotes no content but KIE's
    words for a state.
    """

    task_id: str | None
    state: State
    media: tuple[Media, ...] = ()
    error_code: str | None = None
    error_message: str | None = None
    family: str | None = None
    progress: float | None = None
    anomalies: tuple[str, ...] = ()
    trace: tuple[Step, ...] = ()
    status: str | None = None

    @property
    def result_urls(self) -> tuple[str, ...]:
        """The links among the media, in KIE's order."""
        return tuple(medium.url for medium in self.media if medium.url is not None)
