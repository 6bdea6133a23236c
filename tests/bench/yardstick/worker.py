"""The yardstick's worker: SELECT, UPDATE, one sendMessage, UPDATE; whatever fails comes again."""

import argparse
import asyncio
import json

import asyncpg
import uvloop
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker
from pydantic import BaseModel

from bench.yardstick.names import DURABLE, STREAM, SUBJECT

TOKEN = "7000000009:" + "yardstick".ljust(35, "x")
AT_ONCE = 100  # as many callbacks as the deliverer has workers


class Task(BaseModel):
    """What the loop reads of a callback."""

    taskId: str  # noqa: N815 - KIE's own name
    resultJson: str  # noqa: N815 - KIE's own name


class Callback(BaseModel):
    """KIE's envelope."""

    data: Task


class Loop:
    """The statements and the call, in the order everybody writes them."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", bot: Bot) -> None:
        self._pool = pool
        self._bot = bot

    async def on_callback(self, callback: Callback) -> None:
        """Show one result."""
        task_id = callback.data.taskId
        row = await self._pool.fetchrow(
            "SELECT chat_id, state FROM results WHERE task_id = $1", task_id
        )
        if row is None or row["state"] == "shown":
            return
        await self._pool.execute("UPDATE results SET state = 'sending' WHERE task_id = $1", task_id)
        url = json.loads(callback.data.resultJson)["resultUrls"][0]
        message = await self._bot.send_message(row["chat_id"], url)
        await self._pool.execute(
            "UPDATE results SET state = 'shown', message_id = $2 WHERE task_id = $1",
            task_id,
            message.message_id,
        )


async def serve(*, nats_url: str, database_url: str, telegram_url: str) -> None:
    """Consume until a signal."""
    broker = NatsBroker(nats_url, logger=None)
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram_url))
    async with asyncpg.create_pool(database_url) as pool, Bot(TOKEN, session=session) as bot:
        loop = Loop(pool, bot)
        # Of the ways to subscribe the fastest measured: pushed, many at once.
        broker.subscriber(
            SUBJECT,
            stream=JStream(STREAM, declare=False),
            durable=DURABLE,
            max_workers=AT_ONCE,
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )(loop.on_callback)
        await FastStream(broker, logger=None).run()


def main() -> None:
    """Run on uvloop, as our services do."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--nats-url", "--database-url", "--telegram-url"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(**vars(arguments)))


if __name__ == "__main__":
    main()
