"""A group that became a supergroup: another chat, and none of its messages can be touched any more."""

from contracts.values import PartState
from job_store.domain.case import Case
from job_store.domain.rows import EffectKind, Part
from job_store.domain.wide import revised


def migrate(case: Case, chat_id: int) -> None:
    """Go on in the new chat.

    Message ids start anew there: a tidying of the old chat would hit somebody else's message.
    """
    case.change(
        chat_id=chat_id,
        status_message_id=None,
        status_at=None,
        status_unclear_until=None,
        thread_id=None,
        reply_to=None,
    )
    for part in list(case.parts.values()):
        if part.state is PartState.CARRIED:
            case.put_part(without_carrier(part))
        elif part.state is PartState.PARKED and part.message_id is not None:
            case.put_part(revised(without_carrier(part), state=PartState.PARKED))
    for kind in (EffectKind.PROGRESS, EffectKind.REWRITE, EffectKind.REMOVE):
        case.call_off(kind)


def without_carrier(part: Part) -> Part:
    return revised(
        part,
        state=PartState.PENDING,
        message_id=None,
        carrier_no=part.carrier_no + 1,
        edit_maybe_applied=False,
    )
