"""For aiogram bots: `sendonce` as an argument of every handler. Imports no aiogram, only its words."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from sendonce.client import SendOnce

if TYPE_CHECKING:
    from aiogram import Dispatcher
    from aiogram.types import TelegramObject

Handler = Callable[["TelegramObject", dict[str, Any]], Awaitable[Any]]


class SendOnceMiddleware:
    """Hands handlers their SendOnce by the argument name ``sendonce``.

    Register it on updates, so that every handler below has it::

        dispatcher.update.outer_middleware(SendOnceMiddleware(sendonce))

    One process that runs several bots gives a mapping from Telegram's bot id to the SendOnce of that
    bot; a bot that is not in it is a `LookupError`, never another bot's wallet.
    """

    def __init__(
        self, sendonce: SendOnce | Mapping[int, SendOnce], *, name: str = "sendonce"
    ) -> None:
        self._sendonce = sendonce
        self._name = name

    async def __call__(
        self,
        handler: Handler,
        event: "TelegramObject",
        data: dict[str, Any],  # aiogram's own word for what handlers are given
    ) -> Any:  # noqa: ANN401 - what a handler returns is aiogram's business
        """Call the handler with it."""
        return await handler(event, {**data, self._name: self._of(data)})

    def _of(self, data: Mapping[str, Any]) -> SendOnce:
        if isinstance(self._sendonce, SendOnce):
            return self._sendonce
        bot_id = data["bot"].id
        try:
            return self._sendonce[bot_id]
        except KeyError:
            raise LookupError(f"no SendOnce was given for bot {bot_id}") from None


def setup(dispatcher: "Dispatcher", sendonce: SendOnce) -> None:
    """Wire one SendOnce into a dispatcher, in one line: injected, connected at start, closed at the end."""
    dispatcher.update.outer_middleware(SendOnceMiddleware(sendonce))

    # Wrapped: aiogram fills a callback's arguments by name, and `connect` has one of its own.
    async def connect() -> None:
        await sendonce.connect()

    async def close() -> None:
        await sendonce.close()

    dispatcher.startup.register(connect)
    dispatcher.shutdown.register(close)
