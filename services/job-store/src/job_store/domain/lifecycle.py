"""From the request to the task: create, submit, cancel, expire."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from contracts import subjects
from contracts.api import JobRequest
from contracts.events import JobEventName
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.polls import PollRequested
from contracts.submissions import SubmissionOutcome, SubmissionRequested, TaskCreated
from contracts.values import Cause, FailureClass, JobState
from job_store.domain import delivery, money
from job_store.domain.case import Case
from job_store.domain.rows import (
    LIVE,
    OPEN,
    UNSUBMITTED,
    Door,
    Effect,
    EffectKind,
    EffectState,
    Owner,
)
from job_store.domain.rules import (
    CREATE_TASK_TIMEOUT,
    DISPATCH_LEASE,
    POLL_LEASE,
    SEND_LEASE,
    SUBMIT_LEASE,
    Rules,
    backoff,
)
from job_store.domain.wide import revised

# Who asks before acting: in which state of the job, and for how long he may act then.
MAY_BEGIN: Final = {
    EffectKind.SUBMIT: (JobState.SUBMITTING, SUBMIT_LEASE),
    EffectKind.SEND: (JobState.SUCCEEDED, SEND_LEASE),
}


def open_job(case: Case, request: JobRequest, rules: Rules) -> None:
    """Start a job: hold its price, plan its first effects."""
    case.news.append(JobEventName.CREATED)
    money.hold(case)
    if case.job.deliver and request.status == "auto" and case.job.door is not Door.DELIVER:
        case.plan(EffectKind.STATUS)
    match case.job.door:
        case Door.CREATE:
            case.plan(EffectKind.SUBMIT)
        case Door.EXPECT:
            case.change(state=JobState.SUBMITTING)
        case Door.DELIVER:
            return
    delivery.follow(case, rules)


def claim_submission(case: Case, effect: Effect, rules: Rules) -> None:
    """Give the submission to a submitter."""
    attempt = case.open(effect, lease=DISPATCH_LEASE)
    if case.job.state is JobState.CREATED:
        case.move(JobState.SUBMITTING)
    case.send(
        subjects.SUBMISSION_REQUESTED,
        SubmissionRequested(
            id=f"submit:{attempt.id}",
            at=case.now,
            trace=effect.cause,
            attempt=attempt,
            job_id=case.job.id,
            bot=case.job.bot,
            account=case.job.account,
            family=case.job.family,
            operation=case.job.operation,
            model=case.job.model,
            input=case.job.input,
            callback_url=rules.callback_url(case.job.id, attempt.no),
            call_timeout=CREATE_TASK_TIMEOUT.total_seconds(),
        ),
    )


def claim_poll(case: Case, effect: Effect) -> bool:
    """Give the question about the job's task to the reconciler; False when there is nothing to ask."""
    if not case.owners or case.job.state not in OPEN | {JobState.EXPIRED}:
        case.settle(effect, EffectState.CANCELLED)
        return False
    # The last one first; with several in turn, because any of them may bring the result.
    owner = case.owners[-1 - effect.attempts % len(case.owners)]
    attempt = case.open(effect, lease=POLL_LEASE)
    case.send(
        subjects.POLL_REQUESTED,
        PollRequested(
            id=f"poll:{attempt.id}",
            at=case.now,
            trace=effect.cause,
            attempt=attempt,
            job_id=case.job.id,
            bot=case.job.bot,
            account=owner.account,
            family=owner.family,
            operation=owner.operation,
            task_id=owner.task_id,
        ),
    )
    return True


def begin(
    case: Case, effect: Effect, rules: Rules, *, attempt_id: UUID, holder: UUID
) -> timedelta | str:
    """Let one holder of the open attempt act, or say why not.

    The same holder may ask again after a lost reply; a redelivery asks as another holder.
    """
    if effect.open_attempt != attempt_id:
        return "attempt_over"
    if effect.holder not in (None, holder):
        return "held_by_another"
    if effect.lease_until is None or effect.lease_until <= case.now:
        return "lease_over"
    if effect.kind not in MAY_BEGIN:
        return "nothing_to_begin"
    state, lease = MAY_BEGIN[effect.kind]
    if case.job.state is not state:
        return f"job_{case.job.state}"
    if (why := _stands_still(case, effect, rules)) is not None:
        return why
    case.put(revised(effect, holder=holder, lease_until=case.now + lease))
    return lease


def _stands_still(case: Case, effect: Effect, rules: Rules) -> str | None:
    """Say why nobody may do this now, whoever asks."""
    if case.is_held:
        return "held_after_restore"
    if case.bot.holds_back(effect.kind):
        return "paused"
    if effect.kind is EffectKind.SUBMIT and is_too_late_to_submit(case, rules):
        return "too_late_to_submit"
    return None


def on_submission(case: Case, effect: Effect, outcome: SubmissionOutcome, rules: Rules) -> bool:
    """Apply what came of a createTask call; False when a stale token moved nothing.

    Only the holder may say what did not happen: a redelivery that was never let through knows
    nothing of the call the holder may be making.
    """
    is_current = effect.open_attempt == outcome.attempt_id
    speaks_for_it = effect.holder in (None, outcome.holder)
    match outcome.result:
        case TaskCreated(task_id=task_id):
            # Evidence counts whoever brings it: the task exists.
            learn(case, task_id, rules)
            if case.effects[effect.id].state in LIVE | {EffectState.UNCERTAIN}:
                case.settle(effect, EffectState.DONE)
            return True
        case _ if not (is_current and speaks_for_it):
            return False
        case NotSent() | Later() as put_off:
            case.put_off(effect, put_off)
        case Ambiguous():
            # Never a blind retry: the signed callback or the deadline resolves it.
            case.settle(effect, EffectState.UNCERTAIN)
        case Refused(reason=reason, failure=failure):
            case.settle(effect, EffectState.REFUSED)
            if case.job.state in UNSUBMITTED:
                fail(case, failure or FailureClass.PROVIDER_ERROR, reason)
    return True


def on_forgotten(case: Case, outcome: SubmissionOutcome, rules: Rules) -> bool:
    """Of an attempt that is not known any more, only the task it made counts."""
    if not isinstance(outcome.result, TaskCreated):
        return False
    learn(case, outcome.result.task_id, rules)
    return True


def learn(case: Case, task_id: str, rules: Rules) -> None:
    """A task id became known, by whatever way."""
    if all(owner.task_id != task_id for owner in case.owners):
        owner = Owner(
            account=case.job.account,
            family=case.job.family,
            operation=case.job.operation,
            task_id=task_id,
            job_id=case.job.id,
        )
        case.owners.append(owner)
        case.new_owners.append(owner)
    if case.job.state in UNSUBMITTED:
        case.move(JobState.RUNNING)
        settle_submission(case)
        poll_in(case, rules.poll_after)


def settle_submission(case: Case) -> None:
    """The task exists, whoever said so: nobody submits it again."""
    submit = case.effect_of(EffectKind.SUBMIT)
    if submit is not None and submit.state in (EffectState.ACTING, EffectState.UNCERTAIN):
        case.settle(submit, EffectState.DONE)
    case.call_off(EffectKind.SUBMIT)


def poll_in(case: Case, after: timedelta) -> None:
    """Have KIE asked about the task, no later than after this wait."""
    effect = case.effect_of(EffectKind.POLL)
    if effect is None:
        case.plan(EffectKind.POLL, after=after)
    elif effect.state is EffectState.PENDING:
        case.put(revised(effect, due_at=min(effect.due_at, case.now + after)))
    elif effect.state is not EffectState.ACTING:
        case.again(effect, after=after)


def fail(case: Case, failure: FailureClass, error: str | None) -> None:
    """The provider failed it: give the money back and say so."""
    case.change(failure=failure, error=error)
    case.move(JobState.FAILED, cause=Cause.PROVIDER)
    money.release(case)
    stop_asking(case)
    delivery.notify_failure(case, failure)


def stop_asking(case: Case) -> None:
    """The task is settled: nothing more to submit or to poll."""
    case.call_off(EffectKind.SUBMIT)
    case.call_off(EffectKind.POLL)


def cancel(case: Case) -> str | None:
    """Cancel while certainly nothing was submitted; else say why it is too late. Idempotent."""
    if case.job.state is JobState.CANCELLED:
        return None
    submit = case.effect_of(EffectKind.SUBMIT)
    pending = submit is not None and submit.state is EffectState.PENDING
    if case.job.state not in UNSUBMITTED or not pending:
        return f"the job is {case.job.state} and its submission has begun"
    case.move(JobState.CANCELLED, cause=Cause.USER)
    money.release(case)
    case.call_off(EffectKind.SUBMIT)
    delivery.drop_status(case)
    return None


def is_too_late_to_submit(case: Case, rules: Rules) -> bool:
    """Claim that the rest of the job's life is shorter than its task may take."""
    return case.job.expires_at - rules.working_time <= case.now


def expire(case: Case, rules: Rules) -> None:
    """Our own end: nothing came in time, or could any more. A later success still yields a free result.

    What is known to be KIE's task is asked about once more, for its callback may be lost.
    """
    if case.job.state not in OPEN:
        return
    is_over = case.job.expires_at <= case.now
    if not is_over and not (_is_unbegun(case) and is_too_late_to_submit(case, rules)):
        return
    case.change(failure=FailureClass.TIMEOUT)
    case.move(JobState.EXPIRED, cause=Cause.OURS)
    money.release(case)
    stop_asking(case)
    if case.owners:
        # KIE may have made it all the same: asked once more when every task has had its time.
        poll_in(case, rules.working_time)
    delivery.notify_failure(case, FailureClass.TIMEOUT)


def _is_unbegun(case: Case) -> bool:
    """Claim that nobody has made the job's task, nor is let to at this moment."""
    submit = case.effect_of(EffectKind.SUBMIT)
    return submit is not None and submit.state in LIVE and submit.holder is None


def on_lease_end(case: Case, effect: Effect, rules: Rules) -> None:
    """Nobody answered in time: ambiguous, and what that means depends on the effect."""
    match effect.kind:
        case EffectKind.SUBMIT if effect.holder is not None:
            case.settle(effect, EffectState.UNCERTAIN)
        case EffectKind.SUBMIT | EffectKind.POLL:
            case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
        case _:
            delivery.on_lease_end(case, effect, rules)
