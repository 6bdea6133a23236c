"""Handing out: due effects of locked jobs get an attempt and go, or a slot and wait."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from job_store.domain import delivery, lifecycle
from job_store.domain.case import Case
from job_store.domain.pacing import Limits, Turn, decide
from job_store.domain.rows import Effect, EffectKind, EffectState
from job_store.domain.wide import revised
from job_store.store.pacing import ask, lock_buckets, save_buckets
from job_store.store.unit import Transaction

PAUSED: Final = timedelta(
    seconds=15
)  # until somebody looks whether it still is; a resume looks at once


def due(cases: Iterable[Case]) -> list[tuple[Case, UUID]]:
    """Name what of these jobs may go now, as far as its own time goes; in the order of their slots."""
    found = [
        (case, effect) for case in cases for effect in case.effects.values() if case.is_due(effect)
    ]
    found.sort(key=lambda each: (each[1].due_at, each[1].id))
    return [(case, effect.id) for case, effect in found]


async def hand_out(tx: Transaction, limits: Limits, wanted: Iterable[tuple[Case, UUID]]) -> None:
    """Advance the pacing rows once for all of them; who must wait is told until when."""
    found = [(case, case.effects[effect_id]) for case, effect_id in wanted]
    # The lock came after the look: another round may have claimed it in between.
    ready = [(case, effect) for case, effect in found if effect.state is EffectState.PENDING]
    ready = [(case, effect) for case, effect in ready if not _put_off(case, effect)]
    if not ready:
        return
    asks = [ask(case, effect) for case, effect in ready]
    buckets = await lock_buckets(tx, {key for each in asks for key in each.keys})
    answers, after = decide(asks, buckets, limits, ready[0][0].now)
    for (case, effect), asked, at in zip(ready, asks, answers, strict=True):
        if at > case.now:
            tx.tally.waits.append((effect.kind, at - case.now))
            case.put(revised(effect, due_at=at, queued=asked.turn is not Turn.SPARE))
        else:
            _give_out(case, case.effects[effect.id], tx)
    await save_buckets(tx, [bucket for key, bucket in after.items() if bucket != buckets[key]])


def _put_off(case: Case, effect: Effect) -> bool:
    """What is paused waits, a first part for the id of a status message being posted, a send for the one before."""
    wait = PAUSED if case.bot.holds_back(effect.kind) else delivery.waits(case, effect)
    if wait is None:
        return False
    case.put(revised(effect, due_at=case.now + wait))
    return True


def _give_out(case: Case, effect: Effect, tx: Transaction) -> None:
    match effect.kind:
        case EffectKind.SUBMIT:
            lifecycle.claim_submission(case, effect, tx.rules)
        case EffectKind.POLL:
            lifecycle.claim_poll(case, effect)
        case _:
            delivery.claim(case, effect, tx.rules)
