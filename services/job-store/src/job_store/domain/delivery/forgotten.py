"""Evidence of attempts that a restored database has forgotten: what stands in the chat is not shown again."""

from uuid import UUID

from contracts.deliveries import DeliveryOutcome, Sent, Shown
from contracts.values import PartState
from job_store.domain.case import Case
from job_store.domain.delivery import showing
from job_store.domain.delivery.parts import release_next, stand
from job_store.domain.rows import LIVE, EffectState, Part


def on_forgotten(case: Case, outcome: DeliveryOutcome) -> bool:
    """Apply what such an outcome proves; False when it proves nothing of this job's parts."""
    for stray in outcome.stray_ids:
        showing.stray(case, stray, chat_id=outcome.chat_id)
    match outcome.result:
        case Sent(parts=sent):
            stood = [
                _stands(case, one.part_id, one.message_id, one.file_id, outcome) for one in sent
            ]
            return any(stood)
        case Shown(message_id=message_id, file_id=file_id):
            return _stands(case, outcome.part_id, message_id, file_id, outcome)
        case _:
            return _carry(case, outcome)


def _stands(
    case: Case,
    part_id: UUID | None,
    message_id: int,
    file_id: str | None,
    outcome: DeliveryOutcome,
) -> bool:
    part = _part_here(case, part_id, outcome)
    if part is None:
        return False
    effect = case.placing_of(part)
    if effect is not None and effect.state in LIVE | {EffectState.UNCERTAIN, EffectState.PARKED}:
        case.settle(effect, EffectState.DONE)
    stand(case, part, message_id=message_id, file_id=file_id)
    return True


def _carry(case: Case, outcome: DeliveryOutcome) -> bool:
    """A carrier that may show its part already: it is edited again, and no second one is posted."""
    part = _part_here(case, outcome.part_id, outcome)
    if part is None or outcome.carrier_id is None or part.state is not PartState.PENDING:
        return False
    case.carry(part, outcome.carrier_id)
    release_next(case)
    return True


def _part_here(case: Case, part_id: UUID | None, outcome: DeliveryOutcome) -> Part | None:
    """Return the part, unless it was in another chat: staged, or before the group moved."""
    if part_id is None or outcome.chat_id != case.job.chat_id:
        return None
    return case.parts.get(part_id)
