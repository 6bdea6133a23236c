"""The verbs of the API: what a bot and an operator may ask, and which store verb answers."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog

from chassis import tracing
from chassis.coalesce import Coalescer
from contracts.api import (
    AttachTask,
    ByTask,
    Changes,
    ChatReturned,
    CreateJob,
    DeliverJob,
    Done,
    ExpectJob,
    JobView,
    MatchOrphan,
    OneJob,
    Page,
    TopUp,
    WalletRef,
)
from contracts.message import Value
from contracts.ops import (
    AddBot,
    AskDoctor,
    AskSchema,
    AskStatus,
    CreditWallet,
    ListBots,
    ListJobs,
    ListOrphans,
    Resume,
    SchemaView,
    SetTexts,
    ShowJob,
    ShowOrphan,
    WalletStatement,
)
from contracts.refusals import Refusal, RefusalName
from contracts.repairs import (
    CancelJobs,
    ExpireOrphans,
    ListAudit,
    ListDead,
    ListUncertain,
    RedeliverJobs,
    RefundJobs,
    ResendJobs,
    ResolvePart,
    SetPause,
    SettleDead,
    ShowDead,
)
from contracts.users import ExportUser, ForgetUser
from contracts.values import trace_of
from job_store.api import Verb
from job_store.handlers import BATCH, loud
from job_store.resuming import Resuming
from job_store.store.audit import Audit
from job_store.store.creation import Created, Creation, Creations
from job_store.store.creation import Request as JobRequest
from job_store.store.dead import Dead
from job_store.store.effects import Effects
from job_store.store.ops import Ops
from job_store.store.pauses import Pauses
from job_store.store.repairs import Repairs
from job_store.store.requests import Requests
from job_store.store.users import Users

log = structlog.get_logger()

T = TypeVar("T")


class BotVerbs:
    def __init__(self, creations: Creations, requests: Requests, effects: Effects) -> None:
        self._create = Coalescer(loud(creations.create), max_batch=BATCH)
        self._requests = requests
        self._effects = effects

    def table(self) -> list[Verb]:
        """Return the routing table of ``api.<bot>.<verb>``."""
        requests = self._requests
        return [
            Verb("jobs.create", CreateJob, self.create),
            Verb("jobs.expect", ExpectJob, self.create),
            Verb("jobs.deliver", DeliverJob, self.create),
            Verb("jobs.attach", AttachTask, requests.attach),
            Verb("jobs.get", OneJob, requests.get),
            Verb("jobs.find_by_task_id", ByTask, self.find_by_task_id),
            Verb("jobs.undelivered", Page, self.undelivered),
            Verb("jobs.cancel", OneJob, requests.cancel),
            Verb("jobs.returned", ChatReturned, self.returned),
            Verb("wallets.get", WalletRef, requests.wallet),
            Verb("wallets.topup", TopUp, requests.topup),
            Verb("wallets.statement", WalletRef, requests.statement),
            Verb("changes", Changes, requests.changes),
        ]

    async def create(self, bot: str, ask: JobRequest) -> Value:
        """Create a job through any of the three doors; the same key answers with the same job."""
        made = await self._create(Creation(bot, ask))
        if isinstance(made, Refusal):
            log.info("[JOB_CREATE] job.refused", bot=bot, user_id=ask.user_id, code=made.code)
            return made
        view = made.view or (await self._requests.views([made.job_id]))[made.job_id]
        with tracing.within(trace_of(made.job_id)):
            _note_creation(bot, ask, made, view)
        return view.model_copy(update={"created": made.is_new})

    async def find_by_task_id(self, bot: str, ask: ByTask) -> Value:
        return await self._requests.find_by_task_id(bot, ask.task_id)

    async def undelivered(self, bot: str, ask: Page) -> Value:
        try:
            after = UUID(ask.after) if ask.after else None
        except ValueError:
            return Refusal(
                code=RefusalName.INVALID_REQUEST, message="after: not a cursor of this list"
            )
        return await self._requests.undelivered(bot, after=after, limit=ask.limit)

    async def returned(self, bot: str, ask: ChatReturned) -> Value:
        return Done(changed=await self._effects.returned(bot=bot, chat_id=ask.chat_id))


def _note_creation(bot: str, ask: JobRequest, made: Created, view: JobView) -> None:
    log.info(
        "[JOB_CREATE] job.created",
        bot=bot,
        job_id=str(made.job_id),
        user_id=ask.user_id,
        model=ask.model if isinstance(ask, CreateJob) else None,
        price=view.price,
        state=view.state,
        is_new=made.is_new,
    )


class Looker(Protocol):
    """Who knows how the tables stand."""

    async def view(self) -> SchemaView: ...


class OpsVerbs:
    def __init__(self, ops: Ops, requests: Requests, resuming: Resuming, schema: Looker) -> None:
        self._ops = ops
        self._requests = requests
        self._resuming = resuming
        self._schema = schema

    def table(self) -> list[Verb]:
        """Return the routing table of ``ops.<verb>``."""
        return [
            Verb("bots.add", AddBot, self.add_bot),
            Verb("bots.list", ListBots, self.list_bots),
            Verb("bots.texts", SetTexts, self.set_texts),
            Verb("jobs.list", ListJobs, self.list_jobs),
            Verb("jobs.show", ShowJob, self.show_job),
            Verb("orphans.list", ListOrphans, self.list_orphans),
            Verb("orphans.show", ShowOrphan, self.show_orphan),
            Verb("orphans.match", MatchOrphan, self.match_orphan),
            Verb("wallets.statement", WalletStatement, self.statement),
            Verb("wallets.topup", CreditWallet, self.topup),
            Verb("status", AskStatus, self.status),
            Verb("doctor", AskDoctor, self.doctor),
            Verb("schema", AskSchema, self.schema),
            Verb("resume", Resume, self.resume),
        ]

    async def add_bot(self, _bot: str, ask: AddBot) -> Value:
        return await self._ops.add_bot(ask)

    async def list_bots(self, _bot: str, _ask: ListBots) -> Value:
        return await self._ops.list_bots()

    async def set_texts(self, _bot: str, ask: SetTexts) -> Value:
        return await self._ops.set_texts(ask)

    async def list_jobs(self, _bot: str, ask: ListJobs) -> Value:
        return await self._ops.list_jobs(ask)

    async def show_job(self, _bot: str, ask: ShowJob) -> Value:
        return await self._ops.story(ask.job_id)

    async def list_orphans(self, _bot: str, ask: ListOrphans) -> Value:
        return await self._requests.orphans(state=ask.state, limit=ask.limit)

    async def show_orphan(self, _bot: str, ask: ShowOrphan) -> Value:
        story = await self._ops.orphan(ask.orphan_id)
        return story or Refusal(
            code=RefusalName.UNKNOWN_ORPHAN, message=f"no orphan {ask.orphan_id}"
        )

    async def match_orphan(self, _bot: str, ask: MatchOrphan) -> Value:
        return await self._requests.match(ask)

    async def statement(self, _bot: str, ask: WalletStatement) -> Value:
        return await self._ops.statement(ask)

    async def topup(self, _bot: str, ask: CreditWallet) -> Value:
        return await self._ops.topup(ask)

    async def status(self, _bot: str, _ask: AskStatus) -> Value:
        return await self._ops.status()

    async def doctor(self, _bot: str, _ask: AskDoctor) -> Value:
        return await self._ops.doctor()

    async def schema(self, _bot: str, _ask: AskSchema) -> Value:
        return await self._schema.view()

    async def resume(self, _bot: str, ask: Resume) -> Value:
        return await self._resuming.resume(ask)


class RepairVerbs:
    """What operators put right by hand."""

    def __init__(
        self, repairs: Repairs, pauses: Pauses, dead: Dead, users: Users, audit: Audit
    ) -> None:
        self._repairs = repairs
        self._pauses = pauses
        self._dead = dead
        self._users = users
        self._audit = audit

    def table(self) -> list[Verb]:
        """Return the routing table of ``ops.<verb>``."""
        return [
            Verb("jobs.redeliver", RedeliverJobs, _asked(self._repairs.redeliver)),
            Verb("jobs.resend", ResendJobs, _asked(self._repairs.resend)),
            Verb("jobs.refund", RefundJobs, _asked(self._repairs.refund)),
            Verb("jobs.cancel", CancelJobs, _asked(self._repairs.cancel)),
            Verb("deliveries.uncertain", ListUncertain, _asked(self._repairs.uncertain)),
            Verb("deliveries.resolve", ResolvePart, _asked(self._repairs.resolve)),
            Verb("orphans.expire", ExpireOrphans, _asked(self._repairs.expire_orphans)),
            Verb("pauses.set", SetPause, _asked(self._pauses.set)),
            Verb("dead.list", ListDead, _asked(self._dead.list)),
            Verb("dead.show", ShowDead, _asked(self._dead.show)),
            Verb("dead.settle", SettleDead, _asked(self._dead.settle)),
            Verb("users.export", ExportUser, _asked(self._users.export)),
            Verb("users.forget", ForgetUser, _asked(self._users.forget)),
            Verb("audit.list", ListAudit, _asked(self._audit.list)),
        ]


def _asked(answer: Callable[[Any], Awaitable[Value]]) -> Callable[[str, Any], Awaitable[Value]]:
    """Let a verb of the store answer an operator, who asks in no bot's name."""

    async def asked(_bot: str, ask: Any) -> Value:  # noqa: ANN401 - typed by its row of the table
        return await answer(ask)

    return asked
