"""Requests of the operator's command line; a separate subject tree, so that no bot can reach it."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from contracts.api import JobView, LedgerLine, OrphanView, Request
from contracts.message import Value
from contracts.values import (
    BotSlug,
    ChatId,
    Clean,
    Currency,
    JobState,
    Key,
    Line,
    Moment,
    UserId,
    Word,
    bigint,
)

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256")]


class Signed(Request):
    """A change of what operators own; who made it is kept."""

    who: Annotated[Line, Field(description="the operator, for the audit")] = ""
    why: Annotated[Line, Field(description="the reason, for the audit")] = ""


class AddBot(Signed):
    """Registers a bot, or changes the fields of a known one."""

    slug: BotSlug
    token_ref: Word = "default"  # noqa: S105 - a reference, not the token
    kie_account: Word = "default"
    currency: Currency = "RUB"
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    rich: Annotated[
        bool,
        Field(description="several pictures as one rich message; old Telegram apps cannot show it"),
    ] = False
    staging_chat: Annotated[
        ChatId | None,
        Field(
            description="a chat of the bot's own where results wait that nobody can be shown yet"
        ),
    ] = None


class SetTexts(Signed):
    """Replaces a bot's own texts; a name is ``line`` or ``language.line``, unknown ones are refused."""

    slug: BotSlug
    texts: dict[Word, Line]


class Pause(Value):
    """One thing an operator stopped for a bot."""

    what: Word
    why: Annotated[Line, Field(description="who stopped it, and why")]


class BotView(Value):
    """A bot as an operator sees it."""

    slug: BotSlug
    token_ref: Word
    kie_account: Word
    currency: Currency
    language: Clean
    rich: bool = False
    staging_chat: ChatId | None = None
    texts: dict[Word, Line] = Field(default_factory=dict)
    created_at: Moment
    paused: Annotated[Line | None, Field(description="why KIE takes nothing of it")] = None
    pauses: Annotated[tuple[Pause, ...], Field(description="what an operator stopped")] = ()


class BotsView(Value):
    """All bots."""

    bots: tuple[BotView, ...]


class ListBots(Request):
    """All of them."""


class ListJobs(Request):
    """The latest jobs, of one bot, state or span of time if named."""

    bot: BotSlug | None = None
    state: JobState | None = None
    since: Annotated[Moment | None, Field(description="created then or later")] = None
    until: Annotated[Moment | None, Field(description="created before")] = None
    before: Annotated[UUID | None, Field(description="older than this job: the next page")] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class ShowJob(Request):
    """One job with its story."""

    job_id: UUID


class TimelineLine(Value):
    """One thing that happened to a job."""

    at: Moment
    what: Word
    detail: Line = ""


class JobStory(Value):
    """One job with everything that happened to it."""

    job: JobView
    timeline: tuple[TimelineLine, ...]
    ledger: tuple[LedgerLine, ...]


class ListOrphans(Request):
    """The latest orphans, of one state if named."""

    state: Word | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class ShowOrphan(Request):
    """One orphan with its raw callbacks."""

    orphan_id: UUID


class OrphanStory(Value):
    """An orphan and the bodies that came for it."""

    orphan: OrphanView
    bodies: tuple[Clean, ...]


class WalletStatement(Request):
    """A wallet of any bot."""

    bot: BotSlug
    # Bounded by code: a frozen schema takes no new bound.
    user_id: Annotated[int, Field(ge=1), AfterValidator(bigint)]
    currency: Currency


class CreditWallet(Signed):
    """Credits a payment to a user of any bot, once."""

    bot: BotSlug
    user_id: UserId
    currency: Currency
    amount: Annotated[int, Field(strict=True, gt=0, le=10**12)]
    reference: Annotated[
        Key, Field(description="unique per bot: the same payment never credits twice")
    ]


class AskStatus(Request):
    """One screen."""


class BotStatus(Value):
    """What one bot has in flight."""

    bot: BotSlug
    open_jobs: int
    oldest_open_seconds: float | None = None
    by_state: dict[Clean, int]


class StatusView(Value):
    """What an operator sees at a glance."""

    at: Moment
    verdict: Line
    healthy: bool
    bots: tuple[BotStatus, ...]
    effects_due: int
    effects_acting: int
    parts_uncertain: int
    submissions_uncertain: int
    parts_parked: int
    orphans_waiting: int
    dead_letters: int
    outbox_rows: int
    outbox_oldest_seconds: float | None = None
    callbacks: int
    polls: int
    paused: tuple[Line, ...] = ()
    late_polls: Annotated[
        int, Field(ge=0, description="expired jobs whose task is asked about once more")
    ] = 0
    told_to_wait: Annotated[
        dict[Clean, int],
        Field(
            default_factory=dict,
            description="whom a 429 or a silent KIE holds back: so many of `bot`, `chat`, `group`, `creates`",
        ),
    ]
    credits: Annotated[
        dict[Clean, float],
        Field(
            default_factory=dict,
            description="left on each KIE account that was called within the hour, at its last job",
        ),
    ]


class Resume(Request):
    """How the way back from a restore of Postgres stands; with ``advance`` the next step is taken."""

    advance: bool = False


class ResumeView(Value):
    """What is held, and how far the way back is."""

    held: bool
    phase: Literal["found", "reports", "outcomes", "over"]
    found_at: Moment | None = None
    durable: Word | None = None
    missing: Annotated[
        Line | None, Field(description="a message that was acknowledged and is not known")
    ] = None
    pending: Annotated[int, Field(ge=0, description="messages still to be applied again")] = 0
    gone: Annotated[
        int, Field(ge=0, description="messages after the backup that the bus no longer has")
    ] = 0
    may_repeat: Annotated[
        tuple[Word, ...],
        Field(description="jobs of which a task or a message may be made a second time"),
    ] = ()
    unknown_jobs: Annotated[
        tuple[Word, ...],
        Field(description="jobs made after the backup, of which only callbacks are known"),
    ] = ()


class AskDoctor(Request):
    """Run the invariant checker."""


class Finding(Value):
    """One check of the doctor; ``count`` offenders, some of them named."""

    check: Word
    ok: bool
    count: int
    detail: Line = ""


class DoctorView(Value):
    """Every check of the invariants."""

    at: Moment
    findings: tuple[Finding, ...]


class AskSchema(Request):
    """Compare the schema with what this version ships."""


class Migration(Value):
    """One migration as this version has it, and as it was applied."""

    version: Word
    name: Word
    applied: bool
    reversible: Annotated[bool, Field(description="it says how it is taken back")]
    sha256: Digest
    applied_sha256: Annotated[
        Digest | None, Field(description="of the file when it was applied; none: not kept")
    ] = None


class SchemaView(Value):
    """How the tables stand beside what this version ships."""

    at: Moment
    journal_format: Annotated[
        int | None,
        Field(ge=1, description="of the JSON storage, which has no migrations; none: Postgres"),
    ] = None
    migrations: tuple[Migration, ...]
    unknown: Annotated[
        tuple[Word, ...], Field(description="applied, and not of this version: a newer one's")
    ] = ()
    objects: Annotated[
        int, Field(ge=0, description="tables, columns, constraints, indexes, triggers looked for")
    ]
    missing_count: Annotated[int, Field(ge=0)] = 0
    missing: Annotated[tuple[Line, ...], Field(description="the first that are not there")] = ()
