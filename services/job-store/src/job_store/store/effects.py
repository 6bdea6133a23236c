"""Effects: claimed when due, begun, carried, and settled by their outcomes or the end of their lease."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from asyncpg import UniqueViolationError

from chassis.postgres import is_conflict, is_outage
from chassis.queries import load
from contracts.deliveries import DeliveryOutcome
from contracts.effects import Begin, Carried, Go, Stop
from contracts.submissions import SubmissionOutcome, TaskCreated
from contracts.values import JobState
from job_store.domain import delivery, lifecycle
from job_store.domain.case import Case
from job_store.domain.pacing import Limits
from job_store.domain.rows import EffectKind, EffectState
from job_store.domain.rules import SET_ASIDE, TELEGRAM_LEASE, Rules
from job_store.store.claiming import hand_out
from job_store.store.pacing import credits_left, heed
from job_store.store.pacing import sql as pacing_sql
from job_store.store.rows import Row, rowset
from job_store.store.unit import Transaction, Units

log = structlog.get_logger()

sql = load("job_store.store", "effects.sql")


@dataclass(frozen=True, slots=True)
class Settled:
    """What an outcome did; ``moved`` is False for a stale token whose evidence was kept."""

    outcome: SubmissionOutcome | DeliveryOutcome
    known: bool
    moved: bool
    state: JobState | None = None  # of the job, then
    again_in: float | None = None  # seconds until the effect is due again, when it is to be


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """A row: what anybody ever said about an attempt."""

    id: str
    attempt_id: UUID
    job_id: UUID
    kind: str
    detail: SubmissionOutcome | DeliveryOutcome
    moved: bool

    @classmethod
    def of(cls, item: Settled) -> "_Evidence":
        outcome = item.outcome
        return cls(
            id=outcome.id,
            attempt_id=outcome.attempt_id,
            job_id=outcome.job_id,
            kind=outcome.result.kind,
            detail=outcome,
            moved=item.moved,
        )


class Effects:
    def __init__(self, units: Units, limits: Limits) -> None:
        self._units = units
        self._limits = limits
        self._credits: dict[str, float] = {}  # by account, as this process has kept them

    async def claim_due(self, limit: int) -> int:
        """Claim what is due and may go now; returns how many effects were looked at.

        One that cannot be claimed is set aside alone: nobody else's result waits behind it.
        """
        try:
            async with self._units.begin() as tx:
                due = await tx.connection.fetch(sql.lock_due, limit)
                await self._claim(tx, due)
                return len(due)
        except Exception as problem:
            if is_outage(problem) or is_conflict(problem):
                raise
            log.exception("claims.failed")
            return await self._claim_each(limit)

    async def _claim_each(self, limit: int) -> int:
        async with self._units.database.connection() as connection:
            due = await connection.fetch(sql.see_due, limit)
        for row in due:
            try:
                async with self._units.begin() as tx:
                    await self._claim(tx, [row])
            except Exception as problem:
                if is_outage(problem) or is_conflict(problem):
                    raise
                log.exception("claim.failed", job_id=str(row["job_id"]), effect_id=str(row["id"]))
                await self._set_aside(row, is_taken=isinstance(problem, UniqueViolationError))
        return len(due)

    async def _set_aside(self, row: Row, *, is_taken: bool) -> None:
        """Try it again later; without the status message when another job's part stands in that."""
        async with self._units.begin() as tx:
            case = (await tx.lock([row["job_id"]]))[row["job_id"]]
            effect = case.effects[row["id"]]
            if is_taken:
                case.change(status_message_id=None, status_at=None)
            if effect.state is EffectState.PENDING:
                case.again(effect, after=SET_ASIDE, failures=effect.failures + 1)

    async def _claim(self, tx: Transaction, due: Sequence[Row]) -> None:
        await tx.lock(row["job_id"] for row in due)
        await hand_out(tx, self._limits, [(tx.cases[row["job_id"]], row["id"]) for row in due])

    async def begin(self, batch: list[Begin]) -> list[Go | Stop]:
        """Say who may act; see ``lifecycle.begin``."""
        async with self._units.begin() as tx:
            effects = await _effects_of(tx, [ask.attempt_id for ask in batch])
            return [_begin(effects.get(ask.attempt_id), ask, tx.rules) for ask in batch]

    async def carried(self, batch: list[Carried]) -> list[Go | Stop]:
        """Bind carriers to their parts; see ``delivery.carried``."""
        async with self._units.begin() as tx:
            effects = await _effects_of(tx, [ask.attempt_id for ask in batch])
            return [_carried(effects.get(ask.attempt_id), ask) for ask in batch]

    async def apply_submissions(self, batch: list[SubmissionOutcome]) -> list[Settled]:
        """Apply what came of createTask calls."""
        async with self._units.begin() as tx:
            created = [o.result.task_id for o in batch if isinstance(o.result, TaskCreated)]
            await tx.meet_at_tasks(created)
            settled = await self._settle(tx, batch)
        self._credits |= credits_left(tx.cases, batch)
        return settled

    async def apply_deliveries(self, batch: list[DeliveryOutcome]) -> list[Settled]:
        """Apply what came of Telegram calls."""
        async with self._units.begin() as tx:
            return await self._settle(tx, batch)

    async def _settle(
        self, tx: Transaction, batch: Sequence[SubmissionOutcome] | Sequence[DeliveryOutcome]
    ) -> list[Settled]:
        known = {
            row["id"]
            for row in await tx.connection.fetch(sql.known_evidence, [o.id for o in batch])
        }
        effects = await _effects_of(
            tx,
            [outcome.attempt_id for outcome in batch],
            jobs={outcome.attempt_id: outcome.job_id for outcome in batch},
        )
        settled = []
        for outcome in batch:
            is_known = outcome.id in known and not _is_held(tx, outcome.job_id)
            moved = not is_known and _apply(effects.get(outcome.attempt_id), outcome, tx)
            known.add(outcome.id)
            stands = _standing(effects.get(outcome.attempt_id))
            settled.append(Settled(outcome, is_known, moved, *stands))
        fresh = [_Evidence.of(item) for item in settled if not item.known]
        await tx.connection.execute(sql.insert_evidence, rowset(sql.insert_evidence, fresh))
        # A repeated message says nothing new: what was over stays over.
        new = [
            item.outcome
            for item in settled
            if not item.known and item.outcome.attempt_id in effects
        ]
        found = [(*effects[outcome.attempt_id], outcome) for outcome in new]
        tx.tally.outcomes.extend(
            (case.job.bot, case.effects[effect_id].kind, outcome.result.kind)
            for case, effect_id, outcome in found
        )
        # KIE is asked once a minute: most batches say what is kept already.
        left = credits_left(tx.cases, batch).items() - self._credits.items()
        await heed(tx, found, dict(left))
        return settled

    async def end_leases(self, limit: int) -> int:
        """Decide what the silence of a worker means, for leases that are over."""
        async with self._units.begin() as tx:
            over = await tx.connection.fetch(sql.lock_leases_over, limit)
            await tx.lock(row["job_id"] for row in over)
            for row in over:
                case = tx.cases[row["job_id"]]
                effect = case.effects[row["id"]]
                # The lock came after the look: it may have been answered or renewed in between.
                if effect.lease_until is not None and effect.lease_until < case.now:
                    lifecycle.on_lease_end(case, effect, tx.rules)
            return len(over)

    async def expire_jobs(self, limit: int) -> int:
        """End the jobs whose result did not come in time, or could not any more."""
        async with self._units.begin() as tx:
            overdue = await tx.connection.fetch(sql.lock_overdue, limit, tx.rules.working_time)
            await tx.lock(row["id"] for row in overdue)
            for case in tx.cases.values():
                lifecycle.expire(case, tx.rules)
            return len(overdue)

    async def returned(self, *, bot: str, chat_id: int) -> int:
        """A user is back: what was parked for them is due again."""
        async with self._units.begin() as tx:
            parked = await tx.connection.fetch(sql.lock_parked, bot, chat_id)
            await tx.lock(row["id"] for row in parked)
            return sum(delivery.returned(case) for case in tx.cases.values())

    async def forget_buckets(self) -> None:
        async with self._units.database.connection() as connection:
            await connection.execute(pacing_sql.forget_buckets)


async def _effects_of(
    tx: Transaction, attempt_ids: Iterable[UUID], *, jobs: Mapping[UUID, UUID] | None = None
) -> dict[UUID, tuple[Case, UUID]]:
    """Lock the jobs of these attempts; the effect is looked up by id, because a case replaces its rows.

    ``jobs`` says of which job an attempt is that a restored database has forgotten.
    """
    rows = await tx.connection.fetch(sql.attempts_by_id, list(attempt_ids))
    known = {row["id"]: row["job_id"] for row in rows}
    cases = await tx.lock((dict(jobs or {}) | known).values())
    return {row["id"]: (cases[row["job_id"]], row["effect_id"]) for row in rows}


def _standing(found: tuple[Case, UUID] | None) -> tuple[JobState | None, float | None]:
    """Return the job's state, and the seconds until the effect is due again."""
    if found is None:
        return None, None
    case, effect_id = found
    effect = case.effects[effect_id]
    if effect.state is not EffectState.PENDING:
        return case.job.state, None
    return case.job.state, round((effect.due_at - case.now).total_seconds(), 3)


def _is_held(tx: Transaction, job_id: UUID) -> bool:
    """After a restore evidence is applied again: what it names may have been forgotten the first time."""
    return job_id in tx.cases and tx.cases[job_id].is_held


def _begin(found: tuple[Case, UUID] | None, ask: Begin, rules: Rules) -> Go | Stop:
    if found is None:
        return Stop(reason="unknown_attempt")
    case, effect_id = found
    if ask.not_after < case.now:
        return Stop(reason="asked_too_late")
    answer = lifecycle.begin(
        case, case.effects[effect_id], rules, attempt_id=ask.attempt_id, holder=ask.holder
    )
    return Stop(reason=answer) if isinstance(answer, str) else Go(lease=answer.total_seconds())


def _carried(found: tuple[Case, UUID] | None, ask: Carried) -> Go | Stop:
    if found is None:
        return Stop(reason="unknown_attempt")
    case, effect_id = found
    effect = case.effects[effect_id]
    if effect.kind is not EffectKind.SHOW:
        return Stop(reason="not_a_show")
    if case.is_held:
        return Stop(reason="held_after_restore")
    answer = delivery.carried(case, effect, attempt_id=ask.attempt_id, message_id=ask.message_id)
    if isinstance(answer, str):
        return Stop(reason=answer)
    return Go(lease=TELEGRAM_LEASE.total_seconds(), message_id=answer)


def _apply(
    found: tuple[Case, UUID] | None, outcome: SubmissionOutcome | DeliveryOutcome, tx: Transaction
) -> bool:
    if found is None:
        return _apply_forgotten(outcome, tx)
    case, effect_id = found
    case.trace = outcome.trace
    effect = case.effects[effect_id]
    if isinstance(outcome, SubmissionOutcome):
        return lifecycle.on_submission(case, effect, outcome, tx.rules)
    return delivery.on_outcome(case, effect, outcome, tx.rules)


def _apply_forgotten(outcome: SubmissionOutcome | DeliveryOutcome, tx: Transaction) -> bool:
    """Evidence of an attempt that this database does not know: it was restored to before."""
    case = tx.cases.get(outcome.job_id)
    if case is None:
        return False
    case.trace = outcome.trace
    if isinstance(outcome, SubmissionOutcome):
        return lifecycle.on_forgotten(case, outcome, tx.rules)
    return delivery.on_forgotten(case, outcome)
