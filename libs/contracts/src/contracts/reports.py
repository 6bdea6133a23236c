"""What KIE said about a task, as the gateway or the reconciler heard it."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from contracts.markup import Entity
from contracts.message import Message, Value
from contracts.values import Body, FailureClass, Line, MediaKind, Moment, TaskId, Url, Word


class ReportState(StrEnum):
    """What KIE said of the task."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PROGRESS = "progress"
    UNKNOWN = "unknown"  # a state we do not know: hold and poll, never fail
    NOT_FOUND = "not_found"
    TRANSIENT_ERROR = "transient_error"
    FATAL_ERROR = "fatal_error"


class ReportedMedia(Value):
    """One result: a link, or the text itself.

    A text of kind ``text`` stands in messages; of kind ``file`` or ``midi`` it becomes a document.
    """

    kind: MediaKind
    url: Url | None = None
    text: Body | None = None
    entities: Annotated[
        tuple[Entity, ...], Field(max_length=1_000, description="formatting of a text")
    ] = ()
    name: Annotated[Word | None, Field(description="file name of a document")] = None


class Reading(Value):
    """Our reading of the raw body; the body stays the evidence."""

    state: ReportState
    task_id: TaskId | None = None
    family: Word | None = None
    media: Annotated[tuple[ReportedMedia, ...], Field(max_length=200)] = ()
    error_code: Word | None = None
    error_message: Line | None = None
    error_class: FailureClass | None = None
    progress: Annotated[float | None, Field(ge=0, le=100)] = None
    anomalies: Annotated[tuple[Word, ...], Field(max_length=50)] = ()


class TokenClaim(Value):
    """What the signed path of the callback says."""

    verdict: Literal["valid", "unknown_key"]
    key_id: Word
    job_id: UUID
    attempt: Annotated[int, Field(ge=1)]


class HmacClaim(Value):
    """What KIE's signature says. It covers task id and timestamp, not the body (kie.md section 3)."""

    verdict: Literal["absent", "match", "stale", "mismatch"]
    account: Word | None = None


class PollClaim(Value):
    """Which question a poll answers."""

    attempt_id: UUID
    job_id: UUID
    account: Word
    family: Word
    operation: Word
    task_id: TaskId


class ReportReceived(Message):
    """A callback, or the answer to a poll, stored before anybody judges it."""

    origin: Literal["callback", "poll"]
    received_at: Moment
    body: Annotated[
        Base64Bytes,
        Field(
            description="raw bytes, the token of our callback URL hidden, cut at the gateway's bound"
        ),
    ]
    body_digest: Annotated[
        str, Field(pattern=r"^[0-9a-f]{64}$", description="sha256 of the whole raw body")
    ]
    truncated: bool = False
    headers: dict[Word, Line] = Field(default_factory=dict)
    reading: Reading
    token: TokenClaim | None = None
    hmac: HmacClaim = HmacClaim(verdict="absent")
    poll: PollClaim | None = None
