"""Results that nobody can be shown yet: put into the bot's staging chat before their links die."""

from datetime import timedelta

from contracts.deliveries import (
    Content,
    DeliveryOutcome,
    Item,
    Migrated,
    RefusalCode,
    Shown,
    Stage,
)
from contracts.outcomes import Later, NotSent, Refused
from contracts.values import PartState
from job_store.domain.case import Case
from job_store.domain.delivery.parts import SETTLED, finish, release_next
from job_store.domain.rows import LIVE, Effect, EffectKind, EffectState, Part
from job_store.domain.rules import STAGE_AFTER, backoff
from job_store.domain.wide import revised

UNSEEN = frozenset({PartState.PENDING, PartState.CARRIED, PartState.PARKED})
CERTAINLY_UNSEEN = frozenset({PartState.PENDING, PartState.PARKED})


def keep_alive(case: Case) -> None:
    """Plan the staging of what waits: when it is old already, or waits for a user to come back."""
    if case.bot.staging_chat is None:
        return
    is_parked = any(part.state is PartState.PARKED for part in case.delivery)
    for part in case.delivery:
        wait = max(part.made_at + STAGE_AFTER - case.now, timedelta(0))
        if part.state not in UNSEEN or (wait and not is_parked):
            continue
        for item in _places(part):
            if not _is_planned(case, part, item):
                case.plan(EffectKind.STAGE, after=wait, part_id=part.id, item=item)


def _places(part: Part) -> list[int | None]:
    """Name the media of a part that have a link and nothing else: the one, or those of a collage."""
    if part.items:
        return [at for at, item in enumerate(part.items) if item.url and item.file_id is None]
    return [None] if part.url is not None and part.file_id is None else []


def _is_planned(case: Case, part: Part, item: int | None) -> bool:
    return any(
        e.kind is EffectKind.STAGE and e.part_id == part.id and e.item == item
        for e in case.effects.values()
    )


def stage(case: Case, effect: Effect) -> Stage | None:
    """Say what is to be put where; None when there is no need any more."""
    part = case.parts.get(effect.part_id) if effect.part_id else None
    chat = case.bot.staging_chat
    if part is None or chat is None or part.state in SETTLED or effect.item not in _places(part):
        case.settle(effect, EffectState.CANCELLED)
        return None
    item = part.items[effect.item] if effect.item is not None else _itself(part)
    content = Content(kind=item.kind, url=item.url, name=part.name)
    return Stage(part_id=part.id, chat_id=chat, content=content)


def _itself(part: Part) -> Item:
    return Item(kind=part.kind, url=part.url)


def on_stage(case: Case, effect: Effect, outcome: DeliveryOutcome) -> bool:
    """Keep the file_id, whoever brings it. Staging twice harms nobody, so silence means again."""
    if isinstance(outcome.result, Shown):
        _keep(case, effect, outcome.result.file_id)
        return True
    if effect.open_attempt != outcome.attempt_id:
        return False
    match outcome.result:
        case NotSent() | Later() as put_off:
            case.put_off(effect, put_off)
        case Refused(code=code):
            case.settle(effect, EffectState.REFUSED)
            if code == RefusalCode.MEDIA_GONE:
                _lose(case, effect)
        case Migrated():
            case.settle(effect, EffectState.REFUSED)  # the bot's row names a chat that is no more
        case _:
            on_stage_silence(case, effect)
    return True


def on_stage_silence(case: Case, effect: Effect) -> None:
    case.again(effect, after=backoff(effect.failures), failures=effect.failures + 1)


def _keep(case: Case, effect: Effect, file_id: str | None) -> None:
    if effect.state in LIVE | {EffectState.REFUSED}:
        case.settle(effect, EffectState.DONE)
    part = case.parts.get(effect.part_id) if effect.part_id else None
    if part is None or file_id is None or effect.item not in _places(part):
        return
    if effect.item is None:
        case.put_part(revised(part, file_id=file_id))
        return
    items = list(part.items)
    items[effect.item] = items[effect.item].model_copy(update={"file_id": file_id})
    case.put_part(revised(part, items=tuple(items)))


def _lose(case: Case, effect: Effect) -> None:
    """The link is dead before anybody saw it: nothing will bring the result back."""
    part = case.parts.get(effect.part_id) if effect.part_id else None
    if part is None or effect.item is not None or part.state not in CERTAINLY_UNSEEN:
        return
    placing = case.placing_of(part)
    if part.edit_maybe_applied or (placing is not None and placing.state is EffectState.ACTING):
        return  # whoever is at it will say so himself
    case.put_part(revised(part, state=PartState.REFUSED, refusal=RefusalCode.MEDIA_GONE))
    if placing is not None and all(p.state in SETTLED for p in case.group(part)):
        case.settle(placing, EffectState.REFUSED)
    release_next(case)
    finish(case)
