"""Handlers find their SendOnce by name, whichever bot of the process was written to."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.types import Chat, Message, Update, User

from sendonce import NotConnected, SendOnce
from sendonce.aiogram import SendOnceMiddleware, setup
from sendonce.testing import SendOnceDouble

SHOP, STUDIO, STRANGER = Bot("1:a"), Bot("2:b"), Bot("3:c")


def said() -> Update:
    message = Message(
        message_id=1,
        date=datetime(2026, 11, 24, tzinfo=UTC),
        chat=Chat(id=5, type="private"),
        from_user=User(id=5, is_bot=False, first_name="Anna"),
        text="hello",
    )
    return Update(update_id=1, message=message)


def dispatcher(asked: list[SendOnce]) -> Dispatcher:
    made = Dispatcher()

    @made.message(F.text)
    async def on_text(_message: Message, sendonce: SendOnce) -> None:
        asked.append(sendonce)

    return made


async def test_a_handler_is_given_it_by_name() -> None:
    asked: list[SendOnce] = []
    double, updates = SendOnceDouble(), dispatcher(asked)
    updates.update.outer_middleware(SendOnceMiddleware(double))

    await updates.feed_update(SHOP, said())

    assert asked == [double]


async def test_each_bot_of_a_process_has_its_own() -> None:
    asked: list[SendOnce] = []
    shop, studio = SendOnceDouble("shop"), SendOnceDouble("studio")
    of_bot: Mapping[int, SendOnce] = {SHOP.id: shop, STUDIO.id: studio}
    updates = dispatcher(asked)
    updates.update.outer_middleware(SendOnceMiddleware(of_bot))

    for bot in (STUDIO, SHOP):
        await updates.feed_update(bot, said())

    assert asked == [studio, shop]
    with pytest.raises(LookupError, match="no SendOnce was given for bot 3"):
        await updates.feed_update(STRANGER, said())


async def test_setup_connects_with_the_dispatcher_and_closes_with_it() -> None:
    asked: list[SendOnce] = []
    double, updates = SendOnceDouble(), dispatcher(asked)
    setup(updates, double)

    with pytest.raises(NotConnected):
        await double.returned(5)
    await updates.emit_startup(bot=SHOP, timeout=1)
    await updates.feed_update(SHOP, said())
    assert await asked[0].returned(5) == 0
    await updates.emit_shutdown(bot=SHOP)

    with pytest.raises(NotConnected):
        await double.returned(5)
