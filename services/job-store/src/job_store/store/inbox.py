"""Reports applied in batches: met at their task rows, judged on the locked job, kept as evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from chassis.postgres import is_conflict, is_outage
from chassis.queries import load
from chassis.storage import Connection
from contracts.events import OrphanEventName
from contracts.reports import ReportReceived
from contracts.values import new_id
from job_store.domain import reports
from job_store.domain.pacing import Ask, Limits, Turn, decide
from job_store.domain.rows import Owner
from job_store.store import claiming, pacing
from job_store.store.news import orphan_news
from job_store.store.rows import rowset
from job_store.store.unit import Transaction, Units
from job_store.store.unit import sql as shared
from kie.body import storable

log = structlog.get_logger()

sql = load("job_store.store", "inbox.sql")

NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one report; the canonical log line is made of it."""

    report: ReportReceived
    job_id: UUID | None
    trust: reports.Trust
    did: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A report as it is kept, to be applied again should it wait as an orphan."""

    id: str
    job_id: UUID | None
    task_id: str | None
    origin: str
    trust: reports.Trust
    state: str
    digest: str
    hmac: str
    message: ReportReceived
    received_at: datetime

    @classmethod
    def of(cls, item: Applied) -> "_Row":
        report = item.report
        return cls(
            id=report.id,
            job_id=item.job_id,
            task_id=_task_id(report),
            origin=report.origin,
            trust=item.trust,
            state=report.reading.state,
            digest=report.body_digest,
            hmac=report.hmac.verdict,
            message=report,
            received_at=report.received_at,
        )


class Inbox:
    def __init__(self, units: Units, limits: Limits) -> None:
        self._units = units
        self._limits = limits

    async def apply_reports(self, batch: list[ReportReceived]) -> list[Applied]:
        """Apply reports in one transaction, and hand out there what they made due."""
        try:
            async with self._units.begin() as tx:
                applied = await self._apply(tx, batch)
                await claiming.hand_out(tx, self._limits, claiming.due(tx.cases.values()))
                return applied
        except Exception as problem:
            if is_outage(problem) or is_conflict(problem):
                raise
            # What cannot be handed out must not cost its report: the clock claims it, or sets it aside.
            log.warning("reports.applied_alone", problem=type(problem).__name__)
        async with self._units.begin() as tx:
            return await self._apply(tx, batch)

    async def _apply(self, tx: Transaction, batch: list[ReportReceived]) -> list[Applied]:
        """Apply reports; a known one changes nothing."""
        task_ids = [task_id for report in batch if (task_id := _task_id(report)) is not None]
        await tx.meet_at_tasks(task_ids)
        known = {
            row["id"] for row in await tx.connection.fetch(sql.known_reports, [r.id for r in batch])
        }
        vouched = {
            row["task_id"]: row["digest"]
            for row in await tx.connection.fetch(sql.vouched_digests, task_ids)
        }
        named = {report.id: _job_named(report, tx.owners) for report in batch}
        await tx.lock(job_id for job_id in named.values() if job_id is not None)
        unheeded = await self._over_budget(tx, batch, named)
        applied = []
        for report in batch:
            task_id = _task_id(report) or ""
            digest = vouched.get(task_id)
            if report.hmac.verdict == "match":
                vouched.setdefault(task_id, report.body_digest)
            passed_over = "duplicate" if report.id in known else unheeded.get(report.id)
            applied.append(_apply(tx, report, named[report.id], digest, passed_over))
            known.add(report.id)
        tx.tally.reports.extend(_counted(tx, item) for item in applied)
        await self._keep(tx, applied)
        return applied

    async def _over_budget(
        self, tx: Transaction, batch: list[ReportReceived], named: dict[str, UUID | None]
    ) -> dict[str, str]:
        """Name the untrusted reports that no poll is brought forward for: strangers may not spend it all."""
        hints = [
            (report.id, case)
            for report in batch
            if reports.trust(report, vouched_digest=None) is reports.Trust.UNTRUSTED
            and (case := tx.cases.get(named[report.id] or NOBODY)) is not None
        ]
        if not hints:
            return {}
        asks = [
            Ask(keys=(f"hints:{case.job.account}",), units=1, turn=Turn.PASSING)
            for _, case in hints
        ]
        buckets = await pacing.lock_buckets(tx, {key for ask in asks for key in ask.keys})
        now = hints[0][1].now
        answers, after = decide(asks, buckets, self._limits, now)
        await pacing.save_buckets(tx, list(after.values()))
        late = [report_id for (report_id, _), at in zip(hints, answers, strict=True) if at > now]
        return dict.fromkeys(late, "not_heeded")

    async def _keep(self, tx: Transaction, applied: Sequence[Applied]) -> None:
        fresh = [item for item in applied if item.did != "duplicate"]
        if fresh:
            kept = [_Row.of(item) for item in fresh]
            await tx.connection.execute(sql.insert_reports, rowset(sql.insert_reports, kept))
        waiting = sorted(
            {task for item in fresh if item.did == "orphan" and (task := _task_id(item.report))}
        )
        if not waiting:
            return
        rows = await tx.connection.fetch(shared.keep_orphans, [new_id() for _ in waiting], waiting)
        for row in rows:
            mark = applied[0].report.id[:40]
            at = applied[0].report.at
            tx.outgoing.append(orphan_news(OrphanEventName.WAITING, row, at=at, mark=mark))

    async def keep_dead_letter(
        self, *, durable: str, subject: str, stream_seq: int, payload: bytes, reason: str
    ) -> None:
        async with self._units.database.transaction() as connection:
            # A reason may quote the message, whose text may be why it is one.
            why = storable(reason)[:2_000]
            await connection.execute(
                sql.insert_dead_letter, durable, subject, stream_seq, payload, why
            )

    async def keep_floor(self, durable: str, stream_seq: int) -> None:
        """Keep how far a durable is acknowledged, unless this database is held for being older."""
        async with self._units.database.connection() as connection:
            await self._units.confirm(connection)
            await connection.execute(sql.keep_floor, durable, stream_seq)

    async def floor(self, durable: str) -> int | None:
        """Return up to where a durable was acknowledged, for a consumer made anew."""
        async with self._units.database.connection() as connection:
            return await floor_of(connection, durable)


async def floor_of(connection: Connection, durable: str) -> int | None:
    """Return the kept floor of a durable."""
    floor: int | None = await connection.fetchval(sql.floor, durable)
    return floor


def _apply(
    tx: Transaction,
    report: ReportReceived,
    job_id: UUID | None,
    vouched: str | None,
    passed_over: str | None,
) -> Applied:
    believed = reports.trust(report, vouched_digest=vouched)
    if passed_over is not None:
        return Applied(report, job_id, believed, passed_over)
    case = tx.cases.get(job_id) if job_id is not None else None
    if case is None:
        return Applied(report, None, believed, _of_nobody(report, job_id))
    case.trace = report.trace
    return Applied(
        report, case.job.id, believed, reports.on_report(case, report, believed, tx.rules)
    )


def _counted(
    tx: Transaction, item: Applied
) -> tuple[ReportReceived, reports.Trust, str, timedelta | None]:
    case = tx.cases.get(item.job_id) if item.job_id is not None else None
    lag = case.now - item.report.received_at if case is not None else None
    return item.report, item.trust, item.did, lag


def _of_nobody(report: ReportReceived, job_id: UUID | None) -> str:
    """Say what becomes of a report whose job is not here."""
    if _task_id(report) is not None:
        return "orphan"
    # Our own signature names a job that a restored database has forgotten: kept for `resume` to name it.
    return "unreadable" if job_id is None else "job_unknown"


def _task_id(report: ReportReceived) -> str | None:
    return report.poll.task_id if report.poll else report.reading.task_id


def _job_named(report: ReportReceived, owners: dict[str, list[Owner]]) -> UUID | None:
    """Find the job: by the question asked, by the signed token, else by who owns the task."""
    if report.poll is not None:
        return report.poll.job_id
    if report.token is not None and report.token.verdict == "valid":
        return report.token.job_id
    candidates = owners.get(report.reading.task_id or "", [])
    if report.hmac.verdict == "match" and report.hmac.account:
        candidates = [
            owner for owner in candidates if owner.account == report.hmac.account
        ] or candidates
    told_apart = [
        owner for owner in candidates if owner.family == report.reading.family
    ] or candidates
    return told_apart[0].job_id if len({owner.job_id for owner in told_apart}) == 1 else None
