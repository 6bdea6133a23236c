"""The results that any call may end with, whatever was asked."""

from contracts.deliveries import DeliveryResult, Migrated
from contracts.outcomes import Ambiguous, Later, NotSent
from deliverer.domain.answers import BotStopped, Moved, Unclear, Unsent, Wait
from deliverer.domain.wording import later_for_owner, line


def result_of(answer: Unsent | Unclear | Wait | Moved | BotStopped) -> DeliveryResult:
    """Say an answer in the words of the bus."""
    match answer:
        case Unsent(reason):
            return NotSent(reason=line(reason))
        case Unclear(reason):
            return Ambiguous(reason=line(reason))
        case Wait(reason, after):
            return Later(reason=line(reason), after=after, scope="chat")
        case Moved(chat_id):
            return Migrated(chat_id=chat_id)
        case BotStopped(reason):
            return later_for_owner(reason)
