"""The rows of one job as plain values.

Jobs, effects and parts are wide and copied with every decision: they have no slots, see ``wide``.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType, TypeAlias
from uuid import UUID

from pydantic import JsonValue

from contracts.deliveries import Item
from contracts.markup import Entity, Keyboard
from contracts.values import (
    Cause,
    FailureClass,
    JobState,
    MediaKind,
    MoneyState,
    PartState,
    trace_of,
)

TaskKey = NewType("TaskKey", str)
Mode: TypeAlias = Literal["edit", "send"]


class Door(StrEnum):
    CREATE = "create"  # we submit the task
    EXPECT = "expect"  # the bot submits it
    DELIVER = "deliver"  # the result exists already


class EffectKind(StrEnum):
    SUBMIT = "submit"
    STATUS = "status"
    PROGRESS = "progress"
    SHOW = "show"
    SEND = "send"
    STAGE = "stage"
    REWRITE = "rewrite"
    REMOVE = "remove"
    POLL = "poll"


class EffectState(StrEnum):
    PENDING = "pending"
    ACTING = "acting"
    DONE = "done"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    PARKED = "parked"
    CANCELLED = "cancelled"


FINAL = frozenset(
    {
        JobState.DELIVERED,
        JobState.FAILED,
        JobState.UNDELIVERABLE,
        JobState.EXPIRED,
        JobState.CANCELLED,
    }
)
UNSUBMITTED = frozenset({JobState.CREATED, JobState.SUBMITTING})
OPEN = UNSUBMITTED | {JobState.RUNNING}
LIVE = frozenset({EffectState.PENDING, EffectState.ACTING})
PLACING = frozenset({EffectKind.SHOW, EffectKind.SEND})  # what puts a part into its chat


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    slug: str
    token_ref: str
    kie_account: str
    currency: str
    language: str
    texts: dict[str, str]
    rich: bool
    staging_chat: int | None
    created_at: datetime
    pauses: dict[str, str] = field(default_factory=dict)  # what an operator stopped, and why

    def holds_back(self, kind: EffectKind) -> bool:
        """Claim that an operator stopped what this effect does."""
        if kind is EffectKind.SUBMIT:
            return "submissions" in self.pauses
        return kind is not EffectKind.POLL and "deliveries" in self.pauses


@dataclass(frozen=True, kw_only=True)
class Job:
    id: UUID
    bot: str
    key: str
    digest: str
    door: Door
    state: JobState
    version: int
    chat_id: int
    thread_id: int | None
    reply_to: int | None
    user_id: int
    language: str
    deliver: bool
    notify: str
    caption: str
    caption_entities: tuple[Entity, ...]
    mode: Mode
    buttons: Keyboard
    protect: bool
    originals: bool
    voice: bool
    account: str
    family: str
    operation: str
    model: str
    input: JsonValue
    price: int
    currency: str
    money: MoneyState = MoneyState.NONE
    status_message_id: int | None
    status_at: datetime | None
    status_unclear_until: datetime | None = None
    delivery_no: int = 0
    progress: float | None = None
    progress_at: datetime | None = None
    cause: Cause | None = None
    failure: FailureClass | None = None
    error: str | None = None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Effect:
    id: UUID
    job_id: UUID
    kind: EffectKind
    state: EffectState
    due_at: datetime
    part_id: UUID | None = None
    item: int | None = None
    message_id: int | None = None
    text: str | None = None
    queued: bool = False
    claimed_at: datetime | None = None
    attempts: int = 0
    failures: int = 0
    open_attempt: UUID | None = None
    lease_until: datetime | None = None
    holder: UUID | None = None
    trace: str | None = None  # the context of what made it due

    @property
    def cause(self) -> str:
        """The trace context it is done in: its cause's, else that of the job."""
        return self.trace or trace_of(self.job_id)


@dataclass(frozen=True, kw_only=True)
class Part:
    id: UUID
    job_id: UUID
    delivery_no: int
    ordinal: int
    kind: MediaKind
    url: str | None
    text: str
    entities: tuple[Entity, ...]
    made_at: datetime
    body: str | None = None
    name: str | None = None
    items: tuple[Item, ...] = ()
    buttons: Keyboard = ()
    album: int | None = None
    state: PartState = PartState.PENDING
    carrier_no: int = 1
    carrier_posts: int = 0
    message_id: int | None = None
    file_id: str | None = None
    edit_maybe_applied: bool = False
    showings: int = 0
    refusal: str | None = None
    shown_at: datetime | None = None

    @property
    def is_notice(self) -> bool:
        return self.ordinal == 0

    @property
    def is_words(self) -> bool:
        """A late edit of the same message's text would replace it; a medium would refuse it."""
        return self.kind is MediaKind.TEXT or bool(self.items)

    @property
    def is_blank(self) -> bool:
        """Claim that its content is gone: there is nothing to show."""
        return not (self.links or self.text or self.body or self.file_id or self.items)

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(link for link in (self.url, *(item.url for item in self.items)) if link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One message shows one part; primary key bot, chat, message."""

    bot: str
    chat_id: int
    message_id: int
    part_id: UUID
    no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An attempt to insert."""

    id: UUID
    effect_id: UUID
    job_id: UUID
    no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A ledger row: ``amount`` leaves ``debit`` for ``credit``."""

    kind: str
    debit: str
    credit: str
    amount: int
    job: Job
    refunds_capture: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The tuple by which a job owns a KIE task."""

    account: str
    family: str
    operation: str
    task_id: str
    job_id: UUID
