"""Effects: claimed when due, begun, carried, and settled by their outcomes or the end of their lease."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.queries import load
from contracts.deliveries import DeliveryOutcome
from contracts.effects import Begin, Carried, Go, Stop
from contracts.outcomes import Later
from contracts.submissions import SubmissionOutcome, TaskCreated
from pydantic import JsonValue

from job_store.domain import delivery, lifecycle
from job_store.domain.case import Case
from job_store.domain.pacing import Ask, Bucket, Limits, decide
from job_store.domain.rows import Effect, EffectKind, EffectState
from job_store.domain.rules import TELEGRAM_LEASE
from job_store.store.rows import bucket_of, recordset
from job_store.store.unit import Transaction, Units

sql = load("job_store.store", "effects.sql")


@dataclass(frozen=True, slots=True)
class Settled:
    """What an outcome did; ``moved`` is False for a stale token whose evidence was kept."""

    outcome: SubmissionOutcome | DeliveryOutcome
    known: bool
    moved: bool


class Effects:
    def __init__(self, units: Units, limits: Limits) -> None:
        self._units = units
        self._limits = limits

    async def claim_due(self, limit: int) -> int:
        """Claim what is due and may go now; returns how many effects were looked at."""
        async with self._units.begin() as tx:
            due = await tx.connection.fetch(sql.lock_due, limit)
            if not due:
                return 0
            await tx.lock(row["job_id"] for row in due)
            wanted = [(tx.cases[row["job_id"]], row["id"]) for row in due]
            ready = [(case, case.effects[effect_id]) for case, effect_id in wanted]
            # The lock came after the look: another round may have claimed it in between.
            ready = [(case, effect) for case, effect in ready if effect.state is EffectState.PENDING]
            ready = [(case, effect) for case, effect in ready if not _put_off(case, effect)]
            await self._claim(tx, ready)
            return len(due)

    async def _claim(self, tx: Transaction, ready: Sequence[tuple[Case, Effect]]) -> None:
        asks = [_ask(case, effect) for case, effect in ready]
        buckets = await _lock_buckets(tx, {key for ask in asks for key in ask.keys})
        if not ready:
            return
        answers, after = decide(asks, buckets, self._limits, ready[0][0].now)
        for (case, effect), at in zip(ready, answers, strict=True):
            if at > case.now:
                case.put(replace(effect, due_at=at))
            else:
                _give_out(case, effect, tx)
        await _save_buckets(tx, [bucket for key, bucket in after.items() if bucket != buckets[key]])

    async def begin(self, batch: list[Begin]) -> list[Go | Stop]:
        """Say who may act; see ``lifecycle.begin``."""
        async with self._units.begin() as tx:
            effects = await _effects_of(tx, [ask.attempt_id for ask in batch])
            return [_begin(effects.get(ask.attempt_id), ask) for ask in batch]

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
            return await self._settle(tx, batch)

    async def apply_deliveries(self, batch: list[DeliveryOutcome]) -> list[Settled]:
        """Apply what came of Telegram calls."""
        async with self._units.begin() as tx:
            return await self._settle(tx, batch)

    async def _settle(
        self, tx: Transaction, batch: Sequence[SubmissionOutcome] | Sequence[DeliveryOutcome]
    ) -> list[Settled]:
        known = {row["id"] for row in await tx.connection.fetch(sql.known_evidence, [o.id for o in batch])}
        effects = await _effects_of(tx, [outcome.attempt_id for outcome in batch])
        settled = []
        for outcome in batch:
            found = effects.get(outcome.attempt_id)
            is_known = outcome.id in known
            moved = found is not None and not is_known and _apply(found, outcome, tx)
            known.add(outcome.id)
            settled.append(Settled(outcome, is_known, moved))
        fresh = [_evidence_row(item) for item in settled if not item.known]
        await tx.connection.execute(sql.insert_evidence, fresh)
        # A repeated message says nothing new: what was over stays over.
        new = [item.outcome for item in settled if not item.known and item.outcome.attempt_id in effects]
        await _park(tx, [(effects[outcome.attempt_id][0], outcome) for outcome in new])
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
                    lifecycle.on_lease_end(case, effect)
            return len(over)

    async def expire_jobs(self, limit: int) -> int:
        """End the jobs whose result did not come in time."""
        async with self._units.begin() as tx:
            overdue = await tx.connection.fetch(sql.lock_overdue, limit)
            await tx.lock(row["id"] for row in overdue)
            for case in tx.cases.values():
                lifecycle.expire(case)
            return len(overdue)

    async def returned(self, *, bot: str, chat_id: int) -> int:
        """A user is back: what was parked for them is due again."""
        async with self._units.begin() as tx:
            parked = await tx.connection.fetch(sql.lock_parked, bot, chat_id)
            await tx.lock(row["id"] for row in parked)
            return sum(delivery.returned(case) for case in tx.cases.values())

    async def forget_buckets(self) -> None:
        async with self._units.database.connection() as connection:
            await connection.execute(sql.forget_buckets)


def _put_off(case: Case, effect: Effect) -> bool:
    """A first part whose status message is being posted right now waits for its id."""
    wait = delivery.waits_for_status(case, effect)
    if wait is None:
        return False
    case.put(replace(effect, due_at=case.now + wait))
    return True


def _ask(case: Case, effect: Effect) -> Ask:
    job = case.job
    match effect.kind:
        case EffectKind.SUBMIT:
            return Ask(keys=(creates_key(job.account),), units=1)
        case EffectKind.POLL:
            return Ask(keys=(f"polls:{job.account}",), units=1)
        case _:
            return Ask(keys=(f"bot:{job.bot}", _chat_key(job.bot, job.chat_id)), units=delivery.units(case, effect))


def creates_key(account: str) -> str:
    """Name the bucket of an account's createTask calls; its parking is what ``Paused`` means."""
    return f"creates:{account}"


def _chat_key(bot: str, chat_id: int) -> str:
    return f"{'group' if chat_id < 0 else 'chat'}:{bot}:{chat_id}"


def _give_out(case: Case, effect: Effect, tx: Transaction) -> None:
    match effect.kind:
        case EffectKind.SUBMIT:
            lifecycle.claim_submission(case, effect, tx.rules)
        case EffectKind.POLL:
            lifecycle.claim_poll(case, effect)
        case _:
            delivery.claim(case, effect)


async def _effects_of(tx: Transaction, attempt_ids: Iterable[UUID]) -> dict[UUID, tuple[Case, UUID]]:
    """Lock the jobs of these attempts; the effect is looked up by id, because a case replaces its rows."""
    rows = await tx.connection.fetch(sql.attempts_by_id, list(attempt_ids))
    cases = await tx.lock(row["job_id"] for row in rows)
    return {row["id"]: (cases[row["job_id"]], row["effect_id"]) for row in rows}


def _begin(found: tuple[Case, UUID] | None, ask: Begin) -> Go | Stop:
    if found is None:
        return Stop(reason="unknown_attempt")
    case, effect_id = found
    if ask.not_after < case.now:
        return Stop(reason="asked_too_late")
    answer = lifecycle.begin(case, case.effects[effect_id], attempt_id=ask.attempt_id, holder=ask.holder)
    return Stop(reason=answer) if isinstance(answer, str) else Go(lease=answer.total_seconds())


def _carried(found: tuple[Case, UUID] | None, ask: Carried) -> Go | Stop:
    if found is None:
        return Stop(reason="unknown_attempt")
    case, effect_id = found
    effect = case.effects[effect_id]
    if effect.kind is not EffectKind.SHOW:
        return Stop(reason="not_a_show")
    answer = delivery.carried(case, effect, attempt_id=ask.attempt_id, message_id=ask.message_id)
    if isinstance(answer, str):
        return Stop(reason=answer)
    return Go(lease=TELEGRAM_LEASE.total_seconds(), message_id=answer)


def _apply(found: tuple[Case, UUID], outcome: SubmissionOutcome | DeliveryOutcome, tx: Transaction) -> bool:
    case, effect_id = found
    effect = case.effects[effect_id]
    if isinstance(outcome, SubmissionOutcome):
        return lifecycle.on_submission(case, effect, outcome, tx.rules)
    return delivery.on_outcome(case, effect, outcome)


def _evidence_row(item: Settled) -> dict[str, JsonValue]:
    outcome = item.outcome
    return {
        "id": outcome.id,
        "attempt_id": str(outcome.attempt_id),
        "job_id": str(outcome.job_id),
        "kind": outcome.result.kind,
        "detail": outcome.model_dump(mode="json", exclude_none=True),
        "moved": item.moved,
    }


async def _park(tx: Transaction, outcomes: Sequence[tuple[Case, Any]]) -> None:
    """The other side said wait: hold the chat, the bot or the account, not only this effect."""
    holds: dict[str, tuple[datetime, str | None]] = {}
    for case, outcome in outcomes:
        if isinstance(outcome.result, Later) and outcome.result.scope != "effect":
            later = outcome.result
            until = case.now + timedelta(seconds=later.after)
            key = _scope_key(case, outcome, later.scope)
            before, owner = holds.get(key, (until, None))
            holds[key] = (max(before, until), (later.reason if later.needs_owner else None) or owner)
    if not holds:
        return
    buckets = await _lock_buckets(tx, holds.keys())
    parked = []
    for key, (until, owner) in holds.items():
        bucket = buckets[key]
        # A plain "slow down" does not end a pause that waits for its owner.
        paused = bucket.needs_owner if bucket.parked_until and bucket.parked_until > outcomes[0][0].now else None
        until = max(bucket.parked_until or until, until)
        parked.append(replace(bucket, parked_until=until, needs_owner=owner or paused))
    await _save_buckets(tx, parked)


def _scope_key(case: Case, outcome: SubmissionOutcome | DeliveryOutcome, scope: str) -> str:
    match scope:
        case "account":
            return creates_key(case.job.account)
        case "bot":
            return f"bot:{case.job.bot}"
        case _:
            chat_id = outcome.chat_id if isinstance(outcome, DeliveryOutcome) else case.job.chat_id
            return _chat_key(case.job.bot, chat_id)


async def _lock_buckets(tx: Transaction, keys: Iterable[str]) -> dict[str, Bucket]:
    """Lock pacing rows in key order; always after jobs and wallets."""
    names = sorted(keys)
    found: dict[str, Bucket] = {}
    while len(found) < len(names):  # a row may be forgotten between the two statements
        await tx.connection.execute(sql.make_buckets, names)
        found = {row["key"]: bucket_of(row) for row in await tx.connection.fetch(sql.lock_buckets, names)}
    return found


async def _save_buckets(tx: Transaction, buckets: Sequence[Bucket]) -> None:
    if buckets:
        await tx.connection.execute(sql.save_buckets, recordset(buckets))


