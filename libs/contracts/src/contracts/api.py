"""Requests a bot sends to job-store and the replies it gets; every refusal is typed."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.events import JobEvent
from contracts.markup import Entity, Keyboard
from contracts.message import Value
from contracts.reports import ReportedMedia
from contracts.values import (
    BotSlug,
    Cause,
    ChatId,
    Clean,
    Currency,
    FailureClass,
    JobState,
    Json,
    Key,
    Line,
    MediaKind,
    MessageId,
    MinorUnits,
    Moment,
    MoneyState,
    PartState,
    TaskId,
    Text,
    Url,
    UserId,
    Word,
)


class Request(Value):
    """A question with a deadline: after ``not_after`` it is refused unread, so a late one changes nothing."""

    not_after: Moment


class JobRequest(Request):
    """What every door into the lifecycle asks: whose job, where to show it, what it costs."""

    key: Annotated[Key, Field(description="idempotency key, unique per bot")]
    chat_id: ChatId
    user_id: UserId
    thread_id: MessageId | None = None
    reply_to: MessageId | None = None
    status: Annotated[
        Literal["auto", "none"] | MessageId,
        Field(description="post a status message, none, or the id of one the bot already posted"),
    ] = "auto"
    notify: Literal["auto", "fresh", "in_place"] = "auto"
    language: Annotated[
        str | None, Field(pattern=r"^[a-z]{2}$", description="two letters; none: the bot's own")
    ] = None
    price: MinorUnits = 0
    currency: Annotated[Currency | None, Field(description="none: the bot's own")] = None
    caption: Annotated[
        Text,
        Field(max_length=4_000, description="beyond Telegram's 1,024 it becomes a text of its own"),
    ] = ""
    caption_entities: Annotated[tuple[Entity, ...], Field(max_length=100)] = ()
    deliver: Annotated[bool, Field(description="False: callbacks, polling and events only")] = True
    mode: Annotated[
        Literal["edit", "send"],
        Field(
            description="edit: repeated until it stands. send: at most once, for albums and voice notes"
        ),
    ] = "edit"
    buttons: Annotated[Keyboard, Field(description="below the first message of the result")] = ()
    protect: Annotated[bool, Field(description="the result cannot be forwarded or saved")] = False
    originals: Annotated[
        bool, Field(description="also send the untouched file of every image and video")
    ] = False
    voice: Annotated[bool, Field(description="audio as voice notes; needs mode `send`")] = False

    @model_validator(mode="after")
    def _can_be_shown_so(self) -> Self:
        if self.voice and self.mode != "send":
            msg = "voice needs mode send: a message cannot be edited into a voice note"
            raise ValueError(msg)
        return self


class CreateJob(JobRequest):
    """We submit the task."""

    family: Word = "market"
    operation: Word = "generate"
    model: Word
    input: dict[Word, Json]


class ExpectJob(JobRequest):
    """The bot submits the task itself, to the callback URL we answer with."""

    family: Word = "market"
    operation: Word = "generate"


class DeliverJob(JobRequest):
    """The result exists already; only show it."""

    media: Annotated[tuple[ReportedMedia, ...], Field(min_length=1, max_length=50)]


class AttachTask(Request):
    """The bot learned its task id."""

    job_id: UUID
    task_id: TaskId


class OneJob(Request):
    """Names a job by id, or by the bot's own key."""

    job_id: UUID | None = None
    key: Key | None = None

    @model_validator(mode="after")
    def _names_exactly_one(self) -> Self:
        if (self.job_id is None) == (self.key is None):
            msg = "give job_id or key, and not both"
            raise ValueError(msg)
        return self


class ByTask(Request):
    """Names the jobs of one KIE task."""

    task_id: TaskId


class Page(Request):
    """One page of a list."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    after: Annotated[
        Clean | None, Field(max_length=100, description="cursor of the page before")
    ] = None


class ChatReturned(Request):
    """A user who had blocked the bot is back: their parked results are due again."""

    chat_id: ChatId


class MatchOrphan(Request):
    """Says by hand which job an orphan belongs to."""

    orphan_id: UUID
    job_id: UUID
    who: Annotated[Line, Field(description="the operator, for the audit")] = ""
    why: Annotated[Line, Field(description="the reason, for the audit")] = ""


class WalletRef(Request):
    """Names a wallet: one user of the bot, one currency."""

    user_id: UserId
    currency: Currency


class TopUp(WalletRef):
    """Credits a payment once."""

    amount: Annotated[int, Field(strict=True, gt=0, le=10**12)]
    reference: Annotated[
        Key, Field(description="unique per bot: the same payment never credits twice")
    ]


class Changes(Request):
    """Asks for the bot's events after a cursor."""

    after: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class PartView(Value):
    """One medium of a result, and where it stands."""

    ordinal: int
    delivery_no: int
    kind: MediaKind
    state: PartState
    url: Url | None = None
    text: Text | None = None
    message_id: MessageId | None = None
    refusal: Annotated[Word | None, Field(description="why it will never be shown")] = None


class JobView(Value):
    """A job as its bot may see it."""

    id: UUID
    label: Word
    bot: BotSlug
    key: Key
    state: JobState
    version: int
    chat_id: ChatId
    user_id: UserId
    price: MinorUnits
    currency: Currency
    money: MoneyState
    task_ids: tuple[TaskId, ...] = ()
    parts: tuple[PartView, ...] = ()
    cause: Cause | None = None
    failure: FailureClass | None = None
    error: Line | None = None
    callback_url: Url | None = None
    status_message_id: MessageId | None = None
    progress: Annotated[float | None, Field(ge=0, le=100)] = None
    mode: Literal["edit", "send"] = "edit"
    created_at: Moment
    ended_at: Moment | None = None
    created: Annotated[
        bool, Field(description="False when the key was known and this is the job it made")
    ] = True


class JobsView(Value):
    """One page of jobs; ``next`` is the cursor of the page after it."""

    jobs: tuple[JobView, ...]
    next: Clean | None = None


class WalletView(Value):
    """What a user has, in minor units."""

    user_id: UserId
    currency: Currency
    balance: Annotated[int, Field(description="free to spend, minor units")]
    held: Annotated[int, Field(description="held for open jobs, minor units")]


class LedgerLine(Value):
    """One transfer of a wallet."""

    id: int
    at: Moment
    kind: Word
    amount: int
    job_id: UUID | None = None
    reference: Key | None = None


class StatementView(Value):
    """A wallet with its latest transfers."""

    wallet: WalletView
    lines: tuple[LedgerLine, ...]


class OrphanView(Value):
    """Callbacks of a task whose job is not known."""

    id: UUID
    task_id: TaskId
    state: Word
    reports: int
    trusted: bool
    first_seen_at: Moment
    job_id: UUID | None = None


class OrphansView(Value):
    """Orphans, the latest first."""

    orphans: tuple[OrphanView, ...]


class ChangesView(Value):
    """Events in order; ``next`` is the cursor to go on from."""

    events: tuple[JobEvent, ...]
    next: int


class Done(Value):
    """How much a request changed."""

    changed: Annotated[int, Field(ge=0, description="how many rows the request changed")]
