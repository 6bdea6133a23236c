"""What a deliverer is asked to do: the whole desired state of one message."""

from datetime import timedelta
from typing import TypeVar

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
    Show,
)
from job_store.domain import texts
from job_store.domain.case import Case
from job_store.domain.delivery.status import status_carrier
from job_store.domain.rows import Effect, EffectKind, Part
from job_store.domain.rules import (
    TELEGRAM_LEASE,
)

T = TypeVar("T")


def units(case: Case, effect: Effect) -> int:
    """Count the Telegram calls an effect takes from the chat's limit; edits count (telegram.md section 5)."""
    if effect.kind is not EffectKind.SHOW or effect.part_id is None:
        return 1
    part = case.parts[effect.part_id]
    return 1 if part.message_id is not None or status_carrier(case, part) is not None else 2


def waits_for_status(case: Case, effect: Effect) -> timedelta | None:
    """Say how long a first part must wait because its status message is being posted right now."""
    status = case.effect_of(EffectKind.STATUS)
    if effect.kind is not EffectKind.SHOW or status is None or status.lease_until is None:
        return None
    if effect.part_id is None or case.parts[effect.part_id].ordinal > 1:
        return None
    return max(status.lease_until - case.now, timedelta(0)) + timedelta(milliseconds=50)


def claim(case: Case, effect: Effect) -> None:
    """Give one thing to do in the chat to a deliverer."""
    action = _action(case, effect)
    attempt = case.open(effect, lease=TELEGRAM_LEASE)
    case.send(
        subjects.DELIVERY_REQUESTED,
        DeliveryRequested(
            id=f"deliver:{attempt.id}",
            at=case.now,
            attempt=attempt,
            job_id=case.job.id,
            bot=case.job.bot,
            token_ref=case.bot.token_ref,
            chat_id=case.job.chat_id,
            thread_id=case.job.thread_id,
            reply_to=case.job.reply_to,
            action=action,
        ),
    )


def _action(case: Case, effect: Effect) -> Action:
    match effect.kind:
        case EffectKind.STATUS:
            return PostStatus(text=texts.line(case.bot, case.job, "status"))
        case EffectKind.REWRITE:
            return Rewrite(message_id=known(effect.message_id), text=effect.text or "")
        case EffectKind.REMOVE:
            return Remove(message_id=known(effect.message_id))
        case _:
            return _show(case, case.parts[known(effect.part_id)])


def _show(case: Case, part: Part) -> Show:
    in_place = status_carrier(case, part) if part.message_id is None else None
    if in_place is not None:
        part = case.carry(part, in_place)
    content = Content(
        kind=part.kind, url=part.url, file_id=part.file_id, text=part.text, entities=part.entities
    )
    if part.message_id is not None:
        return Show(part_id=part.id, content=content, carrier=Existing(message_id=part.message_id))
    text = texts.carrier(case.bot, case.job, part.kind, notice=part.is_notice)
    return Show(part_id=part.id, content=content, carrier=Fresh(text=text, silent=part.ordinal > 1))


def known(value: T | None) -> T:
    if value is None:
        msg = "the schema promises a value here"
        raise TypeError(msg)
    return value
