"""Why a request to job-store changed nothing: every refusal is typed."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.message import Value
from contracts.values import Line, Seconds, Word


class RefusalName(StrEnum):
    """Every way a request is refused."""

    INVALID_REQUEST = "invalid_request"
    DEADLINE_PASSED = "deadline_passed"
    UNKNOWN_BOT = "unknown_bot"
    UNKNOWN_JOB = "unknown_job"
    UNKNOWN_ORPHAN = "unknown_orphan"
    KEY_CONFLICT = "key_conflict"
    TASK_CONFLICT = "task_conflict"
    REFERENCE_CONFLICT = "reference_conflict"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    PAUSED = "paused"
    TOO_LATE = "too_late"
    NO_PUBLIC_URL = "no_public_url"
    UNAVAILABLE = "unavailable"


class LimitHit(Value):
    """Too much was asked for; the words are open, for limits a later server may have."""

    whose: Annotated[Word, Field(description="user, or bot: all users of it together")]
    what: Annotated[Word, Field(description="jobs_per_minute, open_jobs or open_holds")]
    allowed: Annotated[int, Field(ge=1)]


class Refusal(Value):
    """Why a request changed nothing, what exists now, and what to do."""

    code: RefusalName
    message: Line
    hint: Line = ""
    job_id: UUID | None = None
    retryable: bool = False
    limit: Annotated[
        LimitHit | None, Field(description="with `paused`: only for now, because of this limit")
    ] = None
    retry_after: Annotated[
        Seconds | None, Field(description="seconds after which asking again may succeed")
    ] = None


class ErrorReply(Value):
    """The reply that carries a refusal."""

    error: Refusal
