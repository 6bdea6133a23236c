"""A new line in a chat, and a line taken away."""

from contracts.deliveries import DeliveryRequested, DeliveryResult
from contracts.outcomes import NotSent
from deliverer.domain.leases import Lease
from deliverer.domain.posts import (
    NotPosted,
    Place,
    PostAgain,
    Posted,
    PostState,
    RemovalState,
    RemoveAgain,
    on_post_answer,
    on_removal_answer,
)
from deliverer.handlers.calling import Calling, widened
from deliverer.telegram.calls import Telegram

LEASE_OVER = NotSent(reason="the lease ended before the call")


class Posting:
    """Sends what is harmless when doubled, and deletes."""

    def __init__(self, telegram: Telegram, calling: Calling) -> None:
        self._telegram = telegram
        self._calling = calling

    async def post(
        self, request: DeliveryRequested, text: str, *, silent: bool, lease: Lease
    ) -> Posted | NotPosted:
        state = PostState(place_of(request))
        while not self._calling.over(lease):
            if (later := self._calling.held(request.bot, request.chat_id)) is not None:
                return NotPosted(later)
            answer = await self._telegram.send_text(
                request.token_ref, state.place, text, silent=silent
            )
            parked = self._calling.noted(request.bot, request.chat_id, answer)
            match on_post_answer(state, answer):
                case PostAgain(state, pause):
                    await self._calling.pause(pause, lease)
                case Posted() as posted:
                    return posted
                case NotPosted(result):
                    return NotPosted(widened(result, parked))
        return NotPosted(LEASE_OVER)

    async def remove(
        self, request: DeliveryRequested, message_id: int, *, lease: Lease
    ) -> DeliveryResult:
        state = RemovalState(message_id)
        while not self._calling.over(lease):
            if (later := self._calling.held(request.bot, request.chat_id)) is not None:
                return later
            answer = await self._telegram.delete(request.token_ref, request.chat_id, message_id)
            parked = self._calling.noted(request.bot, request.chat_id, answer)
            match on_removal_answer(state, answer):
                case RemoveAgain(state, pause):
                    await self._calling.pause(pause, lease)
                case result:
                    return widened(result, parked)
        return LEASE_OVER


def place_of(request: DeliveryRequested) -> Place:
    """Say where a request's messages go."""
    return Place(
        chat_id=request.chat_id,
        thread_id=request.thread_id,
        reply_to=request.reply_to,
        protect=request.protect,
    )
