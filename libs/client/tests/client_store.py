"""The other side of the wire: a NATS responder that speaks the contracts, scriptable, in memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.api import (
    AttachTask,
    ByTask,
    Changes,
    ChangesView,
    ChatReturned,
    CreateJob,
    DeliverJob,
    Done,
    ExpectJob,
    JobRequest,
    JobsView,
    JobView,
    LedgerLine,
    OneJob,
    Page,
    Request,
    StatementView,
    TopUp,
    WalletRef,
    WalletView,
)
from contracts.events import JobEvent, JobEventName
from contracts.message import Value
from contracts.refusals import ErrorReply, Refusal, RefusalName
from contracts.values import JobState, MoneyState, label, new_id

HEARD_WITHIN = 5.0  # seconds
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
KINDS: dict[str, type[Request]] = {
    "jobs.create": CreateJob,
    "jobs.expect": ExpectJob,
    "jobs.deliver": DeliverJob,
    "jobs.attach": AttachTask,
    "jobs.get": OneJob,
    "jobs.find_by_task_id": ByTask,
    "jobs.undelivered": Page,
    "jobs.cancel": OneJob,
    "jobs.returned": ChatReturned,
    "wallets.get": WalletRef,
    "wallets.topup": TopUp,
    "wallets.statement": WalletRef,
    "changes": Changes,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    bot: str
    verb: str
    raw: bytes
    request: Request


Script = Callable[[Asked], bytes | None]
"""What to answer instead of the truth; None is silence after the work was done."""


@dataclass(slots=True)
class Store:
    """What job-store would know, kept small; `scripts` speak before it does."""

    asked: list[Asked] = field(default_factory=list)
    scripts: deque[Script] = field(default_factory=deque)
    jobs: dict[str, JobView] = field(default_factory=dict)
    wallets: dict[tuple[int, str], WalletView] = field(default_factory=dict)
    credits: dict[str, TopUp] = field(default_factory=dict)
    events: list[JobEvent] = field(default_factory=list)
    largest_page: int = 500

    def verbs(self, verb: str) -> list[Asked]:
        """Every request of one verb."""
        return [asked for asked in self.asked if asked.verb == verb]

    def happen(self, count: int = 1) -> list[JobEvent]:
        """Let so many events become readable."""
        fresh = [event(seq=len(self.events) + 1 + n) for n in range(count)]
        self.events += fresh
        return fresh

    def settle(self, key: str, state: JobState) -> None:
        """Bring a job to a state."""
        self.jobs[key] = self.jobs[key].model_copy(update={"state": state})

    def answer(self, asked: Asked) -> bytes | None:
        """Do what was asked, then let a script replace the reply."""
        truth = self._answer(asked.request)
        reply = ErrorReply(error=truth) if isinstance(truth, Refusal) else truth
        if self.scripts:
            return self.scripts.popleft()(asked)
        return None if reply is None else reply.model_dump_json(exclude_none=True).encode()

    def _answer(self, request: Request) -> Value | Refusal | None:
        match request:
            case JobRequest():
                return self._create(request)
            case AttachTask():
                return self._attach(request)
            case OneJob():
                return self._job(request)
            case ByTask():
                found = [job for job in self.jobs.values() if request.task_id in job.task_ids]
                return JobsView(jobs=tuple(found))
            case Page():
                waiting = [job for job in self.jobs.values() if job.state is JobState.SUCCEEDED]
                page = tuple(waiting[: request.limit])
                return JobsView(jobs=page, next=str(page[-1].id) if page else None)
            case ChatReturned():
                return Done(changed=2)
            case Changes():
                return self._changes(request)
            case _:
                return self._money(request)

    def _create(self, request: JobRequest) -> JobView | Refusal:
        known = self.jobs.get(request.key)
        if known is not None:
            return known.model_copy(update={"created": False})
        self.jobs[request.key] = job(request)
        return self.jobs[request.key]

    def _attach(self, request: AttachTask) -> JobView | Refusal:
        known = self._by_id(request.job_id)
        if known is None:
            return Refusal(code=RefusalName.UNKNOWN_JOB, message="no such job")
        attached = known.model_copy(update={"task_ids": (request.task_id,)})
        self.jobs[known.key] = attached
        return attached

    def _job(self, request: OneJob) -> JobView | Refusal:
        known = self.jobs.get(request.key or "") or self._by_id(request.job_id)
        return known or Refusal(code=RefusalName.UNKNOWN_JOB, message="no such job")

    def _by_id(self, job_id: UUID | None) -> JobView | None:
        return next((job for job in self.jobs.values() if job.id == job_id), None)

    def _changes(self, request: Changes) -> ChangesView | None:
        if request.limit > self.largest_page:
            return None  # the reply would be larger than NATS carries
        page = tuple(e for e in self.events if (e.seq or 0) > request.after)[: request.limit]
        return ChangesView(events=page, next=(page[-1].seq or 0) if page else request.after)

    def _money(self, request: Request) -> Value | None:
        if not isinstance(request, WalletRef):
            return None
        owner = (request.user_id, request.currency)
        empty = WalletView(user_id=request.user_id, currency=request.currency, balance=0, held=0)
        wallet = self.wallets.get(owner, empty)
        if isinstance(request, TopUp) and request.reference not in self.credits:
            self.credits[request.reference] = request
            wallet = wallet.model_copy(update={"balance": wallet.balance + request.amount})
            self.wallets[owner] = wallet
        return wallet

    def statement(self, request: WalletRef) -> StatementView:
        """A wallet and what was credited to it."""
        wallet = self.wallets[request.user_id, request.currency]
        lines = (
            LedgerLine(id=n, at=AT, kind="topup", amount=credit.amount, reference=reference)
            for n, (reference, credit) in enumerate(self.credits.items(), start=1)
        )
        return StatementView(wallet=wallet, lines=tuple(lines))


def job(request: JobRequest) -> JobView:
    """The job a request makes."""
    job_id = new_id()
    return JobView(
        id=job_id,
        label=label(job_id),
        bot="default",
        key=request.key,
        state=JobState.CREATED,
        version=1,
        chat_id=request.chat_id,
        user_id=request.user_id,
        price=request.price,
        currency=request.currency or "RUB",
        money=MoneyState.HELD if request.price else MoneyState.NONE,
        callback_url=f"https://shop.example/callbacks/kie/{job_id}"
        if isinstance(request, ExpectJob)
        else None,
        created_at=AT,
    )


def event(*, seq: int) -> JobEvent:
    """One event of some job."""
    return JobEvent(
        id=f"event-{seq:08}",
        at=AT,
        event=JobEventName.DELIVERED,
        seq=seq,
        job_id=new_id(),
        bot="default",
        key=f"7:{seq}",
        version=3,
        state=JobState.DELIVERED,
        money=MoneyState.CAPTURED,
    )


def refuse(
    code: RefusalName, message: str = "no", hint: str = "", job_id: UUID | None = None
) -> Script:
    """Answer with a refusal."""
    reply = ErrorReply(error=Refusal(code=code, message=message, hint=hint, job_id=job_id))
    return lambda _asked: reply.model_dump_json(exclude_none=True).encode()


def silence(_asked: Asked) -> bytes | None:
    """Do the work and lose the reply."""
    return None


@dataclass(slots=True)
class Service:
    """The store on the bus; may leave and come back like a restarted job-store."""

    url: str
    store: Store
    client: Client | None = None
    serving: Subscription | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Serve every verb of every bot."""
        self.client = await nats.connect(
            self.url, max_reconnect_attempts=-1, reconnect_time_wait=0.1, pending_size=0
        )
        self.serving = await self.client.subscribe(
            subjects.api("*", ">"), queue="job-store", cb=self._serve
        )
        await told(self.client)

    async def stop(self) -> None:
        """Leave: requests find no responder from now on."""
        if self.client is None or self.serving is None:
            return
        if self.client.is_connected:
            await self.serving.unsubscribe()
            await told(self.client)
        await self.client.close()
        self.client = self.serving = None

    async def announce(
        self, event: JobEventName = JobEventName.DELIVERED, bot: str = "default"
    ) -> None:
        """Tell the bus that something happened; what, the store knows."""
        assert self.client is not None
        await self.client.publish(subjects.job_event(event, bot), b"{}")
        await told(self.client)

    async def _serve(self, msg: Msg) -> None:
        _, bot, verb = msg.subject.split(".", 2)
        request = KINDS[verb].model_validate_json(msg.data)
        asked = Asked(bot, verb, msg.data, request)
        self.store.asked.append(asked)
        self.heard.set()
        reply = self.store.answer(asked)
        if verb == "wallets.statement" and isinstance(request, WalletRef):
            reply = self.store.statement(request).model_dump_json().encode()
        if reply is not None:
            await msg.respond(reply)


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[Service]:
    """A store on the bus for the length of a block."""
    service = Service(url, Store())
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def told(client: Client) -> None:
    """Return once the server has done what this client told it; a flush of nats-py may overtake that."""
    with suppress(nats.errors.NoRespondersError):
        await client.request("nobody.is.there", timeout=HEARD_WITHIN)
