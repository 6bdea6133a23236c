"""The parts of a result: made once, released one after the other, and the end of them all."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from contracts.deliveries import (
    RefusalCode,
)
from contracts.reports import ReportedMedia
from contracts.values import Cause, FailureClass, JobState, MediaKind, PartState, new_id
from job_store.domain import money, texts
from job_store.domain.case import Case
from job_store.domain.delivery.status import hold_back
from job_store.domain.rows import EffectKind, EffectState, Part
from job_store.domain.rules import (
    TEXT_LIMIT,
)

SETTLED = frozenset({PartState.SHOWN, PartState.REFUSED})
# What the next part waits for: its predecessor's message is known, or it will have none.
PASSED = SETTLED | {PartState.CARRIED, PartState.UNCERTAIN}
USERS_FAULT = frozenset({RefusalCode.CHAT_GONE, RefusalCode.NO_RIGHTS})


def make_parts(case: Case, media: Sequence[ReportedMedia]) -> None:
    """Make the parts of a result, once, in the transaction that makes ``succeeded``."""
    _supersede_notice(case)
    case.change(delivery_no=case.job.delivery_no + 1)
    ordinal = 0
    for medium in media:
        for kind, url, text in _pieces(medium):
            ordinal += 1
            is_first = ordinal == 1
            case.put_part(
                Part(
                    id=new_id(),
                    job_id=case.job.id,
                    delivery_no=case.job.delivery_no,
                    ordinal=ordinal,
                    kind=kind,
                    url=url,
                    text=case.job.caption if is_first and kind is not MediaKind.TEXT else text,
                    entities=case.job.caption_entities
                    if is_first and kind is not MediaKind.TEXT
                    else (),
                    state=PartState.PENDING,
                )
            )
    hold_back(case)
    release_next(case)


def _supersede_notice(case: Case) -> None:
    """A result came after all: do not say any more that it failed, if nobody has begun to."""
    for part in list(case.parts.values()):
        effect = case.show_of(part)
        if (
            part.is_notice
            and effect is not None
            and effect.state in (EffectState.PENDING, EffectState.PARKED)
        ):
            case.put_part(replace(part, state=PartState.REFUSED, refusal="superseded"))
            case.settle(effect, EffectState.CANCELLED)


def showable(media: Sequence[ReportedMedia]) -> bool:
    """Tell whether there is anything to show: a result of blank text alone would never end its job."""
    return any(_pieces(medium) for medium in media)


def _pieces(medium: ReportedMedia) -> list[tuple[MediaKind, str | None, str]]:
    if medium.kind is not MediaKind.TEXT:
        return [(medium.kind, medium.url, "")] if medium.url else []
    return [(MediaKind.TEXT, None, piece) for piece in _messages(medium.text or medium.url or "")]


def _messages(text: str) -> list[str]:
    """Cut a text into messages by UTF-16 units, Telegram's measure; a blank one cannot be shown."""
    cuts, units = [0], 0
    for place, char in enumerate(text):
        width = 2 if char > "\uffff" else 1
        if units + width > TEXT_LIMIT:
            cuts.append(place)
            units = 0
        units += width
    pieces = [text[start:end] for start, end in pairwise([*cuts, len(text)])]
    return [piece for piece in pieces if piece.strip()]


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
    part = case.put_part(
        Part(
            id=new_id(),
            job_id=case.job.id,
            delivery_no=case.job.delivery_no,
            ordinal=0,
            kind=MediaKind.TEXT,
            url=None,
            text=text,
            entities=(),
        )
    )
    hold_back(case)
    case.plan(EffectKind.SHOW, part_id=part.id)


def release_next(case: Case) -> None:
    """Plan the first part that has no effect yet, once its predecessor's message is known."""
    if not case.job.deliver:
        return
    for part in case.delivery:
        if case.show_of(part) is None:
            case.plan(EffectKind.SHOW, part_id=part.id)
            return
        if part.state not in PASSED:
            return


def returned(case: Case) -> int:
    """The user is back: what was parked is due again. Returns how many parts."""
    parked = [part for part in case.parts.values() if part.state is PartState.PARKED]
    for part in parked:
        state = PartState.PENDING if part.message_id is None else PartState.CARRIED
        case.put_part(replace(part, state=state))
        effect = case.show_of(part)
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
