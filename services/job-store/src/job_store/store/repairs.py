"""Jobs, results and orphans that an operator puts right, each alone; ``domain.repair`` decides."""

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from chassis.queries import load
from contracts.events import OrphanEventName
from contracts.refusals import Refusal, RefusalName
from contracts.repairs import (
    CancelJobs,
    ExpireOrphans,
    JobsRepair,
    ListUncertain,
    RedeliverJobs,
    RefundJobs,
    Repaired,
    RepairsView,
    ResendJobs,
    ResolvePart,
    UncertainPart,
    UncertainView,
)
from contracts.values import label
from job_store.domain import lifecycle, repair
from job_store.domain.case import Case
from job_store.store.audit import Audited, audit, changed
from job_store.store.news import orphan_news
from job_store.store.unit import Transaction, Units

sql = load("job_store.store", "repairs.sql")

BEGINS_WITH: Final = 200  # characters of a text that an operator is shown


class Repairs:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def redeliver(self, ask: RedeliverJobs) -> RepairsView:
        return await self._each(ask, "jobs.redeliver", repair.redeliver)

    async def refund(self, ask: RefundJobs) -> RepairsView:
        return await self._each(ask, "jobs.refund", repair.refund)

    async def cancel(self, ask: CancelJobs) -> RepairsView:
        return await self._each(ask, "jobs.cancel", lifecycle.cancel)

    async def _each(
        self, ask: JobsRepair, verb: str, decide: Callable[[Case], str | None]
    ) -> RepairsView:
        async def all_of(tx: Transaction) -> RepairsView:
            cases = await tx.lock(ask.job_ids)
            done = [_decided(cases, job_id, decide) for job_id in ask.job_ids]
            moved = [one.id for one in done if one.did and cases[one.id].touched]
            told = [Audited(target=f"job {job_id}", job_id=job_id) for job_id in moved]
            await audit(tx.connection, ask, verb, told)
            return RepairsView(repaired=tuple(done))

        return await changed(self._units, ask, all_of)

    async def resend(self, ask: ResendJobs) -> RepairsView:
        """Make the copies as jobs of their own; the same key finds those it made before."""

        async def all_of(tx: Transaction) -> RepairsView:
            sources = dict(await tx.lock(ask.job_ids))
            made = await _copies(tx, sources, ask.key)
            done = [_copied(tx, sources, made, job_id, ask.key) for job_id in ask.job_ids]
            fresh = [one for one in done if one.copy_id in tx.cases]
            told = [
                Audited(target=f"job {one.id}", job_id=one.id, detail=f"copy {one.copy_id}")
                for one in fresh
            ]
            await audit(tx.connection, ask, "jobs.resend", told)
            return RepairsView(repaired=tuple(done))

        return await changed(self._units, ask, all_of)

    async def resolve(self, ask: ResolvePart) -> RepairsView | Refusal:
        """Settle a result nobody knew of, as a person saw it."""
        async with self._units.database.connection() as connection:
            job_id = await connection.fetchval(sql.job_of_part, ask.part_id)
        if job_id is None:
            return Refusal(
                code=RefusalName.INVALID_REQUEST,
                message=f"no result {ask.part_id}",
                hint="sendonce deliveries uncertain lists them; nothing was changed",
            )

        async def one(tx: Transaction) -> RepairsView:
            case = (await tx.lock([job_id]))[job_id]
            reason = _resolved(case, ask)
            if reason is None and case.touched:
                message = f" as message {ask.message_id}" if ask.message_id else ""
                target, detail = f"result {ask.part_id}", f"{ask.outcome}{message}"
                told = Audited(target=target, job_id=job_id, detail=detail)
                await audit(tx.connection, ask, "deliveries.resolve", [told])
            done = Repaired(id=ask.part_id, did=reason is None, reason=reason or "")
            return RepairsView(repaired=(done,))

        return await changed(self._units, ask, one)

    async def uncertain(self, ask: ListUncertain) -> UncertainView:
        async with self._units.look() as tx:
            rows = await tx.connection.fetch(sql.uncertain_jobs, ask.bot, ask.limit)
            cases = await tx.see(row["job_id"] for row in rows)
            parts = [_uncertain(cases[row["job_id"]], row["id"]) for row in rows]
        return UncertainView(parts=tuple(parts))

    async def expire_orphans(self, ask: ExpireOrphans) -> RepairsView:
        """Give up waiting; a callback that comes again, or a match by hand, still finds them."""

        async def all_of(tx: Transaction) -> RepairsView:
            rows = await tx.connection.fetch(sql.expire_these, list(ask.orphan_ids))
            at = await tx.connection.fetchval("SELECT now()")
            mark = f"{at.timestamp():.3f}"
            tx.outgoing += [
                orphan_news(OrphanEventName.EXPIRED, row, at=at, mark=mark) for row in rows
            ]
            told = [Audited(target=f"orphan {row['id']}", detail=row["task_id"]) for row in rows]
            await audit(tx.connection, ask, "orphans.expire", told)
            gone = {row["id"] for row in rows}
            return RepairsView(repaired=tuple(_expired(id_, gone) for id_ in ask.orphan_ids))

        return await changed(self._units, ask, all_of)


def _decided(
    cases: Mapping[UUID, Case], job_id: UUID, decide: Callable[[Case], str | None]
) -> Repaired:
    if job_id not in cases:
        return _unknown(job_id)
    reason = decide(cases[job_id])
    return Repaired(id=job_id, did=reason is None, reason=reason or "")


def _unknown(job_id: UUID) -> Repaired:
    return Repaired(id=job_id, did=False, reason="there is no such job")


async def _copies(tx: Transaction, sources: Mapping[UUID, Case], key: str) -> dict[str, UUID]:
    """Return the copies that this key has made before, by their own keys."""
    bots = [case.job.bot for case in sources.values()]
    keys = [_key_of(job_id, key) for job_id in sources]
    rows = await tx.connection.fetch(sql.jobs_by_keys, bots, keys)
    return {row["key"]: row["id"] for row in rows}


def _key_of(job_id: UUID, key: str) -> str:
    return f"copy:{job_id}:{key}"[:200]


def _copied(
    tx: Transaction,
    sources: Mapping[UUID, Case],
    made: dict[str, UUID],
    job_id: UUID,
    key: str,
) -> Repaired:
    if job_id not in sources:
        return _unknown(job_id)
    own = _key_of(job_id, key)
    if own not in made:
        case = repair.copied(sources[job_id], key=own, rules=tx.rules)
        if isinstance(case, str):
            return Repaired(id=job_id, did=False, reason=case)
        tx.cases[case.job.id] = case
        made[own] = case.job.id
    return Repaired(id=job_id, did=True, copy_id=made[own])


def _resolved(case: Case, ask: ResolvePart) -> str | None:
    if ask.outcome == "arrived":
        return repair.arrived(case, ask.part_id, message_id=ask.message_id)
    return repair.send_again(case, ask.part_id)


def _uncertain(case: Case, part_id: UUID) -> UncertainPart:
    job, part = case.job, case.parts[part_id]
    effect = case.placing_of(part)
    since = case.now if effect is None else effect.claimed_at or effect.due_at
    return UncertainPart(
        part_id=part.id,
        job_id=job.id,
        label=label(job.id),
        bot=job.bot,
        chat_id=job.chat_id,
        kind=part.kind,
        mode=job.mode,
        ordinal=part.ordinal,
        content=(part.url or part.text)[:BEGINS_WITH],
        since=since,
        may_send_again_at=since if effect is None else repair.may_be_sent_again_at(effect),
    )


def _expired(orphan_id: UUID, gone: set[UUID]) -> Repaired:
    did = orphan_id in gone
    return Repaired(id=orphan_id, did=did, reason="" if did else "no orphan of this id is waiting")
