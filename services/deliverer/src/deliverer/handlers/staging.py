"""A medium put aside in the bot's own staging chat, for the file_id that outlives its link."""

from dataclasses import replace
from typing import Final

from contracts.deliveries import (
    DeliveryRequested,
    DeliveryResult,
    Migrated,
    RefusalCode,
    SendPart,
    Sent,
    Shown,
    Stage,
)
from contracts.outcomes import Ambiguous, Later, Refused
from deliverer.domain import sends
from deliverer.domain.leases import Lease
from deliverer.domain.posts import Place
from deliverer.domain.rendering import stageable
from deliverer.domain.wording import OWNER_PAUSE
from deliverer.handlers.calling import Calling
from deliverer.handlers.sending import Ready, Sending, Terms

# Long enough for the largest upload; a second copy there harms nobody, so no lease is kept for it.
CALL_SECONDS: Final = 300.0
TERMS: Final = Terms(silent=True, call_seconds=CALL_SECONDS, reserve=0.0)
NOTHING_TO_STAGE: Final = Refused(
    code=RefusalCode.PAYLOAD, reason="one medium with a link or a file_id can be staged"
)


class Staging:
    """Sends what nobody sees."""

    def __init__(self, sending: Sending, calling: Calling) -> None:
        self._sending = sending
        self._calling = calling

    async def stage(self, request: DeliveryRequested, stage: Stage, lease: Lease) -> DeliveryResult:
        """Answer the message and the file_id Telegram keeps the medium under."""
        content = stageable(stage.content)
        if content is None:
            return NOTHING_TO_STAGE
        first = sends.begin(
            Place(chat_id=stage.chat_id),
            (SendPart(part_id=stage.part_id, content=content),),
            attempt_no=request.attempt.no,
            media_only=True,
        )
        ready = await self._sending.made_ready(first, within=self._calling.left(lease))
        if not isinstance(ready, Ready):
            return _told(ready)
        result = await self._sending.carry_out(request, ready, lease, TERMS)
        if isinstance(result, Migrated):
            # The staging chat moved, not the user's: its new number serves as well.
            moved = replace(ready.state.place, chat_id=result.chat_id)
            ready = replace(ready, state=replace(ready.state, place=moved))
            result = await self._sending.carry_out(request, ready, lease, TERMS)
        return _told(result)


def _told(result: DeliveryResult) -> DeliveryResult:
    """Say what came of it so that nobody takes the staging chat for the user's."""
    match result:
        case Sent(parts=(one,)) if one.file_id is not None:
            return Shown(message_id=one.message_id, file_id=one.file_id)
        case Sent():
            return Ambiguous(reason="staged, but the answer carried no file_id")
        case Later(scope="chat"):
            return result.model_copy(update={"scope": "effect"})
        case Migrated():
            reason = f"the staging chat is now {result.chat_id}"
            return Later(reason=reason, after=OWNER_PAUSE, scope="effect", needs_owner=True)
        case _:
            return result
