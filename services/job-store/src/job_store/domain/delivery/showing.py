"""What came of an edit: carriers bound, silence judged; the same result never stands twice."""

from typing import Final
from uuid import UUID

from contracts.deliveries import (
    DeliveryOutcome,
    DeliveryResult,
    Migrated,
    RefusalCode,
    Shown,
)
from contracts.outcomes import Later, NotSent, Refused
from contracts.values import PartState
from job_store.domain.case import Case
from job_store.domain.delivery.claims import known
from job_store.domain.delivery.moving import migrate, without_carrier
from job_store.domain.delivery.parts import SETTLED, finish, release_next, stand
from job_store.domain.delivery.staging import keep_alive
from job_store.domain.rows import LIVE, Effect, EffectKind, EffectState, Part
from job_store.domain.rules import (
    MAX_CARRIER_POSTS,
    MAX_CARRIERS,
    TELEGRAM_LEASE,
    backoff,
    carrier_wait,
)
from job_store.domain.wide import revised

LOST_CARRIER: Final = frozenset({RefusalCode.CARRIER_GONE, RefusalCode.CARRIER_UNEDITABLE})


def carried(case: Case, effect: Effect, *, attempt_id: UUID, message_id: int) -> int | str:
    """A carrier is posted: return the message to edit, or why to stop.

    Idempotent. A part whose carrier is known already keeps it; the new one is a stray.
    """
    part = case.parts[known(effect.part_id)]
    if part.message_id == message_id:
        is_open = effect.open_attempt == attempt_id
    elif (
        part.message_id is None
        and effect.open_attempt == attempt_id
        and part.state is PartState.PENDING
    ):
        part = case.carry(part, message_id)
        release_next(case)
        is_open = True
    else:
        stray(case, message_id)
        is_open = effect.open_attempt == attempt_id
    if not is_open or part.message_id is None:
        return "attempt_over"
    if part.state in SETTLED:
        return f"part_{part.state}"
    case.put(revised(case.effects[effect.id], lease_until=case.now + TELEGRAM_LEASE))
    return part.message_id


def stray(case: Case, message_id: int, *, chat_id: int | None = None) -> None:
    """A spare carrier whose id is learned: take it away, unless it is a message we know."""
    if chat_id not in (None, case.job.chat_id):
        return  # it stays behind in the group's old chat
    known = {part.message_id for part in case.parts.values()} | {case.job.status_message_id}
    planned = {e.message_id for e in case.effects.values() if e.kind is EffectKind.REMOVE}
    if message_id not in known | planned:
        case.plan(EffectKind.REMOVE, message_id=message_id)


def on_show(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    """Apply what came of an edit. That it stands there counts whoever brings it."""
    part = case.parts[known(effect.part_id)]
    if isinstance(outcome.result, Shown):
        if effect.state in LIVE | {EffectState.UNCERTAIN, EffectState.PARKED}:
            case.settle(effect, EffectState.DONE)
        shown = outcome.result
        stand(case, part, message_id=shown.message_id, file_id=shown.file_id)
        return True
    is_current = effect.open_attempt == outcome.attempt_id
    part = _keep_carrier(case, part, outcome, is_current=is_current)
    if not is_current:
        return False
    if outcome.edit_maybe_applied:
        part = case.put_part(revised(part, edit_maybe_applied=True))
    _not_shown(case, effect, part, outcome.result)
    keep_alive(case)
    release_next(case)
    finish(case)
    return True


def _not_shown(case: Case, effect: Effect, part: Part, result: DeliveryResult) -> None:
    match result:
        case NotSent() | Later() as put_off:
            case.put_off(effect, put_off)
        case Migrated(chat_id=chat_id):
            migrate(case, chat_id)
            case.again(effect)
        case Refused(code=code):
            _refused(case, effect, part, RefusalCode(code))
        case _:
            _ambiguous(case, effect, part)


def _keep_carrier(case: Case, part: Part, outcome: DeliveryOutcome, *, is_current: bool) -> Part:
    """A carrier reported with the outcome: the part's own if it has none yet, a stray otherwise."""
    message_id = outcome.carrier_id
    if message_id is None or message_id == part.message_id:
        return part
    if is_current and part.message_id is None and part.state is PartState.PENDING:
        return case.carry(part, message_id)
    stray(case, message_id, chat_id=outcome.chat_id)
    return part


def _ambiguous(case: Case, effect: Effect, part: Part) -> None:
    """An edit is simply due again; a carrier is posted again, a few times; then a person must look."""
    if part.message_id is not None:
        case.put_part(revised(part, edit_maybe_applied=True))
        case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
        return
    posts = part.carrier_posts + 1
    if posts < MAX_CARRIER_POSTS:
        case.put_part(revised(part, carrier_posts=posts))
        case.again(effect, after=carrier_wait(posts, effect.failures), failures=effect.failures + 1)
        return
    case.put_part(revised(part, carrier_posts=posts, state=PartState.UNCERTAIN))
    case.settle(effect, EffectState.UNCERTAIN)


def _refused(case: Case, effect: Effect, part: Part, code: RefusalCode) -> None:
    if code in LOST_CARRIER:
        _lose_carrier(case, effect, part)
    elif code is RefusalCode.BLOCKED:
        case.put_part(revised(part, state=PartState.PARKED))
        case.settle(effect, EffectState.PARKED)
    else:
        case.put_part(revised(part, state=PartState.REFUSED, refusal=code))
        case.settle(effect, EffectState.REFUSED)


def _lose_carrier(case: Case, effect: Effect, part: Part) -> None:
    """A fresh carrier only when every earlier edit was certainly not applied."""
    if part.message_id == case.job.status_message_id:
        case.change(status_message_id=None, status_at=None)
    if part.edit_maybe_applied or part.carrier_no >= MAX_CARRIERS:
        case.put_part(revised(part, state=PartState.UNCERTAIN))
        case.settle(effect, EffectState.UNCERTAIN)
        return
    case.put_part(without_carrier(part))
    case.again(effect)


def on_show_silence(case: Case, effect: Effect) -> None:
    """Nobody answered: an edit is due again, a post without an id is one more spare carrier."""
    _ambiguous(case, effect, case.parts[known(effect.part_id)])
    keep_alive(case)
    release_next(case)
