"""The parts of a result: made once, released one after the other, and the end of them all."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid5

from contracts.deliveries import RefusalCode
from contracts.reports import ReportedMedia
from contracts.values import Cause, FailureClass, JobState, MediaKind, PartState
from job_store.domain import money, texts
from job_store.domain.case import Case
from job_store.domain.delivery.layout import Draft, lay_out
from job_store.domain.delivery.status import end_status, point_from_status
from job_store.domain.rows import LIVE, EffectKind, EffectState, Mode, Part
from job_store.domain.wide import revised

SETTLED: Final = frozenset({PartState.SHOWN, PartState.REFUSED})
# What the next part waits for. Edited: its predecessor's message is known, or it will have none.
# Sent: nobody is at work on its predecessor any more.
PASSED: Final[dict[Mode, frozenset[PartState]]] = {
    "edit": SETTLED | {PartState.CARRIED, PartState.UNCERTAIN},
    "send": SETTLED | {PartState.UNCERTAIN, PartState.PARKED},
}
USERS_FAULT: Final = frozenset({RefusalCode.CHAT_GONE, RefusalCode.NO_RIGHTS})


def make_parts(case: Case, media: Sequence[ReportedMedia]) -> None:
    """Make the parts of a result, once, in the transaction that makes ``succeeded``."""
    supersede_notice(case)
    case.change(delivery_no=case.job.delivery_no + 1)
    for ordinal, draft in enumerate(lay_out(case.bot, case.job, media), start=1):
        _make(case, draft, ordinal=ordinal)
    end_status(case)
    release_next(case)


def copy_parts(case: Case, parts: Sequence[Part]) -> None:
    """Make the parts of a new job after those of another; Telegram's own files outlive the links."""
    case.change(delivery_no=1)
    for part in parts:
        case.put_part(
            replace(
                part,
                id=part_id(case.job.id, delivery_no=1, ordinal=part.ordinal),
                job_id=case.job.id,
                delivery_no=1,
                made_at=case.now,
                state=PartState.PENDING,
                carrier_no=1,
                carrier_posts=0,
                message_id=None,
                edit_maybe_applied=False,
                showings=0,
                refusal=None,
                shown_at=None,
            )
        )
    release_next(case)


def part_id(job_id: UUID, *, delivery_no: int, ordinal: int) -> UUID:
    """Name a part the same whenever it is made: evidence finds it in a restored database too."""
    return uuid5(job_id, f"part {delivery_no}.{ordinal}")


def _make(case: Case, draft: Draft, *, ordinal: int) -> Part:
    return case.put_part(
        Part(
            id=part_id(case.job.id, delivery_no=case.job.delivery_no, ordinal=ordinal),
            job_id=case.job.id,
            delivery_no=case.job.delivery_no,
            ordinal=ordinal,
            kind=draft.kind,
            url=draft.url,
            text=draft.text,
            entities=draft.entities,
            body=draft.body,
            name=draft.name,
            items=draft.items,
            buttons=draft.buttons,
            album=draft.album,
            made_at=case.now,
        )
    )


def supersede_notice(case: Case) -> None:
    """A result came after all: do not say any more that it failed, if nobody has begun to."""
    for part in list(case.parts.values()):
        effect = case.placing_of(part)
        if (
            part.is_notice
            and effect is not None
            and effect.state in (EffectState.PENDING, EffectState.PARKED)
        ):
            case.put_part(revised(part, state=PartState.REFUSED, refusal="superseded"))
            case.settle(effect, EffectState.CANCELLED)


def notify_failure(case: Case, failure: FailureClass) -> None:
    """Tell the user, by the same edit protocol that shows results."""
    say(case, texts.failure(case.bot, case.job, failure))


def say(case: Case, text: str) -> None:
    if not case.job.deliver:
        return
    case.change(delivery_no=max(case.job.delivery_no, 1))
    if any(
        part.is_notice and part.delivery_no == case.job.delivery_no for part in case.parts.values()
    ):
        return
    part = _make(case, Draft(kind=MediaKind.TEXT, text=text), ordinal=0)
    end_status(case)
    case.plan(EffectKind.SHOW, part_id=part.id)


def release_next(case: Case) -> None:
    """Plan the first part that has no effect yet, once its predecessor is out of its way."""
    if not case.job.deliver:
        return
    kind = EffectKind.SEND if case.job.mode == "send" else EffectKind.SHOW
    for part in case.delivery:
        if case.placing_of(part) is None:
            case.plan(kind, part_id=part.id)
            return
        if part.state not in PASSED[case.job.mode]:
            return


def stand(
    case: Case, part: Part, *, message_id: int, file_id: str | None, chat_id: int | None = None
) -> None:
    """A part stands in a message, whoever says so; in a second one it is counted."""
    if part.state is PartState.SHOWN:
        if part.message_id != message_id:
            case.put_part(revised(part, showings=part.showings + 1))
        return
    _leave_standing(case, message_id)
    if part.message_id is None:
        part = case.carry(part, message_id, chat_id=chat_id)
    _show(case, part, message_id=message_id, file_id=file_id or part.file_id)


def vouch(case: Case, part: Part, *, message_id: int | None) -> None:
    """A person says that a part stands in its chat; in which message, they may not know."""
    if message_id is not None:
        stand(case, part, message_id=message_id, file_id=None)
    else:
        _show(case, part, message_id=part.message_id, file_id=part.file_id)


def _show(case: Case, part: Part, *, message_id: int | None, file_id: str | None) -> None:
    case.put_part(
        revised(
            part,
            state=PartState.SHOWN,
            message_id=message_id,
            file_id=file_id,
            showings=1,
            refusal=None,
            shown_at=case.now,
        )
    )
    _stop_staging(case, part)
    release_next(case)
    point_from_status(case)
    finish(case)


def _leave_standing(case: Case, message_id: int) -> None:
    """What was taken for a spare carrier shows the result: nobody deletes it any more."""
    for effect in list(case.effects.values()):
        is_of_it = effect.kind is EffectKind.REMOVE and effect.message_id == message_id
        if is_of_it and effect.state in LIVE:
            case.settle(effect, EffectState.CANCELLED)


def _stop_staging(case: Case, part: Part) -> None:
    for effect in list(case.effects.values()):
        is_of_it = effect.kind is EffectKind.STAGE and effect.part_id == part.id
        if is_of_it and effect.state is EffectState.PENDING:
            case.settle(effect, EffectState.CANCELLED)


def returned(case: Case) -> int:
    """The user is back: what was parked is due again. Returns how many parts."""
    parked = [part for part in case.parts.values() if part.state is PartState.PARKED]
    for part in sorted(parked, key=lambda part: part.ordinal):
        state = PartState.PENDING if part.message_id is None else PartState.CARRIED
        case.put_part(revised(part, state=state))
        effect = case.placing_of(part)
        if effect is not None:
            case.again(effect)
    return len(parked)


def finish(case: Case) -> None:
    """End the job when every part of its delivery has ended."""
    parts = case.delivery
    if (
        case.job.state is not JobState.SUCCEEDED
        or not parts
        or any(p.state not in SETTLED for p in parts)
    ):
        return
    if any(part.state is PartState.SHOWN for part in parts):
        case.move(JobState.DELIVERED, cause=Cause.PROVIDER)
        return
    codes = {part.refusal for part in parts}
    is_users = codes <= USERS_FAULT
    case.change(error=", ".join(sorted(str(code) for code in codes)))
    case.move(JobState.UNDELIVERABLE, cause=Cause.USER if is_users else Cause.OURS)
    if not is_users:
        money.refund(case)
        say(case, texts.line(case.bot, case.job, "undeliverable") + texts.money(case.bot, case.job))
