"""What the status line says while the job runs: the latest word wins, and none follows an unclear one."""

from datetime import datetime, timedelta

from contracts.deliveries import DeliveryOutcome, Migrated, RefusalCode, Rewrite, Shown
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from job_store.domain import texts
from job_store.domain.case import Case
from job_store.domain.delivery.moving import migrate
from job_store.domain.delivery.status import point_from_status, unclear_for
from job_store.domain.rows import OPEN, Effect, EffectKind, EffectState
from job_store.domain.rules import (
    PROGRESS_EVERY,
    PROGRESS_EVERY_IN_GROUPS,
    STATUS_UNCLEAR,
    Rules,
)
from job_store.domain.wide import revised

LOST = frozenset({RefusalCode.CARRIER_GONE, RefusalCode.CARRIER_UNEDITABLE})


def heard(case: Case, percent: float, rules: Rules) -> None:
    """KIE says how far it is. Told upward only: a task that starts anew does not go back."""
    # Rounded: a tiny fraction has no place in a real.
    percent = round(percent, 2)
    if case.job.progress is None or percent > case.job.progress:
        case.change(progress=percent, progress_at=case.now)
        follow(case, rules)


def follow(case: Case, rules: Rules) -> None:
    """Plan the next word about the job, if there will be one."""
    effect = case.effect_of(EffectKind.PROGRESS)
    at = _next(case, effect, rules)
    if at is None:
        return
    if effect is None:
        case.plan(EffectKind.PROGRESS, after=at - case.now)
    elif effect.state is EffectState.PENDING:
        case.put(revised(effect, due_at=at))
    elif effect.state in (EffectState.DONE, EffectState.CANCELLED):
        case.again(effect, after=at - case.now)


def write(case: Case, effect: Effect, rules: Rules) -> Rewrite | None:
    """Render what the line should say now; None when there is nothing new."""
    line = _line(case, rules)
    message_id = case.job.status_message_id
    wait = unclear_for(case)
    if _is_over(case) or message_id is None:
        case.settle(effect, EffectState.CANCELLED)
    elif line is None or line == effect.text:
        case.settle(effect, EffectState.DONE)
        follow(case, rules)
    elif wait:
        case.again(effect, after=wait)
    else:
        case.put(revised(effect, text=line))
        return Rewrite(message_id=message_id, text=line)
    return None


def on_progress(case: Case, effect: Effect, outcome: DeliveryOutcome, rules: Rules) -> bool:
    """Apply what came of an edit of the status line."""
    if effect.open_attempt != outcome.attempt_id:
        return False
    # A 429 may have come after an unclear try of the same attempt.
    is_unclear = outcome.edit_maybe_applied or isinstance(outcome.result, Ambiguous | Later)
    case.change(status_unclear_until=case.now + STATUS_UNCLEAR if is_unclear else None)
    if not isinstance(outcome.result, Shown):
        effect = _unsaid(case, effect)
    match outcome.result:
        case NotSent() | Later() as put_off if not _is_over(case):
            case.put_off(effect, put_off)
            return True
        case Migrated(chat_id=chat_id):
            migrate(case, chat_id)
        case Refused(code=code):
            if code in LOST:
                case.change(status_message_id=None, status_at=None)
            case.settle(effect, EffectState.REFUSED)
        case _:
            case.settle(effect, EffectState.DONE)
    follow(case, rules)
    point_from_status(case)
    return True


def on_silence(case: Case, effect: Effect, rules: Rules) -> None:
    """The lease is over: what was begun within it may land for a while yet."""
    case.change(status_unclear_until=case.now + STATUS_UNCLEAR)
    case.settle(_unsaid(case, effect), EffectState.DONE)
    follow(case, rules)
    point_from_status(case)


def _unsaid(case: Case, effect: Effect) -> Effect:
    return case.put(revised(effect, text=None))


def _is_over(case: Case) -> bool:
    return case.job.state not in OPEN or not case.job.deliver


def _next(case: Case, effect: Effect | None, rules: Rules) -> datetime | None:
    if _is_over(case) or case.job.status_message_id is None:
        return None
    line, late_at = _line(case, rules), _late_at(case, rules)
    earliest = case.now
    if effect is not None and effect.claimed_at is not None:
        earliest = max(earliest, effect.claimed_at + _pace(case))
    if line is not None and (effect is None or line != effect.text):
        return earliest
    return max(earliest, late_at) if late_at > case.now else None


def _pace(case: Case) -> timedelta:
    return PROGRESS_EVERY_IN_GROUPS if case.job.chat_id < 0 else PROGRESS_EVERY


def _late_at(case: Case, rules: Rules) -> datetime:
    job = case.job
    return job.created_at + rules.usual(job.family, job.operation, job.model).late


def _line(case: Case, rules: Rules) -> str | None:
    """Say how far it is, or that it takes long when nothing was heard since it does."""
    job, late_at = case.job, _late_at(case, rules)
    if case.now >= late_at and (job.progress_at is None or job.progress_at < late_at):
        return texts.line(case.bot, job, "status.late")
    if job.progress is None:
        return None
    return texts.line(case.bot, job, "status.progress", percent=str(int(job.progress)))
