"""What became of a job, told to its bot and kept as the job's history."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.message import Message
from contracts.values import (
    BotSlug,
    Cause,
    ChatId,
    Clean,
    FailureClass,
    JobState,
    Key,
    Line,
    MoneyState,
    TaskId,
    UserId,
)


class JobEventName(StrEnum):
    """What a bot hears of its jobs."""

    CREATED = "created"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class JobEvent(Message):
    """One change of a job that its bot hears of."""

    event: JobEventName
    seq: Annotated[
        int | None, Field(description="place in the bot's changes; set when read from there")
    ] = None
    job_id: UUID
    bot: BotSlug
    key: Key
    version: Annotated[int, Field(ge=1, description="+1 on every change of the job")]
    state: JobState
    chat_id: ChatId | None = None
    user_id: UserId | None = None
    task_id: TaskId | None = None
    media: Annotated[tuple[Clean, ...], Field(description="result links, until they expire")] = ()
    cause: Cause | None = None
    failure: FailureClass | None = None
    error: Line | None = None
    money: MoneyState


class OrphanEventName(StrEnum):
    """What operators hear of orphans."""

    WAITING = "waiting"
    MATCHED = "matched"
    EXPIRED = "expired"


class OrphanEvent(Message):
    """One change of an orphan."""

    event: OrphanEventName
    orphan_id: UUID
    task_id: TaskId
    job_id: UUID | None = None
