"""What a person may put right: show again what was refused, settle what nobody knows, give money back.

Each verb says why it cannot be done, and then nothing was changed; None when it is done, or was before.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.events import JobEventName
from contracts.values import JobState, MoneyState, PartState, new_id
from job_store.domain import money
from job_store.domain.case import Case
from job_store.domain.delivery.moving import without_carrier
from job_store.domain.delivery.parts import copy_parts, release_next, supersede_notice, vouch
from job_store.domain.rows import LIVE, Door, Effect, EffectKind, EffectState, Part
from job_store.domain.rules import (
    SEND_DISPATCH_LEASE,
    SEND_LEASE,
    STATUS_UNCLEAR,
    TELEGRAM_LEASE,
    Rules,
)
from job_store.domain.wide import revised

# From the claim to the last moment at which somebody may still have begun a call and be waiting for its answer.
CALLED_WITHIN: Final = {
    EffectKind.SEND: SEND_DISPATCH_LEASE + SEND_LEASE,
    EffectKind.SHOW: TELEGRAM_LEASE + TELEGRAM_LEASE,  # the carrier's and the edit's
}
LANDS_WITHIN: Final = STATUS_UNCLEAR  # after that; telegram.md section 11
GONE: Final = (
    "what it shows is gone: it is older than results are kept here, or its user was forgotten"
)
HAS_RESULT: Final = frozenset({JobState.SUCCEEDED, JobState.DELIVERED, JobState.UNDELIVERABLE})


def redeliver(case: Case) -> str | None:
    """Try again to show what is not shown: what was refused, parked, or waits for a later try."""
    if case.job.state not in HAS_RESULT:
        return f"the job is {case.job.state}: it has no result to show"
    if not case.job.deliver:
        return "its bot asked for no delivery"
    if any(part.state is PartState.UNCERTAIN for part in case.delivery):
        return "a result is uncertain: it may be in the chat; say which it is with `sendonce deliveries resolve`"
    missing = [part for part in case.delivery if part.state is not PartState.SHOWN]
    if not missing:
        return "every result is in the chat; `sendonce jobs resend` makes a copy on purpose"
    if any(part.is_blank for part in missing):
        return GONE
    if case.job.state is not JobState.SUCCEEDED:
        supersede_notice(case)
        case.change(error=None)
        case.move(JobState.SUCCEEDED)
    for part in missing:
        _try_again(case, part)
    release_next(case)
    return None


def _try_again(case: Case, part: Part) -> None:
    if part.state in (PartState.REFUSED, PartState.PARKED):
        state = PartState.PENDING if part.message_id is None else PartState.CARRIED
        case.put_part(revised(part, state=state, refusal=None))
    effect = case.placing_of(part)
    if effect is not None and effect.state is not EffectState.ACTING:
        case.again(effect)


def refund(case: Case) -> str | None:
    """Give back what was captured."""
    match case.job.money:
        case MoneyState.CAPTURED:
            money.refund(case)
        case MoneyState.NONE:
            return "it cost nothing"
        case MoneyState.HELD:
            return "its price is only held: it goes back by itself if the job fails or expires"
        case _:
            pass  # it went back before
    return None


def copied(source: Case, *, key: str, rules: Rules) -> Case | str:
    """Return a new job that shows again, for nothing, what this one shows."""
    if not any(part.state is PartState.SHOWN for part in source.delivery):
        return "nothing of it was shown; `sendonce jobs redeliver` tries again"
    if any(part.is_blank for part in source.delivery):
        return GONE
    job = replace(
        source.job,
        id=new_id(),
        key=key,
        digest=f"copy of {source.job.id}",
        door=Door.DELIVER,
        state=JobState.CREATED,
        version=1,
        reply_to=None,
        price=0,
        money=MoneyState.NONE,
        status_message_id=None,
        status_at=None,
        status_unclear_until=None,
        delivery_no=0,
        progress=None,
        progress_at=None,
        cause=None,
        error=None,
        created_at=source.now,
        expires_at=source.now + rules.job_ttl,
        ended_at=None,
    )
    case = Case(job=job, bot=source.bot, now=source.now, is_new=True)
    case.news.append(JobEventName.CREATED)
    case.move(JobState.SUCCEEDED)
    copy_parts(case, source.delivery)
    return case


def arrived(case: Case, part_id: UUID, *, message_id: int | None) -> str | None:
    """A person saw it in the chat."""
    part = case.parts[part_id]
    if part.state is PartState.SHOWN:
        return None
    if part.state is not PartState.UNCERTAIN:
        return f"it is {part.state}, not uncertain"
    effect = case.placing_of(part)
    vouch(case, part, message_id=message_id)
    if effect is not None and _is_settled_by(case, effect):
        case.settle(effect, EffectState.DONE)
    return None


def _is_settled_by(case: Case, effect: Effect) -> bool:
    """Claim that nothing of what it places is open any more."""
    if effect.part_id is None or effect.state in LIVE:
        return False
    return all(part.state is PartState.SHOWN for part in case.group(case.parts[effect.part_id]))


def send_again(case: Case, part_id: UUID) -> str | None:
    """A person saw that it is not in the chat. Not before what was called may have landed."""
    part = case.parts[part_id]
    if part.state is not PartState.UNCERTAIN:
        return f"it is {part.state}, not uncertain"
    if part.is_blank:
        return GONE
    effect = case.placing_of(part)
    if effect is None or effect.state in LIVE:
        return "another result of its album is being sent; ask again when that has ended"
    until = may_be_sent_again_at(effect)
    if until > case.now:
        return f"the call may still land; not before {until:%H:%M:%S} UTC"
    fresh = part if part.message_id is None else without_carrier(part)
    case.put_part(revised(fresh, state=PartState.PENDING, carrier_posts=0))
    case.again(effect)
    return None


def may_be_sent_again_at(effect: Effect) -> datetime:
    """Return from when on nothing of the last call can land any more."""
    claimed = effect.claimed_at or effect.due_at
    return claimed + CALLED_WITHIN[effect.kind] + LANDS_WITHIN
