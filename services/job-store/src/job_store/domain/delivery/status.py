"""The status message: held back, used as a carrier, turned into a pointer, or taken away."""

from datetime import timedelta

from contracts.values import PartState
from job_store.domain import texts
from job_store.domain.case import Case
from job_store.domain.rows import Effect, EffectKind, EffectState, Part
from job_store.domain.rules import STATUS_IS_FRESH


def end_status(case: Case) -> None:
    """Nobody posts a status line or writes progress any more.

    One being posted is waited for in ``claims``; an edit being made reports back, and may land late.
    """
    for kind in (EffectKind.STATUS, EffectKind.PROGRESS):
        effect = case.effect_of(kind)
        if effect is not None and effect.state is EffectState.PENDING:
            case.settle(effect, EffectState.CANCELLED)


def is_being_written(case: Case) -> bool:
    progress = case.effect_of(EffectKind.PROGRESS)
    return progress is not None and progress.state is EffectState.ACTING


def unclear_for(case: Case) -> timedelta:
    """Return how long an earlier edit of the status line may still land."""
    until = case.job.status_unclear_until
    return max(until - case.now, timedelta(0)) if until is not None else timedelta(0)


def drop_status(case: Case) -> None:
    """The job ended without a word to say: take its status line away."""
    end_status(case)
    if case.job.status_message_id is not None and case.job.deliver:
        case.plan(EffectKind.REMOVE, message_id=case.job.status_message_id)
        case.change(status_message_id=None)


def status_carrier(case: Case, part: Part) -> int | None:
    """Return the status message when this part may be edited into it."""
    message_id = case.job.status_message_id
    if message_id is None or part.ordinal > 1 or part.carrier_no > 1 or case.job.status_at is None:
        return None
    if any(other.message_id == message_id for other in case.parts.values()):
        return None
    if rewrite_of(case, message_id) is not None:
        return None
    if part.is_words and (is_being_written(case) or unclear_for(case)):
        # A late edit would replace words; into a medium it cannot go (telegram.md section 2.1).
        return None
    if part.carrier_posts:
        # A carrier of its own may or may not stand there already; an edit of a known message cannot be lost.
        return message_id
    match case.job.notify:
        case "in_place":
            return message_id
        case "auto" if case.now - case.job.status_at < STATUS_IS_FRESH:
            return message_id
        case _:
            return None


def rewrite_of(case: Case, message_id: int) -> Effect | None:
    return next(
        (
            e
            for e in case.effects.values()
            if e.kind is EffectKind.REWRITE and e.message_id == message_id
        ),
        None,
    )


def point_from_status(case: Case) -> None:
    """The result stands elsewhere: turn the old status into one line that says so.

    Not while an edit of it may still land: whoever hears what came of that comes back here.
    """
    message_id = case.job.status_message_id
    if message_id is None or rewrite_of(case, message_id) is not None or is_being_written(case):
        return
    shown = [part for part in case.parts.values() if part.state is PartState.SHOWN]
    if not shown or any(part.message_id == message_id for part in case.parts.values()):
        return
    name = "pointer" if any(not part.is_notice for part in shown) else "carrier.notice"
    line = texts.line(case.bot, case.job, name)
    case.plan(EffectKind.REWRITE, after=unclear_for(case), message_id=message_id, text=line)
