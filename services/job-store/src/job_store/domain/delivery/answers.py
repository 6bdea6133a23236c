"""Whose answer it is: every outcome and every silence to what it was about."""

from datetime import timedelta

from contracts.deliveries import DeliveryOutcome, Migrated, Shown
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.values import JobState
from job_store.domain.case import Case
from job_store.domain.delivery import progress, sending, showing, staging
from job_store.domain.delivery.moving import migrate
from job_store.domain.delivery.status import point_from_status
from job_store.domain.rows import LIVE, OPEN, PLACING, Effect, EffectKind, EffectState
from job_store.domain.rules import Rules, backoff
from job_store.domain.wide import revised


def on_outcome(case: Case, effect: Effect, outcome: DeliveryOutcome, rules: Rules) -> bool:
    """Apply what came of a Telegram call; False when a stale token moved nothing."""
    for stray in outcome.stray_ids:
        showing.stray(case, stray, chat_id=outcome.chat_id)
    match effect.kind:
        case EffectKind.SHOW:
            return showing.on_show(case, effect, outcome)
        case EffectKind.SEND:
            return sending.on_send(case, effect, outcome)
        case EffectKind.STAGE:
            return staging.on_stage(case, effect, outcome)
        case EffectKind.STATUS:
            return _on_status(case, effect, outcome, rules)
        case EffectKind.PROGRESS:
            return progress.on_progress(case, effect, outcome, rules)
        case _:
            return _on_tidying(case, effect, outcome)


def _on_status(case: Case, effect: Effect, outcome: DeliveryOutcome, rules: Rules) -> bool:
    is_current = effect.open_attempt == outcome.attempt_id
    match outcome.result:
        case Shown(message_id=message_id):
            if effect.state in LIVE | {EffectState.UNCERTAIN}:
                case.settle(effect, EffectState.DONE)
            _keep_status(case, message_id, rules)
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
            migrate(case, chat_id)
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


def _keep_status(case: Case, message_id: int, rules: Rules) -> None:
    if case.job.status_message_id is not None or case.job.state is JobState.CANCELLED:
        showing.stray(case, message_id)
    else:
        case.change(status_message_id=message_id, status_at=case.now)
        progress.follow(case, rules)
        point_from_status(case)


def _wake_first(case: Case) -> None:
    """What waited for the status message waits no more."""
    for effect in list(case.effects.values()):
        if effect.kind in PLACING and effect.state is EffectState.PENDING and effect.attempts == 0:
            case.put(revised(effect, due_at=min(effect.due_at, case.now)))


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


def on_lease_end(case: Case, effect: Effect, rules: Rules) -> None:
    """Nobody answered; what that means depends on whether another try could hurt."""
    match effect.kind:
        case EffectKind.SHOW:
            showing.on_show_silence(case, effect)
        case EffectKind.SEND:
            sending.on_send_silence(case, effect)
        case EffectKind.STAGE:
            staging.on_stage_silence(case, effect)
        case EffectKind.PROGRESS:
            progress.on_silence(case, effect, rules)
        case EffectKind.STATUS:
            case.settle(effect, EffectState.UNCERTAIN)
            _wake_first(case)
        case _:
            case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
