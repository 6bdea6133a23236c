"""An ordinary bot: its own KIE call, its own billing, and every send repeated until Telegram answers."""

import asyncio
import json
import os
from collections import defaultdict
from typing import Any

import aiohttp
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import NextRequestMiddlewareType
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import Message

PRICE, GIFT = 19_90, 100_00  # kopecks
dispatcher = Dispatcher()


class Billing:
    """What every user has; yours is a table."""

    def __init__(self) -> None:
        self.balances: defaultdict[int, int] = defaultdict(lambda: GIFT)

    def charge(self, user_id: int) -> bool:
        """Take the price, if the user has it."""
        if self.balances[user_id] < PRICE:
            return False
        self.balances[user_id] -= PRICE
        return True

    def refund(self, user_id: int) -> None:
        """Give the price back."""
        self.balances[user_id] += PRICE


class Kie:
    """The two calls of KIE this bot makes."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._jobs = f"{os.environ['KIE_API_URL']}/api/v1/jobs"
        self._key = {"Authorization": f"Bearer {os.environ['KIE_API_KEY']}"}

    async def create_task(self, wish: str, callback_url: str | None = None) -> str:
        """Ask for a picture; return the task's id."""
        task: dict[str, Any] = {"model": "google/nano-banana", "input": {"prompt": wish}}
        if callback_url:
            task["callBackUrl"] = callback_url
        async with self._http.post(
            f"{self._jobs}/createTask", json=task, headers=self._key
        ) as answer:
            return str((await answer.json())["data"]["taskId"])

    async def result(self, task_id: str) -> str | None:
        """Wait for the end of a task; return its picture, none when it failed."""
        while True:
            async with self._http.get(
                f"{self._jobs}/recordInfo", params={"taskId": task_id}, headers=self._key
            ) as answer:
                record = (await answer.json())["data"]
            if record["state"] == "success":
                return str(json.loads(record["resultJson"])["resultUrls"][0])
            if record["state"] == "fail":
                return None
            await asyncio.sleep(1)


@dispatcher.message(F.text)
async def draw(
    message: Message,
    kie: Kie,
    billing: Billing,
) -> None:
    """Sell one picture."""
    if not billing.charge(message.chat.id):
        await message.answer("A picture costs 19.90 RUB, and your balance is lower.")
        return
    task_id = await kie.create_task(message.text or "")
    picture = await kie.result(task_id)
    if picture is None:
        billing.refund(message.chat.id)
    else:
        await message.answer_photo(picture)


async def repeat(
    make_request: NextRequestMiddlewareType[TelegramType],
    bot: Bot,
    method: TelegramMethod[TelegramType],
) -> Response[TelegramType]:
    """Repeat what Telegram did not answer."""
    for pause in (0.2, 0.5, 1.0):
        try:
            return await make_request(bot, method)
        except TelegramNetworkError:
            await asyncio.sleep(pause)
    return await make_request(bot, method)


async def main() -> None:
    """Run until Ctrl-C."""
    server = TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"])
    bot = Bot(os.environ["BOT_TOKEN"], session=AiohttpSession(api=server))
    bot.session.middleware(repeat)
    async with aiohttp.ClientSession() as http:
        await dispatcher.start_polling(bot, kie=Kie(http), billing=Billing())


if __name__ == "__main__":
    asyncio.run(main())
