"""What came of it: carriers bound, showings counted, silence judged."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from contracts.deliveries import (
    DeliveryOutcome,
    Migrated,
    RefusalCode,
    Shown,
)
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.values import JobState, PartState
from job_store.domain.case import Case
from job_store.domain.delivery.claims import known
from job_store.domain.delivery.parts import SETTLED, finish, release_next
from job_store.domain.delivery.status import point_from_status
from job_store.domain.rows import LIVE, OPEN, Effect, EffectKind, EffectState, Part
from job_store.domain.rules import (
    MAX_CARRIER_POSTS,
    MAX_CARRIERS,
    TELEGRAM_LEASE,
    backoff,
    carrier_wait,
)

LOST_CARRIER = frozenset({RefusalCode.CARRIER_GONE, RefusalCode.CARRIER_UNEDITABLE})


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
        _stray(case, message_id)
        is_open = effect.open_attempt == attempt_id
    if not is_open or part.message_id is None:
        return "attempt_over"
    if part.state in SETTLED:
        return f"part_{part.state}"
    case.put(replace(case.effects[effect.id], lease_until=case.now + TELEGRAM_LEASE))
    return part.message_id


def _stray(case: Case, message_id: int, *, chat_id: int | None = None) -> None:
    """A spare carrier whose id is learned: take it away, unless it is a message we know."""
    if chat_id not in (None, case.job.chat_id):
        return  # it stays behind in the group's old chat
    known = {part.message_id for part in case.parts.values()} | {case.job.status_message_id}
    planned = {e.message_id for e in case.effects.values() if e.kind is EffectKind.REMOVE}
    if message_id not in known | planned:
        case.plan(EffectKind.REMOVE, message_id=message_id)


def on_outcome(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    """Apply what came of a Telegram call; False when a stale token moved nothing."""
    for stray in outcome.stray_ids:
        _stray(case, stray, chat_id=outcome.chat_id)
    match effect.kind:
        case EffectKind.SHOW:
            return _on_show(case, effect, outcome)
        case EffectKind.STATUS:
            return _on_status(case, effect, outcome)
        case _:
            return _on_tidying(case, effect, outcome)


def _on_show(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    part = case.parts[known(effect.part_id)]
    is_current = effect.open_attempt == outcome.attempt_id
    if isinstance(outcome.result, Shown):
        _shown(case, effect, part, outcome.result)
        return True
    part = _keep_carrier(case, part, outcome, is_current=is_current)
    if not is_current:
        return False
    if outcome.edit_maybe_applied:
        part = case.put_part(replace(part, edit_maybe_applied=True))
    match outcome.result:
        case NotSent() | Later() as put_off:
            case.put_off(effect, put_off)
        case Ambiguous():
            _ambiguous(case, effect, part)
        case Migrated(chat_id=chat_id):
            _migrate(case, chat_id)
            case.again(effect)
        case Refused(code=code):
            _refused(case, effect, part, RefusalCode(code))
    release_next(case)
    finish(case)
    return True


def _shown(case: Case, effect: Effect, part: Part, shown: Shown) -> None:
    """Evidence counts whoever brings it: the part stands there."""
    if effect.state in LIVE | {EffectState.UNCERTAIN, EffectState.PARKED}:
        case.settle(effect, EffectState.DONE)
    if part.state is PartState.SHOWN:
        if part.message_id != shown.message_id:
            case.put_part(replace(part, showings=part.showings + 1))
        return
    _leave_standing(case, shown.message_id)
    if part.message_id is None:
        part = case.carry(part, shown.message_id)
    case.put_part(
        replace(
            part,
            state=PartState.SHOWN,
            message_id=shown.message_id,
            file_id=shown.file_id or part.file_id,
            showings=1,
            refusal=None,
            shown_at=case.now,
        )
    )
    release_next(case)
    point_from_status(case)
    finish(case)


def _leave_standing(case: Case, message_id: int) -> None:
    """What was taken for a spare carrier shows the result: nobody deletes it any more."""
    for effect in list(case.effects.values()):
        if (
            effect.kind is EffectKind.REMOVE
            and effect.message_id == message_id
            and effect.state in LIVE
        ):
            case.settle(effect, EffectState.CANCELLED)


def _keep_carrier(case: Case, part: Part, outcome: DeliveryOutcome, *, is_current: bool) -> Part:
    """A carrier reported with the outcome: the part's own if it has none yet, a stray otherwise."""
    message_id = outcome.carrier_id
    if message_id is None or message_id == part.message_id:
        return part
    if is_current and part.message_id is None and part.state is PartState.PENDING:
        return case.carry(part, message_id)
    _stray(case, message_id, chat_id=outcome.chat_id)
    return part


def _ambiguous(case: Case, effect: Effect, part: Part) -> None:
    """An edit is simply due again; a carrier is posted again, a few times; then a person must look."""
    if part.message_id is not None:
        case.put_part(replace(part, edit_maybe_applied=True))
        case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
        return
    posts = part.carrier_posts + 1
    if posts < MAX_CARRIER_POSTS:
        case.put_part(replace(part, carrier_posts=posts))
        case.again(effect, after=carrier_wait(posts, effect.failures), failures=effect.failures + 1)
        return
    case.put_part(replace(part, carrier_posts=posts, state=PartState.UNCERTAIN))
    case.settle(effect, EffectState.UNCERTAIN)


def _refused(case: Case, effect: Effect, part: Part, code: RefusalCode) -> None:
    if code in LOST_CARRIER:
        _lose_carrier(case, effect, part)
    elif code is RefusalCode.BLOCKED:
        case.put_part(replace(part, state=PartState.PARKED))
        case.settle(effect, EffectState.PARKED)
    else:
        case.put_part(replace(part, state=PartState.REFUSED, refusal=code))
        case.settle(effect, EffectState.REFUSED)


def _lose_carrier(case: Case, effect: Effect, part: Part) -> None:
    """A fresh carrier only when every earlier edit was certainly not applied."""
    if part.message_id == case.job.status_message_id:
        case.change(status_message_id=None, status_at=None)
    if part.edit_maybe_applied or part.carrier_no >= MAX_CARRIERS:
        case.put_part(replace(part, state=PartState.UNCERTAIN))
        case.settle(effect, EffectState.UNCERTAIN)
        return
    case.put_part(_without_carrier(part))
    case.again(effect)


def _without_carrier(part: Part) -> Part:
    return replace(
        part,
        state=PartState.PENDING,
        message_id=None,
        carrier_no=part.carrier_no + 1,
        edit_maybe_applied=False,
    )


def _migrate(case: Case, chat_id: int) -> None:
    """The group has a new id and none of its messages can be edited any more.

    Message ids start anew there: a tidying of the old chat would hit somebody else's message.
    """
    case.change(
        chat_id=chat_id, status_message_id=None, status_at=None, thread_id=None, reply_to=None
    )
    for part in list(case.parts.values()):
        if part.state is PartState.CARRIED:
            case.put_part(_without_carrier(part))
        elif part.state is PartState.PARKED and part.message_id is not None:
            case.put_part(replace(_without_carrier(part), state=PartState.PARKED))
    case.call_off(EffectKind.REWRITE)
    case.call_off(EffectKind.REMOVE)


def _on_status(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    is_current = effect.open_attempt == outcome.attempt_id
    match outcome.result:
        case Shown(message_id=message_id):
            if effect.state in LIVE | {EffectState.UNCERTAIN}:
                case.settle(effect, EffectState.DONE)
            _keep_status(case, message_id)
        case _ if not is_current:
            return False
        case NotSent() | Later() if case.job.state in OPEN:
            wait = getattr(outcome.result, "after", 0)
            case.again(
                effect,
                after=max(timedelta(seconds=wait), backoff(effect.failures)),
                failures=effect.failures + 1,
            )
        case Migrated(chat_id=chat_id):
            _migrate(case, chat_id)
            if case.job.state in OPEN:
                case.again(effect)
            else:
                case.settle(effect, EffectState.CANCELLED)
        case Ambiguous():
            # Posting it again might put a second line into the chat; the result brings its own carrier.
            case.settle(effect, EffectState.UNCERTAIN)
        case _:
            case.settle(effect, EffectState.REFUSED)
    _wake_first(case)
    return True


def _keep_status(case: Case, message_id: int) -> None:
    if case.job.status_message_id is not None or case.job.state is JobState.CANCELLED:
        _stray(case, message_id)
    else:
        case.change(status_message_id=message_id, status_at=case.now)
        point_from_status(case)


def _wake_first(case: Case) -> None:
    """What waited for the status message waits no more."""
    for effect in list(case.effects.values()):
        if (
            effect.kind is EffectKind.SHOW
            and effect.state is EffectState.PENDING
            and effect.attempts == 0
        ):
            case.put(replace(effect, due_at=min(effect.due_at, case.now)))


def _on_tidying(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    if effect.open_attempt != outcome.attempt_id:
        return False
    match outcome.result:
        case Shown():
            case.settle(effect, EffectState.DONE)
        case Refused() | Migrated():
            case.settle(effect, EffectState.REFUSED)
        case Later(after=after):
            case.again(effect, after=timedelta(seconds=after), failures=effect.failures + 1)
        case _:
            case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
    return True


def on_lease_end(case: Case, effect: Effect) -> None:
    """Nobody answered: for an edit simply due again, for a post without an id one more spare carrier."""
    match effect.kind:
        case EffectKind.SHOW:
            _ambiguous(case, effect, case.parts[known(effect.part_id)])
            release_next(case)
        case EffectKind.STATUS:
            case.settle(effect, EffectState.UNCERTAIN)
            _wake_first(case)
        case _:
            case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
