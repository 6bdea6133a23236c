"""The bot: asks for jobs through the SDK, as any bot would."""

import asyncio
import time
from typing import Final

from bench.run import Run
from bench.system import chat_of
from contracts.reports import ReportedMedia
from contracts.values import MediaKind
from sendonce import SendOnce

CALM: Final = 5.0  # jobs a second while memory is looked at
WITHIN: Final = 90.0
PATIENCE: Final = 60.0  # seconds for one answer


async def create(bot: SendOnce, mark: str) -> None:
    """One whole job: a status message, an image, no price."""
    chat = chat_of(mark)
    await bot.create(
        key=mark,
        chat_id=chat,
        user_id=chat,
        model="bench/model",
        input={"prompt": mark},
        timeout=PATIENCE,
    )


async def deliver(bot: SendOnce, mark: str, *, chat_id: int) -> None:
    """A finished text: a carrier and an edit, no media that anybody would have to fetch."""
    await bot.deliver(
        media=[ReportedMedia(kind=MediaKind.TEXT, text=f"result-{mark}")],
        key=mark,
        chat_id=chat_id,
        user_id=chat_id,
        status="none",
        notify="fresh",
        timeout=PATIENCE,
    )


async def stream(run: Run, bot: SendOnce, *, seconds: int) -> None:
    """Create jobs at a calm pace and wait until the last one is shown."""
    marks = run.marks(int(CALM * seconds))
    before = (await run.ground.screen.counts())["shown"]
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, mark in enumerate(marks):
            wait = began + number / CALM - time.monotonic()
            await asyncio.sleep(max(0.0, wait))  # noqa: TID251 - the pace that is wanted
            group.create_task(create(bot, mark))
    await run.ground.screen.until_shown(marks, more=before, within=WITHIN)
