"""The store's verbs on a real database, with builders and a check that every state is legal."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from nats.aio.client import Client
from nats.js import JetStreamContext

from chassis.outbox import OutboxRow
from chassis.storage import Connection, Database
from contracts.api import CreateJob, DeliverJob, ExpectJob, JobView, TopUp, WalletRef, WalletView
from contracts.deliveries import (
    DeliveryOutcome,
    DeliveryRequested,
    DeliveryResult,
    Sent,
    SentPart,
    Shown,
)
from contracts.effects import Begin, Carried, Go, Stop
from contracts.ops import AddBot
from contracts.outcomes import Refused
from contracts.polls import PollRequested
from contracts.reports import (
    HmacClaim,
    PollClaim,
    Reading,
    ReportedMedia,
    ReportReceived,
    ReportState,
    TokenClaim,
)
from contracts.submissions import (
    SubmissionOutcome,
    SubmissionRequested,
    SubmissionResult,
    TaskCreated,
)
from contracts.values import MediaKind, new_id
from job_store.acknowledged import Acknowledged
from job_store.domain.pacing import limits
from job_store.domain.rules import Rules
from job_store.resuming import Resuming
from job_store.store.creation import Created, Creation, Creations
from job_store.store.effects import Effects, Settled
from job_store.store.inbox import Applied, Inbox
from job_store.store.lineage import Acked, Lineage, Testimony
from job_store.store.ops import Ops
from job_store.store.orphans import Orphans
from job_store.store.outbox import Outbox
from job_store.store.requests import Requests
from job_store.store.unit import Units

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'sendonce'"
LATER = NOW + timedelta(days=3650)
TIMELESS = frozenset(
    {
        "ledger_unbalanced",
        "holds_without_open_job",
        "money_without_entry",
        "evidence_dropped",
        "report_dropped",
        "orphan_with_owner",
        "sent_without_begin",
    }
)


class Store:
    """Every verb of the store, and the messages it put into the outbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.offered: list[OutboxRow] = []
        self._asked = 0  # how many of these `claimed` has looked at
        self.rules = Rules(
            callback_url=lambda job_id, attempt: (
                f"https://gate.example/callbacks/kie/{job_id}.{attempt}"
            )
        )
        self.acked: dict[str, list[Acked]] = {}
        self.lineage = Lineage(database, ("job-store-reports",), self._newest)
        self.units = Units(
            database,
            self.rules,
            offer=self._offer,
            wake=lambda: None,
            confirm=self.lineage.confirm,
        )
        self.effects = Effects(self.units, limits(telegram_share=1, creates_per_10s=10_000))
        self.inbox = Inbox(self.units, limits(telegram_share=1, creates_per_10s=10_000))
        self.creations = Creations(self.units)
        self.requests = Requests(self.units)
        self.orphans = Orphans(self.units)
        self.outbox = Outbox(database)
        self.ops = Ops(self.units, self.requests)
        self.resuming = Resuming(
            self.lineage, Acknowledged(JetStreamContext(Client()), ()), self.inbox
        )

    async def _newest(self, durable: str, after: int) -> Testimony:
        return Testimony(acked=tuple(one for one in self.acked.get(durable, ()) if one.seq > after))

    def _offer(self, rows: Sequence[OutboxRow]) -> None:
        self.offered.extend(rows)

    # -- rows ----------------------------------------------------------------------------------------

    async def fetch(self, query: str, *args: object) -> list[Any]:
        async with self.owner() as connection:
            rows: list[Any] = await connection.fetch(query, *args)
            return rows

    async def value(self, query: str, *args: object) -> Any:
        async with self.owner() as connection:
            return await connection.fetchval(query, *args)

    async def run(self, query: str, *args: object) -> None:
        async with self.owner() as connection:
            await connection.execute(query, *args)

    async def table_names(self) -> set[str]:
        """Name everything that holds rows."""
        return {row["table_name"] for row in await self.fetch(TABLES)}

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Connection]:
        """A connection with the owner's rights, for what no service may do."""
        async with self.database.connection() as connection:
            await connection.execute("SET ROLE NONE")
            try:
                yield connection
            finally:
                await connection.execute("RESET ROLE")

    async def events(self, name: str) -> int:
        count: int = await self.value("SELECT count(*) FROM events WHERE event = $1", name)
        return count

    async def end_leases(self) -> None:
        """Let every worker fall silent for longer than its lease."""
        await self.run(
            "UPDATE effects SET lease_until = now() - interval '1 s' WHERE state = 'acting'"
        )
        await self.effects.end_leases(100)

    async def assert_legal(self) -> None:
        """What must hold whatever a test did: the doctor's laws that need no clock."""
        for finding in (await self.ops.doctor()).findings:
            if finding.check in TIMELESS:
                assert finding.ok, finding

    # -- doors ---------------------------------------------------------------------------------------

    async def add_bot(self, slug: str, **more: Any) -> None:
        await self.ops.add_bot(AddBot(slug=slug, not_after=LATER, **more))

    async def topup(
        self, amount: int, *, user_id: int = 7, reference: str | None = None
    ) -> WalletView:
        answer = await self.requests.topup(
            "shop",
            TopUp(
                user_id=user_id,
                currency="RUB",
                amount=amount,
                reference=reference or str(uuid4()),
                not_after=LATER,
            ),
        )
        assert isinstance(answer, WalletView), answer
        return answer

    async def wallet(self, *, user_id: int = 7) -> tuple[int, int]:
        view = await self.requests.wallet(
            "shop", WalletRef(user_id=user_id, currency="RUB", not_after=LATER)
        )
        return view.balance, view.held

    async def made(self, request: CreateJob | ExpectJob | DeliverJob | None = None) -> UUID:
        (answer,) = await self.creations.create([Creation("shop", request or create())])
        assert isinstance(answer, Created), answer
        return answer.job_id

    async def job(self, job_id: UUID) -> JobView:
        return (await self.requests.views([job_id]))[job_id]

    # -- what was asked of the workers -----------------------------------------------------------------

    async def claimed(self) -> list[SubmissionRequested | DeliveryRequested | PollRequested]:
        """Make everything due now, claim it, and return what the workers are asked since the last look."""
        await self.run("UPDATE effects SET due_at = now() WHERE state = 'pending'")
        await self.run("UPDATE pacing SET tat = 'epoch', tail = NULL, parked_until = NULL")
        while await self.effects.claim_due(300) >= 300:
            pass
        kinds = {
            "submissions.requested": SubmissionRequested,
            "deliveries.requested": DeliveryRequested,
            "polls.requested": PollRequested,
        }
        rows = [row for row in self.offered[self._asked :] if row.subject in kinds]
        self._asked = len(self.offered)
        return [kinds[row.subject].read(row.payload) for row in rows]

    async def submission(self) -> SubmissionRequested:
        """Claim the one submission that is due; status lines are posted on the way."""
        claimed = await self.claimed()
        for message_id, ask in enumerate(claimed, start=9_000):
            if isinstance(ask, DeliveryRequested):
                await self.delivered(ask, Shown(message_id=message_id))
        (one,) = [ask for ask in claimed if isinstance(ask, SubmissionRequested)]
        return one

    async def submitted_all(self, claimed: list[Any]) -> None:
        """Have every claimed submission refused, so that it is settled."""
        for ask in claimed:
            if isinstance(ask, SubmissionRequested):
                await self.submitted(ask, Refused(code="422", reason="no"))

    async def deliveries(self, kind: str | None = None) -> list[DeliveryRequested]:
        asks = [ask for ask in await self.claimed() if isinstance(ask, DeliveryRequested)]
        return [ask for ask in asks if kind in (None, ask.action.kind)]

    async def begin(self, attempt_id: UUID, holder: UUID | None = None) -> Go | Stop:
        """Ask as the attempt's own first handling, unless another holder is named."""
        (answer,) = await self.effects.begin(
            [Begin(attempt_id=attempt_id, holder=holder or attempt_id, not_after=LATER)]
        )
        return answer

    async def carried(self, attempt_id: UUID, message_id: int) -> Go | Stop:
        (answer,) = await self.effects.carried(
            [Carried(attempt_id=attempt_id, message_id=message_id, not_after=LATER)]
        )
        return answer

    # -- what the workers answer -----------------------------------------------------------------------

    async def submitted(
        self, ask: SubmissionRequested, result: SubmissionResult, **more: Any
    ) -> Settled:
        (settled,) = await self.effects.apply_submissions([submission_outcome(ask, result, **more)])
        return settled

    async def delivered(
        self, ask: DeliveryRequested, result: DeliveryResult, **more: Any
    ) -> Settled:
        (settled,) = await self.effects.apply_deliveries([delivery_outcome(ask, result, **more)])
        return settled

    async def report(self, *reports: ReportReceived) -> list[Applied]:
        return await self.inbox.apply_reports(list(reports))

    # -- shortcuts through the life of a job -----------------------------------------------------------

    async def running(self, request: CreateJob | None = None, task_id: str | None = None) -> UUID:
        job_id = await self.made(request)
        ask = await self.submission()
        await self.begin(ask.attempt.id)
        await self.submitted(ask, TaskCreated(task_id=task_id or f"task-{job_id}"))
        return job_id

    async def succeeded(self, request: CreateJob | None = None, *, media: int = 1) -> UUID:
        job_id = await self.running(request)
        await self.report(callback(job_id, media=images(media)))
        return job_id

    async def show_all(self, first_message: int = 100) -> int:
        """Play a deliverer without faults until nothing is due; returns how many parts were shown."""
        shown, message_id = 0, first_message
        for _ in range(50):
            asks = await self.deliveries()
            if not asks:
                return shown
            for ask in asks:
                message_id += 1
                match ask.action.kind:
                    case "show" if ask.action.carrier.kind == "fresh":
                        go = await self.carried(ask.attempt.id, message_id)
                        assert isinstance(go, Go), go
                        await self.delivered(ask, Shown(message_id=go.message_id or message_id))
                        shown += 1
                    case "show":
                        await self.delivered(ask, Shown(message_id=ask.action.carrier.message_id))
                        shown += 1
                    case "send":
                        await self.begin(ask.attempt.id)
                        await self.delivered(ask, sent(ask, message_id), holder=ask.attempt.id)
                        shown += len(ask.action.parts)
                        message_id += 10
                    case "post_status" | "stage":
                        await self.delivered(ask, Shown(message_id=message_id))
                    case _:
                        await self.delivered(ask, Shown(message_id=ask.action.message_id))
        raise AssertionError("deliveries never end")


def sent(ask: DeliveryRequested, first_message: int) -> Sent:
    """Every message of a send, with ids in a row."""
    return Sent(
        parts=tuple(
            SentPart(part_id=one.part_id, message_id=first_message + n, file_id=f"file-{n}")
            for n, one in enumerate(ask.action.parts)
        )
    )


def create(**fields: Any) -> CreateJob:
    return CreateJob(
        **{
            "key": str(uuid4()),
            "chat_id": 7,
            "user_id": 7,
            "model": "nano-banana-2",
            "input": {"prompt": "a cat"},
            "status": "none",
            "not_after": LATER,
        }
        | fields
    )


def expect(**fields: Any) -> ExpectJob:
    base = {"key": str(uuid4()), "chat_id": 7, "user_id": 7, "status": "none", "not_after": LATER}
    return ExpectJob(**base | fields)


def deliver(**fields: Any) -> DeliverJob:
    base = {
        "key": str(uuid4()),
        "chat_id": 7,
        "user_id": 7,
        "status": "none",
        "media": images(1),
        "not_after": LATER,
    }
    return DeliverJob(**base | fields)


def images(count: int) -> tuple[ReportedMedia, ...]:
    return tuple(
        ReportedMedia(kind=MediaKind.IMAGE, url=f"https://file.example/{new_id()}/{n}.png")
        for n in range(count)
    )


def callback(job_id: UUID | None = None, **fields: Any) -> ReportReceived:
    """A trusted callback for a job by token, or without one a signed callback by task id."""
    media = fields.pop("media", images(1))
    task_id = fields.pop("task_id", f"task-{job_id}")
    state = fields.pop("state", ReportState.SUCCEEDED)
    reading = Reading(
        state=state,
        task_id=task_id,
        family="market",
        media=media if state is ReportState.SUCCEEDED else (),
        error_class=fields.pop("error_class", None),
        error_message=fields.pop("error_message", None),
    )
    body = fields.pop("body", json.dumps({"id": str(uuid4())}).encode())
    token = TokenClaim(verdict="valid", key_id="k1", job_id=job_id, attempt=1) if job_id else None
    base: dict[str, Any] = {
        "id": f"report-{uuid4()}",
        "at": NOW,
        "origin": "callback",
        "received_at": NOW,
        "body": base64.b64encode(body),
        "body_digest": hashlib.sha256(body).hexdigest(),
        "reading": reading,
        "token": token,
        "hmac": HmacClaim(verdict="match" if token is None else "absent", account="default"),
    }
    return ReportReceived(**base | fields)


def progressed(job_id: UUID, percent: float, **fields: Any) -> ReportReceived:
    """A callback that says how far the task is."""
    report = callback(job_id, state=ReportState.PROGRESS, **fields)
    return report.model_copy(
        update={"reading": report.reading.model_copy(update={"progress": percent})}
    )


def polled(ask: PollRequested, **fields: Any) -> ReportReceived:
    """The reconciler's answer to a poll."""
    claim = PollClaim(
        attempt_id=ask.attempt.id,
        job_id=ask.job_id,
        account=ask.account,
        family=ask.family,
        operation=ask.operation,
        task_id=ask.task_id,
    )
    return callback(
        None,
        **{
            "task_id": ask.task_id,
            "origin": "poll",
            "poll": claim,
            "hmac": HmacClaim(verdict="absent"),
        }
        | fields,
    )


def submission_outcome(
    ask: SubmissionRequested, result: SubmissionResult, **more: Any
) -> SubmissionOutcome:
    return SubmissionOutcome(
        id=f"{ask.attempt.id}:{result.kind}:{uuid4().hex[:8]}",
        at=NOW,
        attempt_id=ask.attempt.id,
        holder=ask.attempt.id,
        job_id=ask.job_id,
        result=result,
        **more,
    )


def delivery_outcome(
    ask: DeliveryRequested, result: DeliveryResult, **more: Any
) -> DeliveryOutcome:
    part_id = getattr(ask.action, "part_id", None)
    return DeliveryOutcome(
        id=f"{ask.attempt.id}:{result.kind}:{uuid4().hex[:8]}",
        at=NOW,
        attempt_id=ask.attempt.id,
        job_id=ask.job_id,
        bot=ask.bot,
        chat_id=ask.chat_id,
        part_id=part_id,
        result=result,
        **more,
    )
