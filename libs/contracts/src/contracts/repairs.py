"""What an operator puts right by hand. Every change says who made it and why, and that is kept for ever."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.api import Request
from contracts.message import Value
from contracts.ops import Pause
from contracts.values import (
    BotSlug,
    ChatId,
    Clean,
    Key,
    Line,
    MediaKind,
    MessageId,
    Moment,
    Word,
)

MANY = 100  # of one request; what is more comes in several
DeadId = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


class Repair(Request):
    """A change by hand; with ``dry_run`` it is only said what would become of it."""

    who: Annotated[Line, Field(min_length=1, description="the operator, for the audit")]
    why: Annotated[Line, Field(min_length=1, description="the reason, for the audit")]
    dry_run: bool = False


class JobsRepair(Repair):
    """A change of some jobs; each is done or refused alone."""

    job_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MANY)]


class RedeliverJobs(JobsRepair):
    """Try again to show what is not shown yet: what was refused, parked, or waits for a later try."""


class ResendJobs(JobsRepair):
    """Show a deliberate copy of what was shown, as a new job that costs nothing."""

    key: Annotated[Key, Field(description="idempotency key: the same makes no second copy")]


class RefundJobs(JobsRepair):
    """Give back what was captured."""


class CancelJobs(JobsRepair):
    """Cancel while certainly nothing was submitted."""


class ResolvePart(Repair):
    """Say what became of a result nobody knows of, after looking into its chat."""

    part_id: UUID
    outcome: Literal["arrived", "send_again"]
    message_id: Annotated[
        MessageId | None, Field(description="of what arrived, when it is known")
    ] = None


class Repaired(Value):
    """What became of one of them; a refusal changed nothing of it."""

    id: Annotated[UUID, Field(description="of the job, the result or the orphan that was named")]
    did: bool
    reason: Annotated[Line, Field(description="why it was refused")] = ""
    copy_id: Annotated[UUID | None, Field(description="the job that shows the copy")] = None


class RepairsView(Value):
    """What became of each, in the order they were named."""

    repaired: tuple[Repaired, ...]


class ListUncertain(Request):
    """Results that may be in their chat or not, the oldest first."""

    bot: BotSlug | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class UncertainPart(Value):
    """One of them, and from when on it may be sent again."""

    part_id: UUID
    job_id: UUID
    label: Word
    bot: BotSlug
    chat_id: ChatId
    kind: MediaKind
    mode: Word
    ordinal: int
    content: Annotated[Line, Field(description="its link, or how its text begins")]
    since: Moment
    may_send_again_at: Moment


class UncertainView(Value):
    """What waits for somebody to look."""

    parts: tuple[UncertainPart, ...]


class SetPause(Repair):
    """Stop or start one thing for one bot; nothing that was accepted is lost meanwhile."""

    bot: BotSlug
    what: Annotated[
        Literal["intake", "submissions", "deliveries"],
        Field(description="new jobs, calls of createTask, calls of Telegram"),
    ]
    paused: bool


class PauseView(Value):
    """What is paused of a bot, and why; how much goes on at once."""

    bot: BotSlug
    pauses: tuple[Pause, ...]
    released: Annotated[int, Field(ge=0, description="what waited and is due now")] = 0


class ListDead(Request):
    """Messages nobody could read or apply, the newest first."""

    settled: Annotated[bool, Field(description="also what was replayed or discarded")] = False
    reason: Annotated[Line | None, Field(description="only those whose reason contains this")] = (
        None
    )
    first: Annotated[DeadId | None, Field(description="only from this one on")] = None
    last: Annotated[DeadId | None, Field(description="only up to this one")] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class DeadView(Value):
    """One dead letter."""

    id: DeadId
    at: Moment
    durable: Word
    subject: Word
    stream_seq: int
    reason: Line
    size: Annotated[int, Field(ge=0, description="bytes")]
    settled_as: Word | None = None
    settled_at: Moment | None = None


class DeadLettersView(Value):
    """Dead letters."""

    letters: tuple[DeadView, ...]


class ShowDead(Request):
    """One dead letter with its bytes."""

    id: DeadId


class DeadStory(Value):
    """A dead letter as it came; bytes that are no text stand as escapes."""

    letter: DeadView
    payload: Clean


class SettleDead(Repair):
    """Put dead letters onto the bus again, or say that nothing is to be done about them."""

    ids: Annotated[tuple[DeadId, ...], Field(min_length=1, max_length=MANY)]
    settle: Literal["replay", "discard"]


class SettledDead(Value):
    """What became of one."""

    id: DeadId
    did: bool
    reason: Line = ""


class SettledDeadView(Value):
    """What became of each, in the order they were named."""

    letters: tuple[SettledDead, ...]


class ExpireOrphans(Repair):
    """Give up waiting for the jobs of orphans; they can still be matched."""

    orphan_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MANY)]


class ListAudit(Request):
    """What operators changed, the newest first."""

    job_id: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class AuditLine(Value):
    """One change by hand."""

    at: Moment
    who: Line
    why: Line
    verb: Word
    target: Line
    detail: Line = ""


class AuditView(Value):
    """Changes by hand."""

    lines: tuple[AuditLine, ...]
