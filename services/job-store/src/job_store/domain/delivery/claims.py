"""What a deliverer is asked to do: the whole desired state of one message, or one send."""

from datetime import timedelta
from typing import Final, TypeVar

from contracts import subjects
from contracts.deliveries import (
    Action,
    Content,
    DeliveryRequested,
    Existing,
    Fresh,
    PostStatus,
    Remove,
    Rewrite,
    Send,
    SendPart,
    Show,
)
from contracts.values import PartState
from job_store.domain import texts
from job_store.domain.case import Case
from job_store.domain.delivery import progress, staging
from job_store.domain.delivery.parts import release_next
from job_store.domain.delivery.status import status_carrier
from job_store.domain.rows import LIVE, PLACING, Effect, EffectKind, EffectState, Part
from job_store.domain.rules import (
    SEND_DISPATCH_LEASE,
    SEND_TIMEOUT,
    STAGE_LEASE,
    TELEGRAM_LEASE,
    Rules,
)

T = TypeVar("T")

LEASE: Final = {EffectKind.SEND: SEND_DISPATCH_LEASE, EffectKind.STAGE: STAGE_LEASE}
MOMENT: Final = timedelta(milliseconds=50)
LOOK_AGAIN: Final = timedelta(seconds=1)


def units(case: Case, effect: Effect) -> int:
    """Count the Telegram calls an effect takes from the chat's limit; edits count (telegram.md section 5)."""
    if effect.kind is EffectKind.SEND:
        return max(len(to_send(case, effect)), 1)
    if effect.kind is not EffectKind.SHOW or effect.part_id is None:
        return 1
    part = case.parts[effect.part_id]
    return 1 if part.message_id is not None or status_carrier(case, part) is not None else 2


def to_send(case: Case, effect: Effect) -> list[Part]:
    """Return the parts that a send still has to bring into the chat."""
    group = case.group(case.parts[known(effect.part_id)])
    return [part for part in group if part.state is PartState.PENDING]


def waits(case: Case, effect: Effect) -> timedelta | None:
    """Say how long an effect must wait for another one of its job, or None."""
    if effect.kind not in PLACING or effect.part_id is None:
        return None
    part = case.parts[effect.part_id]
    if part.ordinal > 1:
        return LOOK_AGAIN if _former(case, part) is not None else None
    status = case.effect_of(EffectKind.STATUS)
    if status is None or status.lease_until is None:
        return None
    return max(status.lease_until - case.now, timedelta(0)) + MOMENT


def _former(case: Case, part: Part) -> Effect | None:
    """Return the send before this one that is not settled: users who come back get all in order."""
    if case.job.mode != "send":
        return None
    before = [p for p in case.delivery_of(part.delivery_no) if p.ordinal < part.ordinal]
    effects = [case.placing_of(p) for p in before if p.album is None or p.album != part.album]
    return next((e for e in effects if e is not None and e.state in LIVE), None)


def claim(case: Case, effect: Effect, rules: Rules) -> None:
    """Give one thing to do in the chat to a deliverer, if there still is something to do."""
    action = _action(case, effect, rules)
    if action is None:
        return
    lease = LEASE.get(effect.kind, TELEGRAM_LEASE)
    attempt = case.open(case.effects[effect.id], lease=lease)
    case.send(
        subjects.DELIVERY_REQUESTED,
        DeliveryRequested(
            id=f"deliver:{attempt.id}",
            at=case.now,
            trace=effect.cause,
            attempt=attempt,
            job_id=case.job.id,
            bot=case.job.bot,
            token_ref=case.bot.token_ref,
            chat_id=case.job.chat_id,
            thread_id=case.job.thread_id,
            reply_to=case.job.reply_to,
            protect=case.job.protect,
            action=action,
        ),
    )


def _action(case: Case, effect: Effect, rules: Rules) -> Action | None:
    match effect.kind:
        case EffectKind.STATUS:
            return PostStatus(text=_status_line(case, rules))
        case EffectKind.PROGRESS:
            return progress.write(case, effect, rules)
        case EffectKind.REWRITE:
            return Rewrite(message_id=known(effect.message_id), text=effect.text or "")
        case EffectKind.REMOVE:
            return Remove(message_id=known(effect.message_id))
        case EffectKind.SEND:
            return _send(case, effect)
        case EffectKind.STAGE:
            return staging.stage(case, effect)
        case _:
            return _show(case, case.parts[known(effect.part_id)])


def _status_line(case: Case, rules: Rules) -> str:
    job = case.job
    expected = rules.usual(job.family, job.operation, job.model).expected
    if expected is None:
        return texts.line(case.bot, job, "status")
    span = texts.span(case.bot, job, expected)
    return texts.line(case.bot, job, "status.expected", expected=span)


def _send(case: Case, effect: Effect) -> Send | None:
    parts = to_send(case, effect)
    if not parts:
        case.settle(effect, EffectState.CANCELLED)
        release_next(case)
        return None
    return Send(
        parts=tuple(SendPart(part_id=part.id, content=_content(part)) for part in parts),
        silent=parts[0].ordinal > 1,
        call_timeout=SEND_TIMEOUT.total_seconds(),
    )


def _show(case: Case, part: Part) -> Show:
    in_place = status_carrier(case, part) if part.message_id is None else None
    if in_place is not None:
        part = case.carry(part, in_place)
    content = _content(part)
    if part.message_id is not None:
        return Show(part_id=part.id, content=content, carrier=Existing(message_id=part.message_id))
    text = texts.carrier(case.bot, case.job, part)
    return Show(part_id=part.id, content=content, carrier=Fresh(text=text, silent=part.ordinal > 1))


def _content(part: Part) -> Content:
    return Content(
        kind=part.kind,
        url=part.url,
        file_id=part.file_id,
        text=part.text,
        entities=part.entities,
        buttons=part.buttons,
        body=part.body,
        name=part.name,
        items=part.items,
    )


def known(value: T | None) -> T:
    if value is None:
        msg = "the schema promises a value here"
        raise TypeError(msg)
    return value
