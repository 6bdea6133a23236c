"""How a result comes to stand in at most one message of its chat."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from contracts import subjects
from contracts.deliveries import (
    Action,
    Content,
    DeliveryOutcome,
    DeliveryRequested,
    Existing,
    Fresh,
    Migrated,
    PostStatus,
    RefusalCode,
    Remove,
    Rewrite,
    Show,
    Shown,
)
from contracts.message import Attempt
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.reports import ReportedMedia
from contracts.values import Cause, FailureClass, JobState, MediaKind, PartState, new_id
from job_store.domain import money, texts
from job_store.domain.case import Case
from job_store.domain.rows import LIVE, OPEN, Effect, EffectKind, EffectState, Part
from job_store.domain.rules import (
    MAX_CARRIER_POSTS,
    MAX_CARRIERS,
    STATUS_IS_FRESH,
    TELEGRAM_LEASE,
    TEXT_LIMIT,
    backoff,
)

T = TypeVar("T")

SETTLED = frozenset({PartState.SHOWN, PartState.REFUSED})
# What the next part waits for: its predecessor's message is known, or it will have none.
PASSED = SETTLED | {PartState.CARRIED, PartState.UNCERTAIN}
LOST_CARRIER = frozenset({RefusalCode.CARRIER_GONE, RefusalCode.CARRIER_UNEDITABLE})
USERS_FAULT = frozenset({RefusalCode.CHAT_GONE, RefusalCode.NO_RIGHTS})


# -- parts ---------------------------------------------------------------------------------------------


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
    _hold_back_status(case)
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
    _notice(case, texts.failure(case.bot, case.job, failure))


def _notice(case: Case, text: str) -> None:
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
    _hold_back_status(case)
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


# -- the status message --------------------------------------------------------------------------------


def _hold_back_status(case: Case) -> None:
    """A status line that nobody posts any more; one being posted is waited for in ``claim``."""
    effect = case.effect_of(EffectKind.STATUS)
    if effect is not None and effect.state is EffectState.PENDING:
        case.settle(effect, EffectState.CANCELLED)


def drop_status(case: Case) -> None:
    """The job ended without a word to say: take its status line away."""
    _hold_back_status(case)
    if case.job.status_message_id is not None and case.job.deliver:
        case.plan(EffectKind.REMOVE, message_id=case.job.status_message_id)
        case.change(status_message_id=None)


def _status_carrier(case: Case, part: Part) -> int | None:
    """Return the status message when this part may be edited into it."""
    message_id = case.job.status_message_id
    if message_id is None or part.ordinal > 1 or part.carrier_no > 1 or case.job.status_at is None:
        return None
    if any(other.message_id == message_id for other in case.parts.values()):
        return None
    if _rewrite_of(case, message_id) is not None:
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


def _rewrite_of(case: Case, message_id: int) -> Effect | None:
    return next(
        (
            e
            for e in case.effects.values()
            if e.kind is EffectKind.REWRITE and e.message_id == message_id
        ),
        None,
    )


def _point_from_status(case: Case) -> None:
    """The result stands elsewhere: turn the old status into one line that says so."""
    message_id = case.job.status_message_id
    if message_id is None or _rewrite_of(case, message_id) is not None:
        return
    shown = [part for part in case.parts.values() if part.state is PartState.SHOWN]
    if not shown or any(part.message_id == message_id for part in case.parts.values()):
        return
    name = "pointer" if any(not part.is_notice for part in shown) else "carrier.notice"
    case.plan(EffectKind.REWRITE, message_id=message_id, text=texts.line(case.bot, case.job, name))


# -- claims --------------------------------------------------------------------------------------------


def units(case: Case, effect: Effect) -> int:
    """Count the Telegram calls an effect takes from the chat's limit; edits count (telegram.md section 5)."""
    if effect.kind is not EffectKind.SHOW or effect.part_id is None:
        return 1
    part = case.parts[effect.part_id]
    return 1 if part.message_id is not None or _status_carrier(case, part) is not None else 2


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
    opened = case.open(effect, lease=TELEGRAM_LEASE)
    case.send(
        subjects.DELIVERY_REQUESTED,
        DeliveryRequested(
            id=f"deliver:{opened.id}",
            at=case.now,
            attempt=Attempt(
                id=opened.id,
                no=opened.no,
                lease=TELEGRAM_LEASE.total_seconds(),
                not_after=case.now + TELEGRAM_LEASE,
            ),
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
            return Rewrite(message_id=_known(effect.message_id), text=effect.text or "")
        case EffectKind.REMOVE:
            return Remove(message_id=_known(effect.message_id))
        case _:
            return _show(case, case.parts[_known(effect.part_id)])


def _show(case: Case, part: Part) -> Show:
    in_place = _status_carrier(case, part) if part.message_id is None else None
    if in_place is not None:
        part = case.carry(part, in_place)
    content = Content(
        kind=part.kind, url=part.url, file_id=part.file_id, text=part.text, entities=part.entities
    )
    if part.message_id is not None:
        return Show(part_id=part.id, content=content, carrier=Existing(message_id=part.message_id))
    text = texts.carrier(case.bot, case.job, part.kind, notice=part.is_notice)
    return Show(part_id=part.id, content=content, carrier=Fresh(text=text, silent=part.ordinal > 1))


def _known(value: T | None) -> T:
    if value is None:
        msg = "the schema promises a value here"
        raise TypeError(msg)
    return value


# -- answers -------------------------------------------------------------------------------------------


def carried(case: Case, effect: Effect, *, attempt_id: UUID, message_id: int) -> int | str:
    """A carrier is posted: return the message to edit, or why to stop.

    Idempotent. A part whose carrier is known already keeps it; the new one is a stray.
    """
    part = case.parts[_known(effect.part_id)]
    if part.message_id == message_id:
        is_open = effect.open_attempt == attempt_id
    elif (
        part.message_id is None
        and effect.open_attempt == attempt_id
        and part.state is PartState.PENDING
    ):
        part = case.carry(part, message_id)
        release_next(case)
        is_open = True
    else:
        _stray(case, message_id)
        is_open = effect.open_attempt == attempt_id
    if not is_open or part.message_id is None:
        return "attempt_over"
    if part.state in SETTLED:
        return f"part_{part.state}"
    case.put(replace(case.effects[effect.id], lease_until=case.now + TELEGRAM_LEASE))
    return part.message_id


def _stray(case: Case, message_id: int, *, chat_id: int | None = None) -> None:
    """A spare carrier whose id is learned: take it away, unless it is a message we know."""
    if chat_id not in (None, case.job.chat_id):
        return  # it stays behind in the group's old chat
    known = {part.message_id for part in case.parts.values()} | {case.job.status_message_id}
    planned = {e.message_id for e in case.effects.values() if e.kind is EffectKind.REMOVE}
    if message_id not in known | planned:
        case.plan(EffectKind.REMOVE, message_id=message_id)


def on_outcome(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    """Apply what came of a Telegram call; False when a stale token moved nothing."""
    for stray in outcome.stray_ids:
        _stray(case, stray, chat_id=outcome.chat_id)
    match effect.kind:
        case EffectKind.SHOW:
            return _on_show(case, effect, outcome)
        case EffectKind.STATUS:
            return _on_status(case, effect, outcome)
        case _:
            return _on_tidying(case, effect, outcome)


def _on_show(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    part = case.parts[_known(effect.part_id)]
    is_current = effect.open_attempt == outcome.attempt_id
    if isinstance(outcome.result, Shown):
        _shown(case, effect, part, outcome.result)
        return True
    part = _keep_carrier(case, part, outcome, is_current=is_current)
    if not is_current:
        return False
    if outcome.edit_maybe_applied:
        part = case.put_part(replace(part, edit_maybe_applied=True))
    match outcome.result:
        case NotSent() | Later() as put_off:
            case.put_off(effect, put_off)
        case Ambiguous():
            _ambiguous(case, effect, part)
        case Migrated(chat_id=chat_id):
            _migrate(case, chat_id)
            case.again(effect)
        case Refused(code=code):
            _refused(case, effect, part, RefusalCode(code))
    release_next(case)
    _finish(case)
    return True


def _shown(case: Case, effect: Effect, part: Part, shown: Shown) -> None:
    """Evidence counts whoever brings it: the part stands there."""
    if effect.state in LIVE | {EffectState.UNCERTAIN, EffectState.PARKED}:
        case.settle(effect, EffectState.DONE)
    if part.state is PartState.SHOWN:
        if part.message_id != shown.message_id:
            case.put_part(replace(part, showings=part.showings + 1))
        return
    _leave_standing(case, shown.message_id)
    if part.message_id is None:
        part = case.carry(part, shown.message_id)
    case.put_part(
        replace(
            part,
            state=PartState.SHOWN,
            message_id=shown.message_id,
            file_id=shown.file_id or part.file_id,
            showings=1,
            refusal=None,
            shown_at=case.now,
        )
    )
    release_next(case)
    _point_from_status(case)
    _finish(case)


def _leave_standing(case: Case, message_id: int) -> None:
    """What was taken for a spare carrier shows the result: nobody deletes it any more."""
    for effect in list(case.effects.values()):
        if (
            effect.kind is EffectKind.REMOVE
            and effect.message_id == message_id
            and effect.state in LIVE
        ):
            case.settle(effect, EffectState.CANCELLED)


def _keep_carrier(case: Case, part: Part, outcome: DeliveryOutcome, *, is_current: bool) -> Part:
    """A carrier reported with the outcome: the part's own if it has none yet, a stray otherwise."""
    message_id = outcome.carrier_id
    if message_id is None or message_id == part.message_id:
        return part
    if is_current and part.message_id is None and part.state is PartState.PENDING:
        return case.carry(part, message_id)
    _stray(case, message_id, chat_id=outcome.chat_id)
    return part


def _ambiguous(case: Case, effect: Effect, part: Part) -> None:
    """An edit is simply due again; a carrier is posted again, a few times; then a person must look."""
    if part.message_id is not None:
        case.put_part(replace(part, edit_maybe_applied=True))
        case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
        return
    posts = part.carrier_posts + 1
    if posts < MAX_CARRIER_POSTS:
        case.put_part(replace(part, carrier_posts=posts))
        case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
        return
    case.put_part(replace(part, carrier_posts=posts, state=PartState.UNCERTAIN))
    case.settle(effect, EffectState.UNCERTAIN)


def _refused(case: Case, effect: Effect, part: Part, code: RefusalCode) -> None:
    if code in LOST_CARRIER:
        _lose_carrier(case, effect, part)
    elif code is RefusalCode.BLOCKED:
        case.put_part(replace(part, state=PartState.PARKED))
        case.settle(effect, EffectState.PARKED)
    else:
        case.put_part(replace(part, state=PartState.REFUSED, refusal=code))
        case.settle(effect, EffectState.REFUSED)


def _lose_carrier(case: Case, effect: Effect, part: Part) -> None:
    """A fresh carrier only when every earlier edit was certainly not applied (DESIGN section 6)."""
    if part.message_id == case.job.status_message_id:
        case.change(status_message_id=None, status_at=None)
    if part.edit_maybe_applied or part.carrier_no >= MAX_CARRIERS:
        case.put_part(replace(part, state=PartState.UNCERTAIN))
        case.settle(effect, EffectState.UNCERTAIN)
        return
    case.put_part(_without_carrier(part))
    case.again(effect)


def _without_carrier(part: Part) -> Part:
    return replace(
        part,
        state=PartState.PENDING,
        message_id=None,
        carrier_no=part.carrier_no + 1,
        edit_maybe_applied=False,
    )


def _migrate(case: Case, chat_id: int) -> None:
    """The group has a new id and none of its messages can be edited any more.

    Message ids start anew there: a tidying of the old chat would hit somebody else's message.
    """
    case.change(
        chat_id=chat_id, status_message_id=None, status_at=None, thread_id=None, reply_to=None
    )
    for part in list(case.parts.values()):
        if part.state is PartState.CARRIED:
            case.put_part(_without_carrier(part))
        elif part.state is PartState.PARKED and part.message_id is not None:
            case.put_part(replace(_without_carrier(part), state=PartState.PARKED))
    case.call_off(EffectKind.REWRITE)
    case.call_off(EffectKind.REMOVE)


def _on_status(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    is_current = effect.open_attempt == outcome.attempt_id
    match outcome.result:
        case Shown(message_id=message_id):
            if effect.state in LIVE | {EffectState.UNCERTAIN}:
                case.settle(effect, EffectState.DONE)
            _keep_status(case, message_id)
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
            _migrate(case, chat_id)
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


def _keep_status(case: Case, message_id: int) -> None:
    if case.job.status_message_id is not None or case.job.state is JobState.CANCELLED:
        _stray(case, message_id)
    else:
        case.change(status_message_id=message_id, status_at=case.now)
        _point_from_status(case)


def _wake_first(case: Case) -> None:
    """What waited for the status message waits no more."""
    for effect in list(case.effects.values()):
        if (
            effect.kind is EffectKind.SHOW
            and effect.state is EffectState.PENDING
            and effect.attempts == 0
        ):
            case.put(replace(effect, due_at=min(effect.due_at, case.now)))


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


def on_lease_end(case: Case, effect: Effect) -> None:
    """Nobody answered: for an edit simply due again, for a post without an id one more spare carrier."""
    match effect.kind:
        case EffectKind.SHOW:
            _ambiguous(case, effect, case.parts[_known(effect.part_id)])
            release_next(case)
        case EffectKind.STATUS:
            case.settle(effect, EffectState.UNCERTAIN)
            _wake_first(case)
        case _:
            case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)


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


def _finish(case: Case) -> None:
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
        _notice(
            case, texts.line(case.bot, case.job, "undeliverable") + texts.money(case.bot, case.job)
        )
