"""What came of a send: at most once, so silence is never answered by another try."""

from typing import Final
from uuid import UUID

from contracts.deliveries import DeliveryOutcome, Migrated, RefusalCode, Sent
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.values import PartState
from job_store.domain.case import Case
from job_store.domain.delivery.claims import known, to_send
from job_store.domain.delivery.moving import migrate
from job_store.domain.delivery.parts import SETTLED, finish, release_next, stand
from job_store.domain.delivery.staging import keep_alive
from job_store.domain.rows import LIVE, Effect, EffectKind, EffectState
from job_store.domain.rules import backoff
from job_store.domain.wide import revised

# Certainly nothing of the album was sent, and one of its media may be the reason.
APART: Final = frozenset({RefusalCode.MEDIA_UNUSABLE, RefusalCode.MEDIA_GONE, RefusalCode.PAYLOAD})


def on_send(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    """Apply what came of a send; False when it came from somebody who cannot know.

    Messages that stand there count whoever brings them. What did not happen only the holder can
    say: a redelivery knows nothing of the call he may be making.
    """
    if isinstance(outcome.result, Sent):
        _sent(case, effect, outcome, outcome.result)
        return True
    is_current = effect.open_attempt == outcome.attempt_id
    if not is_current or effect.holder not in (None, outcome.holder):
        return False
    match outcome.result:
        case NotSent() | Later() as put_off:
            case.put_off(effect, put_off)
        case Ambiguous():
            _uncertain(case, effect)
        case Migrated(chat_id=chat_id):
            migrate(case, chat_id)
            case.again(effect)
        case Refused(code=code):
            _refused(case, effect, RefusalCode(code))
        case _:
            return False
    keep_alive(case)
    release_next(case)
    finish(case)
    return True


def on_send_silence(case: Case, effect: Effect) -> None:
    """The lease is over: due again when nobody had begun, otherwise nobody knows."""
    if effect.holder is None:
        case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)
    else:
        _uncertain(case, effect)
    keep_alive(case)
    release_next(case)


def _sent(case: Case, effect: Effect, outcome: DeliveryOutcome, sent: Sent) -> None:
    # First the effects: what stands releases what comes next.
    named = {one.part_id for one in sent.parts}
    for known_part in [part for part in case.parts.values() if part.id in named]:
        _settle_when_all_stand(case, case.placing_of(known_part), named)
    for one in sent.parts:
        part = case.parts.get(one.part_id)
        if part is not None:
            stand(
                case,
                part,
                message_id=one.message_id,
                file_id=one.file_id,
                chat_id=outcome.chat_id,
            )
    if case.effects[effect.id].open_attempt == outcome.attempt_id:
        _uncertain(case, case.effects[effect.id])  # it says nothing of some of its parts
        release_next(case)


def _settle_when_all_stand(case: Case, effect: Effect | None, named: set[UUID]) -> None:
    if effect is None or effect.kind is not EffectKind.SEND:
        return
    group = case.group(case.parts[known(effect.part_id)])
    stand_all = all(part.id in named or part.state in SETTLED for part in group)
    if stand_all and effect.state in LIVE | {EffectState.UNCERTAIN, EffectState.PARKED}:
        case.settle(effect, EffectState.DONE)


def _uncertain(case: Case, effect: Effect) -> None:
    for part in to_send(case, effect):
        case.put_part(revised(part, state=PartState.UNCERTAIN))
    case.settle(effect, EffectState.UNCERTAIN)


def _refused(case: Case, effect: Effect, code: RefusalCode) -> None:
    parts = to_send(case, effect)
    if code is RefusalCode.BLOCKED:
        for part in parts:
            case.put_part(revised(part, state=PartState.PARKED))
        case.settle(effect, EffectState.PARKED)
    elif len(parts) > 1 and code in APART:
        _take_apart(case, effect)
    else:
        for part in parts:
            case.put_part(revised(part, state=PartState.REFUSED, refusal=code))
        case.settle(effect, EffectState.REFUSED)


def _take_apart(case: Case, effect: Effect) -> None:
    """Each part of the album alone from here on, in order; the first keeps the effect."""
    lead = case.parts[known(effect.part_id)]
    for part in case.group(lead):
        case.put_part(revised(part, album=None))
    if lead.state in SETTLED:
        case.settle(effect, EffectState.DONE)
    else:
        case.again(effect)
