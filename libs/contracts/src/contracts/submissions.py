"""One createTask call: asked by job-store, made by submitter."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Attempt, Message, Value
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.values import BotSlug, Json, TaskId, Url, Word


class SubmissionRequested(Message):
    """One createTask call, with the right to make it once."""

    attempt: Attempt
    job_id: UUID
    bot: BotSlug
    account: Annotated[
        Word, Field(description="reference of the KIE key to use; never the key itself")
    ]
    family: Word
    operation: Word
    model: Word
    input: Json
    callback_url: Url | None = None
    call_timeout: Annotated[
        float, Field(gt=0, le=300, description="seconds the whole call may take")
    ]


class TaskCreated(Value):
    """KIE took the task."""

    kind: Literal["done"] = "done"
    task_id: TaskId


SubmissionResult = Annotated[
    TaskCreated | NotSent | Later | Ambiguous | Refused, Field(discriminator="kind")
]


class SubmissionOutcome(Message):
    """Self-contained: its id is the attempt and the outcome, so deduplication never swallows a new fact."""

    attempt_id: UUID
    holder: Annotated[UUID, Field(description="who asked ``effects.begin`` before this was said")]
    job_id: UUID
    result: SubmissionResult
    credits: Annotated[
        float | None,
        Field(
            allow_inf_nan=False,
            description="what was left on the KIE account when it was last looked at, within the minute",
        ),
    ] = None
