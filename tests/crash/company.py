"""Lives in which somebody else acts in the same moment: a stranger, a neighbour, an operator, a second replica."""

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import aiohttp

from contracts.api import JobView
from contracts.reports import ReportedMedia
from contracts.values import MediaKind
from crash.bot import ANSWERS_WITHIN, STEP_WITHIN, Bot
from crash.moments import COMES_WITHIN, SLOWLY, held, stands, tasks
from crash.wires import POSTGRES, TELEGRAM
from deployment import FINAL, TOKEN, eventually
from testkit.processes import holds

BARELY: Final = 0.01  # seconds
STRANGERS: Final = 4
ROUNDS: Final = 4
NEIGHBOURS: Final = 4
TAPS: Final = 6  # both replicas get one of them, but for one time in thirty
REVOKED: Final = TOKEN.replace("sandbox", "revoked")
FORGED: Final = "http://localhost/forged.png"


async def doubted(bot: Bot) -> JobView:
    """KIE did not answer for somebody else's job: it is asked for the credits before it gets this one."""
    other = bot.neighbour()
    await other.until_state(await other.create("lost", status="none"), *FINAL)
    return await bot.create("ok")


async def hinted(bot: Bot) -> JobView:
    """A stranger tells the gateway how the job ended."""
    job, finish = await held(bot)
    for task_id in tasks(bot):
        await _report(f"{bot.gateway_url}/callbacks/kie", task_id)
    finish()
    return job


async def beside_stolen(bot: Bot) -> JobView:
    """Reports that are applied together: one of them claims the task for another job, and is given up alone."""
    other = bot.neighbour()
    theirs = await other.expect()
    job, finish = await held(bot)
    for task_id in tasks(bot):
        doors = [f"{bot.gateway_url}/callbacks/kie"] * STRANGERS
        async with bot.wires.slow(POSTGRES, delay=SLOWLY):
            # Those that come while the first is being applied are applied together.
            await asyncio.gather(
                *(
                    _report(door, task_id, said=bot.key * number)
                    for number, door in enumerate(doors)
                ),
                _report(theirs.callback_url or "", task_id),
            )
        letter = await bot.dead_letter(of=task_id)
        await bot.change("dead.settle", ids=[letter], settle="discard")
    finish()
    return job


async def taken_status(bot: Bot) -> JobView:
    """What the bot takes for its status message is the carrier of somebody else's result."""
    other = bot.neighbour()
    async with bot.wires.deaf(TELEGRAM):
        theirs = await other.create("ok", status="none", chat_id=bot.chat_id)
        await holds(lambda: stands(bot) > 0, within=COMES_WITHIN)
        ids = [message.message_id for message in bot.telegram.visible(bot.chat_id)]
        job, finish = await held(bot, status=ids[0] if ids else "none")
    await other.until_state(theirs, *FINAL)
    finish()
    return job


async def moved_account(bot: Bot) -> JobView:
    """The bot is given another KIE account and another token, and its own again."""
    await bot.change("bots.add", slug="default", kie_account="spare", token_ref="spare")
    await bot.change("bots.add", slug="default")
    return await bot.create("ok")


async def renewed_token(bot: Bot) -> JobView:
    """The token is replaced while Telegram is refusing the old one."""
    token = bot.secrets / "renewed"
    token.write_text(REVOKED, "ascii")
    await bot.change("bots.add", slug="default", token_ref=token.name)
    try:
        async with bot.wires.deaf(TELEGRAM):
            before = bot.telegram.calls
            job = await bot.create("ok")
            await holds(lambda: bot.telegram.calls > before, within=COMES_WITHIN)
            token.write_text(TOKEN, "ascii")
        await bot.soon(job, *FINAL, within=COMES_WITHIN)
    finally:
        await bot.change("bots.add", slug="default")
    return job


async def delivered_twice(bot: Bot) -> JobView:
    """Two job-stores are asked for the same jobs in one moment, so often that each is the later one once."""
    async with bot.beside("job_store"), bot.wires.slow(POSTGRES, delay=BARELY):
        for _ in range(ROUNDS):
            others = [bot.neighbour() for _ in range(NEIGHBOURS)]
            await asyncio.gather(*map(_tapped, others))
        return await _tapped(bot)


async def _tapped(bot: Bot) -> JobView:
    haiku = ReportedMedia(kind=MediaKind.TEXT, text=f"A haiku of {bot.key}")
    job, *_same = await asyncio.gather(*(bot.deliver(haiku) for _ in range(TAPS)))
    return job


async def _report(url: str, task_id: str, *, said: str = "") -> None:
    """Tell the gateway that a task has ended, as anybody can; again until it has been heard."""
    result = json.dumps({"resultUrls": [FORGED]})
    data = {"taskId": task_id, "state": "success", "resultJson": result}
    body = {"code": 200, "msg": said, "data": data}

    async def heard() -> bool:
        # A gateway that dies may leave its caller waiting.
        patience = aiohttp.ClientTimeout(total=ANSWERS_WITHIN)
        with suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=patience) as http,
                http.post(url, json=body) as answer,
            ):
                return answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return False

    await eventually(heard, within=STEP_WITHIN)
