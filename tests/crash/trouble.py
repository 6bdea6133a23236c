"""Lives in which more goes wrong than one death: what the services lean on is away, deaf, slow or lies."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import aiohttp

from contracts import streams
from contracts.api import JobView
from contracts.values import JobState, PartState
from crash import by_hand
from crash.bot import ANSWERS_WITHIN, STEP_WITHIN, Bot
from crash.points import SERVICES
from crash.wires import KIE, NATS, POSTGRES, TELEGRAM
from deployment import FINAL, eventually
from testkit.kie import Plan
from testkit.processes import holds
from testkit.telegram import FaultPlan, Mode

AWAY: Final = 1.5  # seconds; a task is asked about after one
BRIEFLY: Final = 0.7  # seconds; some calls are tried again within tenths of one
SLOWLY: Final = 0.05  # seconds
STRANGERS: Final = 4
COMES_WITHIN: Final = 3.0  # seconds; with a service dead it may not, and the life goes on
HELD: Final = Plan(held=True)
UNREACHABLE: Final = "Bad Request: failed to get HTTP URL content"
FORGED: Final = "http://localhost/forged.png"


async def without_bus(bot: Bot) -> JobView:
    """NATS is away while KIE calls back, and while the clock has something to send."""
    job, finish = await _held(bot)
    async with bot.wires.gone(NATS, seconds=AWAY):
        finish()
    return job


async def untold(bot: Bot) -> JobView:
    """KIE and Telegram answer when NATS is away: what came of the calls waits in the workers."""
    async with bot.wires.deaf(KIE, TELEGRAM):
        job = await bot.create("ok")
        await holds(lambda: bool(_tasks(bot) and _stands(bot)), within=COMES_WITHIN)
        async with bot.wires.gone(NATS, seconds=BRIEFLY):
            bot.wires.hears(KIE, TELEGRAM)
    return job


async def without_database(bot: Bot) -> JobView:
    """Postgres is away when the result comes, and when the deliverer asks whether its carrier may be used."""
    job, finish = await _held(bot, status="none")
    async with bot.wires.deaf(TELEGRAM):
        async with bot.wires.gone(POSTGRES, seconds=BRIEFLY):
            finish()
        await holds(lambda: _stands(bot) > 0, within=COMES_WITHIN)
        async with bot.wires.gone(POSTGRES, seconds=BRIEFLY):
            bot.wires.hears(TELEGRAM)
    return job


async def handed_twice(bot: Bot) -> JobView:
    """While they call, the same is handed to submitter and deliverer again: their durables were deleted."""
    async with bot.wires.deaf(KIE, TELEGRAM):
        job = await bot.create("ok", status="none")
        await holds(lambda: bool(_tasks(bot)), within=COMES_WITHIN)
        await _dropped(bot, "submitter")
        bot.wires.hears(KIE)
        await holds(lambda: _stands(bot) > 0, within=COMES_WITHIN)
        await _dropped(bot, "deliverer")
    return job


async def durables_dropped(bot: Bot) -> JobView:
    """Every durable is deleted while KIE works."""
    job, finish = await _held(bot)
    await asyncio.gather(*(bot.drop_durable(durable) for durable in streams.CONSUMER))
    finish()
    await bot.until_state(job, *FINAL)
    # What has just been acknowledged and is handed out again is told again, in one go.
    await _dropped(bot, "deliverer")
    return job


async def doubted(bot: Bot) -> JobView:
    """KIE did not answer for somebody else's job: it is asked for the credits before it gets this one."""
    other = bot.neighbour()
    await other.until_state(await other.create("lost", status="none"), *FINAL)
    return await bot.create("ok")


async def unreached(bot: Bot) -> JobView:
    """Nobody answers at Telegram's door: surely nothing was sent, and it is tried again."""
    async with bot.wires.gone(TELEGRAM, seconds=0):
        job, finish = await _held(bot, mode="send")
    async with bot.wires.gone(TELEGRAM, seconds=BRIEFLY):
        finish()
    return job


async def taken_back(bot: Bot) -> JobView:
    """A job nobody has submitted is cancelled, and its status line cannot be taken away at once."""
    await by_hand.pause(bot, "submissions", paused=True)
    try:
        job = await bot.create("ok")
        await holds(lambda: _stands(bot) > 0, within=COMES_WITHIN)
        async with bot.wires.gone(TELEGRAM, seconds=BRIEFLY):
            await bot.change("jobs.cancel", job_ids=[str(job.id)])
        await holds(lambda: not _stands(bot), within=COMES_WITHIN)
    finally:
        await by_hand.pause(bot, "submissions", paused=False)
    return job


async def sent_as_bytes(bot: Bot) -> JobView:
    """Telegram cannot fetch what is to be sent, so its bytes are."""
    _forbid_links(bot, "send")
    return await bot.create("ok", mode="send", status="none")


async def no_more_there(bot: Bot) -> JobView:
    """The links of the result are dead."""
    return await bot.create("gone", status="none")


async def staged(bot: Bot) -> JobView:
    """The user has blocked the bot: until they are back, the result lies in the bot's own chat, which moves."""
    group = -bot.chat_id
    bot.telegram.faults.plan(Mode.MIGRATE, "send", chat_id=group)
    await bot.change("bots.add", slug="default", staging_chat=group)
    bot.telegram.block(bot.chat_id)
    try:
        job = await bot.create("ok", status="none")
        await bot.until_part(job, PartState.PARKED)
        await holds(lambda: bot.telegram.faults.fired[Mode.MIGRATE] > 0, within=COMES_WITHIN)
    finally:
        bot.telegram.unblock(bot.chat_id)
        await bot.change("bots.add", slug="default")
    await bot.returned()
    return job


async def hinted(bot: Bot) -> JobView:
    """A stranger tells the gateway how the job ended."""
    job, finish = await _held(bot)
    for task_id in _tasks(bot):
        await _report(f"{bot.gateway_url}/callbacks/kie", task_id)
    finish()
    return job


async def beside_stolen(bot: Bot) -> JobView:
    """Reports that are applied together: one of them claims the task for another job, and is given up alone."""
    other = bot.neighbour()
    theirs = await other.expect()
    job, finish = await _held(bot)
    for task_id in _tasks(bot):
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


async def refused_by_bus(bot: Bot) -> JobView:
    """NATS refuses every service a permission, and says then that its credentials have expired."""
    job, finish = await _held(bot)
    bot.wires.words.say(
        'Permissions Violation for Publish to "nowhere"', "User Authentication Expired"
    )
    await holds(lambda: bot.wires.words.heard >= len(SERVICES), within=COMES_WITHIN)
    finish()
    return job


async def taken_status(bot: Bot) -> JobView:
    """What the bot takes for its status message is the carrier of somebody else's result."""
    other = bot.neighbour()
    async with bot.wires.deaf(TELEGRAM):
        theirs = await other.create("ok", status="none", chat_id=bot.chat_id)
        await holds(lambda: _stands(bot) > 0, within=COMES_WITHIN)
        ids = [message.message_id for message in bot.telegram.visible(bot.chat_id)]
        job, finish = await _held(bot, status=ids[0] if ids else "none")
    await other.until_state(theirs, *FINAL)
    finish()
    return job


async def moved_account(bot: Bot) -> JobView:
    """The bot is given another KIE account and another token, and its own again."""
    await bot.change("bots.add", slug="default", kie_account="spare", token_ref="spare")
    await bot.change("bots.add", slug="default")
    return await bot.create("ok")


async def started_first(bot: Bot) -> JobView:
    """A service starts before Postgres does."""
    async with bot.wires.gone(POSTGRES, seconds=AWAY):
        pass
    return await bot.create("ok")


async def stopped_busy(bot: Bot) -> JobView:
    """A service is told to stop while KIE and Telegram keep it waiting, and NATS is lost."""
    async with bot.wires.deaf(KIE, TELEGRAM):
        job = await bot.create("ok")
        await holds(lambda: bool(_tasks(bot) and _stands(bot)), within=COMES_WITHIN)
        bot.called.set()
        async with bot.wires.gone(NATS, seconds=BRIEFLY):
            pass
    return job


async def _held(bot: Bot, **asked: str | int) -> tuple[JobView, Callable[[], None]]:
    """Have KIE work on a job until it is told to finish."""
    bot.kie.plan_marked("held", HELD)
    job = await bot.create("held", **asked)

    def finish() -> None:
        for task_id in _tasks(bot):
            bot.kie.finish(task_id)

    await bot.until(job, lambda seen: bool(_tasks(bot)) or seen.state in FINAL)
    # Where the answer was lost with its submitter, the job runs when KIE calls back.
    await bot.soon(job, JobState.RUNNING, within=COMES_WITHIN)
    return job, finish


def _tasks(bot: Bot) -> list[str]:
    return [task.task_id for task in bot.kie.tasks() if bot.key in str(task.request)]


def _stands(bot: Bot) -> int:
    """Count the messages that stand in the user's chat."""
    return len(bot.telegram.visible(bot.chat_id))


async def _dropped(bot: Bot, durable: str) -> None:
    """Delete a durable and wait until what it had handed out is handed out again."""
    await bot.drop_durable(durable)
    await bot.read_again(durable, within=COMES_WITHIN)


def _forbid_links(bot: Bot, method: str) -> None:
    bot.telegram.faults.add(
        FaultPlan(
            mode=Mode.REJECT_BEFORE_COMMIT,
            methods=frozenset({method}),
            chat_id=bot.chat_id,
            times=2,  # a fetch that failed once is asked for once more
            status=400,
            description=UNREACHABLE,
        )
    )


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
