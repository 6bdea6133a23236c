"""Pacing rows: whose calls an effect counts among, advanced once a batch, parked when the other side says wait."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.queries import load
from contracts.deliveries import DeliveryOutcome
from contracts.outcomes import Later
from contracts.submissions import SubmissionOutcome
from job_store.domain import delivery
from job_store.domain.case import Case
from job_store.domain.pacing import Ask, Bucket, Turn
from job_store.domain.rows import Effect, EffectKind
from job_store.store.rows import bucket_of, recordset
from job_store.store.unit import Transaction

sql = load("job_store.store", "pacing.sql")


def ask(case: Case, effect: Effect) -> Ask:
    """Name the buckets an effect counts in."""
    job = case.job
    match effect.kind:
        case EffectKind.SUBMIT:
            return Ask(keys=(creates_key(job.account),), units=1, turn=_turn(effect))
        case EffectKind.POLL:
            return Ask(keys=(f"polls:{job.account}",), units=1, turn=_turn(effect))
        case _:
            keys = (bot_key(job.bot), _chat_key(job.bot, _chat_of(case, effect)))
            return Ask(keys=keys, units=delivery.units(case, effect), turn=_turn(effect))


def _turn(effect: Effect) -> Turn:
    if effect.kind is EffectKind.PROGRESS:
        return Turn.SPARE
    return Turn.QUEUED if effect.queued else Turn.NEW


def _chat_of(case: Case, effect: Effect) -> int:
    """Name the chat whose limit a call counts in: of staging not the user's."""
    staging = case.bot.staging_chat if effect.kind is EffectKind.STAGE else None
    return case.job.chat_id if staging is None else staging


def creates_key(account: str) -> str:
    """Name the bucket of an account's createTask calls; its parking is what ``Paused`` means."""
    return f"creates:{account}"


def bot_key(bot: str) -> str:
    """Name the bucket of all of a bot's Telegram calls."""
    return f"bot:{bot}"


def _chat_key(bot: str, chat_id: int) -> str:
    return f"{'group' if chat_id < 0 else 'chat'}:{bot}:{chat_id}"


async def heed(
    tx: Transaction, outcomes: Sequence[tuple[Case, UUID, Any]], left: Mapping[str, float]
) -> None:
    """Hold the chat, the bot or the account that was told to wait; keep what is left on accounts."""
    holds = _holds(outcomes)
    kept = {creates_key(account): amount for account, amount in left.items()}
    if not holds and not kept:
        return
    buckets = await lock_buckets(tx, holds.keys() | kept.keys())
    for key, (until, owner) in holds.items():
        bucket = buckets[key]
        # A plain "slow down" does not end a pause that waits for its owner.
        paused = (
            bucket.needs_owner
            if bucket.parked_until and bucket.parked_until > outcomes[0][0].now
            else None
        )
        longest = max(bucket.parked_until or until, until)
        buckets[key] = replace(bucket, parked_until=longest, needs_owner=owner or paused)
    for key, amount in kept.items():
        buckets[key] = replace(buckets[key], credits=amount)
    await save_buckets(tx, list(buckets.values()))


def credits_left(
    cases: Mapping[UUID, Case], batch: Sequence[SubmissionOutcome] | Sequence[DeliveryOutcome]
) -> dict[str, float]:
    """Return what is left by account, as the last of these outcomes says."""
    return {
        cases[outcome.job_id].job.account: outcome.credits
        for outcome in batch
        if isinstance(outcome, SubmissionOutcome)
        and outcome.credits is not None
        and outcome.job_id in cases
    }


def _holds(outcomes: Sequence[tuple[Case, UUID, Any]]) -> dict[str, tuple[datetime, str | None]]:
    """Say until when each bucket must wait, and why a person must act, if one must."""
    holds: dict[str, tuple[datetime, str | None]] = {}
    for case, effect_id, outcome in outcomes:
        if isinstance(outcome.result, Later) and outcome.result.scope != "effect":
            later = outcome.result
            until = case.now + timedelta(seconds=later.after)
            key = _scope_key(case, case.effects[effect_id], outcome, later.scope)
            before, owner = holds.get(key, (until, None))
            holds[key] = (
                max(before, until),
                (later.reason if later.needs_owner else None) or owner,
            )
    return holds


def _scope_key(
    case: Case, effect: Effect, outcome: SubmissionOutcome | DeliveryOutcome, scope: str
) -> str:
    match scope:
        case "account":
            return creates_key(case.job.account)
        case "bot":
            return bot_key(case.job.bot)
        case _:
            chat_id = _chat_of(case, effect)
            if isinstance(outcome, DeliveryOutcome) and effect.kind is not EffectKind.STAGE:
                chat_id = outcome.chat_id
            return _chat_key(case.job.bot, chat_id)


async def lock_buckets(tx: Transaction, keys: Iterable[str]) -> dict[str, Bucket]:
    """Lock pacing rows in key order; always after jobs, before wallets."""
    names = sorted(keys)
    found: dict[str, Bucket] = {}
    while len(found) < len(names):  # a row may be forgotten between the two statements
        await tx.connection.execute(sql.make_buckets, names)
        found = {
            row["key"]: bucket_of(row) for row in await tx.connection.fetch(sql.lock_buckets, names)
        }
    return found


async def save_buckets(tx: Transaction, buckets: Sequence[Bucket]) -> None:
    """Write what changed."""
    if buckets:
        await tx.connection.execute(sql.save_buckets, recordset(buckets))
