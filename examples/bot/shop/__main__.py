"""`python -m shop`: run the shop until Ctrl-C."""

import asyncio
import logging

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from sendonce import FileCursor, SendOnce
from sendonce.aiogram import SendOnceMiddleware

from shop import buying, notices, talk
from shop.settings import Settings, chosen


def dispatcher(sendonce: SendOnce) -> Dispatcher:
    """Every handler, each of which is given `sendonce` by name."""
    made = Dispatcher()
    made.update.outer_middleware(SendOnceMiddleware(sendonce))
    made.include_routers(buying.router(), talk.router())
    return made


async def main(settings: Settings) -> None:
    """Answer users and follow their jobs; if either breaks, both end, and a supervisor starts them again."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(settings.telegram_api_url))
    async with (
        SendOnce(settings.nats_url, bot=settings.bot, creds=settings.nats_creds) as sendonce,
        asyncio.TaskGroup() as tasks,
    ):
        following = tasks.create_task(notices.follow(sendonce, FileCursor(settings.cursor)))
        await dispatcher(sendonce).start_polling(Bot(settings.bot_token, session=session))
        following.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(chosen()))
