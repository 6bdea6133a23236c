"""What the shop says by itself: whose money came back hears their balance, once."""

import contextlib

from sendonce import (
    Cursor,
    JobEvent,
    KeyConflict,
    MediaKind,
    MoneyState,
    ReportedMedia,
    SendOnce,
)

from shop.catalogue import CURRENCY, money

CAME_BACK = frozenset({MoneyState.RELEASED, MoneyState.REFUNDED})


async def follow(sendonce: SendOnce, cursor: Cursor) -> None:
    """Follow every job of the bot, and go on after a restart where the cursor stands."""
    async for event in sendonce.events(cursor=cursor):
        if event.money in CAME_BACK:
            await tell_balance(sendonce, event)


async def tell_balance(sendonce: SendOnce, event: JobEvent) -> None:
    """Say it through sendonce: an event that comes twice is still one message."""
    if event.chat_id is None or event.user_id is None:
        return
    wallet = await sendonce.wallet(event.user_id, CURRENCY)
    words = f"Your balance is {money(wallet.balance)}. Shall we try something else?"
    # A conflict means that it was told already, with the balance of that moment.
    with contextlib.suppress(KeyConflict):
        await sendonce.deliver(
            key=f"balance:{event.id}",
            chat_id=event.chat_id,
            user_id=event.user_id,
            media=[ReportedMedia(kind=MediaKind.TEXT, text=words)],
        )
