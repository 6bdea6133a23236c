"""What a report means for a job: whom to believe, what to do."""

from enum import StrEnum

from contracts.reports import ReportReceived, ReportState
from contracts.values import Cause, FailureClass, JobState
from job_store.domain import delivery, lifecycle, money
from job_store.domain.case import Case
from job_store.domain.rows import OPEN, Door, EffectKind, EffectState
from job_store.domain.rules import Rules, backoff


class Trust(StrEnum):
    TRUSTED = "trusted"
    CONFIRM = "confirm"  # ask KIE before money or delivery moves
    UNTRUSTED = "untrusted"  # the same, and from a smaller budget


def trust(report: ReportReceived, *, vouched_digest: str | None) -> Trust:
    """Say how far a report is believed.

    KIE's HMAC covers task id and timestamp, not the body (kie.md section 3): it vouches for the first
    body only, whose digest is ``vouched_digest`` when one was seen before.
    """
    if report.origin == "poll":
        return Trust.TRUSTED
    has_token = report.token is not None and report.token.verdict == "valid"
    signed = report.hmac.verdict
    if has_token:
        return Trust.TRUSTED if signed in ("absent", "match") else Trust.CONFIRM
    if signed == "match" and vouched_digest in (None, report.body_digest):
        return Trust.TRUSTED
    if signed in ("match", "stale"):
        return Trust.CONFIRM
    return Trust.UNTRUSTED


def on_report(case: Case, report: ReportReceived, believed: Trust, rules: Rules) -> str:
    """Apply a report to its job; returns one word for the log."""
    _close_poll(case, report, rules)
    if case.job.state not in OPEN | {JobState.EXPIRED}:
        return f"already_{case.job.state}"
    reading = report.reading
    # A poll's task is the job's already, whatever id its answer carries.
    is_of_this_job = believed is Trust.TRUSTED or _came_by_our_url(report)
    if report.poll is None and reading.task_id is not None and is_of_this_job:
        lifecycle.learn(case, reading.task_id, rules)
    if believed is not Trust.TRUSTED or not _is_usable(report):
        if case.owners:
            lifecycle.poll_in(case, backoff(0))
        return "to_confirm"
    return _judge(case, report, rules)


def _judge(case: Case, report: ReportReceived, rules: Rules) -> str:
    """Do what a believed report says."""
    reading = report.reading
    match reading.state:
        case ReportState.SUCCEEDED if delivery.showable(reading.media):
            _succeed(case, report)
        case ReportState.SUCCEEDED | ReportState.FAILED if _is_superseded(case, report):
            return "of_an_earlier_task"
        case ReportState.SUCCEEDED:
            _fail(case, FailureClass.PROVIDER_ERROR, "success without a result")
        case ReportState.FAILED:
            _fail(case, reading.error_class or FailureClass.PROVIDER_ERROR, reading.error_message)
        case ReportState.PROGRESS if reading.progress is not None:
            delivery.heard(case, reading.progress, rules)
        case ReportState.UNKNOWN if report.origin == "callback":
            lifecycle.poll_in(case, backoff(0))
        case _:
            pass  # nothing to act on; the next poll is planned already
    return str(reading.state)


def _came_by_our_url(report: ReportReceived) -> bool:
    """Say whether only KIE, which was given the signed path, can have sent it.

    Its task id may be asked about even when the rest is not believed yet: after a lost createTask answer
    it is all there is.
    """
    return report.token is not None and report.token.verdict == "valid"


def _is_usable(report: ReportReceived) -> bool:
    """A callback that claims success and shows nothing is asked about before anything is decided."""
    empty = report.reading.state is ReportState.SUCCEEDED and not delivery.showable(
        report.reading.media
    )
    return not (report.origin == "callback" and (empty or report.truncated))


def _is_superseded(case: Case, report: ReportReceived) -> bool:
    """A failure ends its own task; the job fails with the last one."""
    task_id = report.poll.task_id if report.poll else report.reading.task_id
    return task_id is not None and bool(case.owners) and case.owners[-1].task_id != task_id


def _close_poll(case: Case, report: ReportReceived, rules: Rules) -> None:
    effect = case.effect_of(EffectKind.POLL)
    if report.poll is None or effect is None or effect.open_attempt != report.poll.attempt_id:
        return
    if (
        case.job.state is JobState.EXPIRED
        and report.reading.state is not ReportState.TRANSIENT_ERROR
    ):
        case.settle(
            effect, EffectState.DONE
        )  # one answer confirms or refutes; an ended job is not watched
        return
    case.again(effect, after=rules.poll_delay(effect.attempts), failures=0)


def _succeed(case: Case, report: ReportReceived) -> None:
    if case.job.door is Door.CREATE and case.job.state in OPEN:
        case.took = case.now - case.job.created_at
    case.change(failure=None, error=None)
    case.move(JobState.SUCCEEDED, cause=Cause.PROVIDER)
    money.capture(case)
    lifecycle.settle_submission(case)
    case.call_off(EffectKind.POLL)
    delivery.make_parts(case, report.reading.media)


def _fail(case: Case, failure: FailureClass, error: str | None) -> None:
    if case.job.state is JobState.EXPIRED:
        return  # it has ended already, and a failure changes nothing for the user
    lifecycle.settle_submission(case)
    lifecycle.fail(case, failure, error)
