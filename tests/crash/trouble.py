"""Lives in which more goes wrong than one death: what the services lean on is away, deaf, slow or lies."""

import asyncio
from typing import Final

from contracts import streams
from contracts.api import JobView
from contracts.values import PartState
from crash import by_hand
from crash.bot import STEP_WITHIN, Bot
from crash.moments import COMES_WITHIN, SLOWLY, forbid_links, held, stands, tasks
from crash.points import SERVICES
from crash.wires import KIE, NATS, POSTGRES, TELEGRAM
from deployment import FINAL
from testkit.processes import holds
from testkit.telegram import Mode

AWAY: Final = 1.5  # seconds; a task is asked about after one
BRIEFLY: Final = 0.7  # seconds; some calls are tried again within tenths of one
UPLOADS: Final = 0.25  # seconds; there and back is longer than until a lease is renewed


async def without_bus(bot: Bot) -> JobView:
    """NATS is away while KIE calls back, and while the clock has something to send."""
    job, finish = await held(bot)
    async with bot.wires.gone(NATS, seconds=AWAY):
        finish()
    return job


async def untold(bot: Bot) -> JobView:
    """KIE and Telegram answer when NATS is away: what came of the calls waits in the workers."""
    async with bot.wires.deaf(KIE, TELEGRAM):
        job = await bot.create("ok")
        await holds(lambda: bool(tasks(bot) and stands(bot)), within=COMES_WITHIN)
        async with bot.wires.gone(NATS, seconds=BRIEFLY):
            bot.wires.hears(KIE, TELEGRAM)
    return job


async def without_database(bot: Bot) -> JobView:
    """Postgres is away when the result comes, and when the deliverer asks whether its carrier may be used."""
    job, finish = await held(bot, status="none")
    async with bot.wires.deaf(TELEGRAM):
        async with bot.wires.gone(POSTGRES, seconds=BRIEFLY):
            finish()
        await holds(lambda: stands(bot) > 0, within=COMES_WITHIN)
        async with bot.wires.gone(POSTGRES, seconds=BRIEFLY):
            bot.wires.hears(TELEGRAM)
    return job


async def handed_twice(bot: Bot) -> JobView:
    """While they call, the same is handed to submitter and deliverer again: their durables were deleted."""
    async with bot.wires.deaf(KIE, TELEGRAM):
        job = await bot.create("ok", status="none")
        await holds(lambda: bool(tasks(bot)), within=COMES_WITHIN)
        await _dropped(bot, "submitter")
        bot.wires.hears(KIE)
        await holds(lambda: stands(bot) > 0, within=COMES_WITHIN)
        await _dropped(bot, "deliverer")
    return job


async def durables_dropped(bot: Bot) -> JobView:
    """Every durable is deleted while KIE works."""
    job, finish = await held(bot)
    await asyncio.gather(*(bot.drop_durable(durable) for durable in streams.CONSUMER))
    finish()
    await bot.until_state(job, *FINAL)
    # What has just been acknowledged and is handed out again is told again, in one go.
    await _dropped(bot, "deliverer")
    return job


async def unreached(bot: Bot) -> JobView:
    """Nobody answers at Telegram's door: surely nothing was sent, and it is tried again."""
    async with bot.wires.gone(TELEGRAM, seconds=0):
        job, finish = await held(bot, mode="send")
    async with bot.wires.gone(TELEGRAM, seconds=BRIEFLY):
        finish()
    return job


async def taken_back(bot: Bot) -> JobView:
    """A job nobody has submitted is cancelled, and its status line cannot be taken away at once."""
    await by_hand.pause(bot, "submissions", paused=True)
    try:
        job = await bot.create("ok")
        await holds(lambda: stands(bot) > 0, within=COMES_WITHIN)
        async with bot.wires.gone(TELEGRAM, seconds=BRIEFLY):
            await bot.change("jobs.cancel", job_ids=[str(job.id)])
        await holds(lambda: not stands(bot), within=COMES_WITHIN)
    finally:
        await by_hand.pause(bot, "submissions", paused=False)
    return job


async def sent_as_bytes(bot: Bot) -> JobView:
    """Telegram cannot fetch what is to be sent, so its bytes are."""
    forbid_links(bot, "send")
    return await bot.create("ok", mode="send", status="none")


async def uploaded_slowly(bot: Bot) -> JobView:
    """The bytes take so long that the lease is renewed while they travel."""
    forbid_links(bot, "edit")
    async with bot.wires.slow(TELEGRAM, delay=UPLOADS):
        job = await bot.create("ok", status="none")
        await bot.soon(job, *FINAL, within=STEP_WITHIN)
    return job


async def no_more_there(bot: Bot) -> JobView:
    """The links of the result are dead."""
    return await bot.create("gone", status="none")


async def staged(bot: Bot) -> JobView:
    """The user has blocked the bot: until they are back, the result lies in the bot's own chat, which moves."""
    group = -bot.chat_id
    bot.telegram.faults.plan(Mode.MIGRATE, "send", chat_id=group)
    moved_before = bot.telegram.faults.fired[Mode.MIGRATE]
    await bot.change("bots.add", slug="default", staging_chat=group)
    bot.telegram.block(bot.chat_id)
    try:
        job = await bot.create("ok", status="none")
        await bot.until_part(job, PartState.PARKED)
        await holds(
            lambda: bot.telegram.faults.fired[Mode.MIGRATE] > moved_before, within=COMES_WITHIN
        )
    finally:
        bot.telegram.unblock(bot.chat_id)
        await bot.change("bots.add", slug="default")
    await bot.returned()
    return job


async def refused_by_bus(bot: Bot) -> JobView:
    """NATS refuses every service a permission, and says then that its credentials have expired."""
    job, finish = await held(bot)
    bot.wires.words.say(
        'Permissions Violation for Publish to "nowhere"', "User Authentication Expired"
    )
    await holds(lambda: bot.wires.words.heard >= len(SERVICES), within=COMES_WITHIN)
    finish()
    return job


async def started_first(bot: Bot) -> JobView:
    """A service starts before Postgres does."""
    async with bot.wires.gone(POSTGRES, seconds=AWAY):
        pass
    return await bot.create("ok")


async def stopped_asked(bot: Bot) -> JobView:
    """A job-store is told to stop while a bot waits for its answer."""
    async with bot.wires.slow(POSTGRES, delay=SLOWLY):
        asking = asyncio.create_task(bot.create("ok"))
        await asyncio.wait({asking}, timeout=BRIEFLY)
        bot.called.set()
        # A request that is lost with its job-store is asked again.
        await asyncio.wait({asking}, timeout=COMES_WITHIN)
    return await asking


async def stopped_after_upload(bot: Bot) -> JobView:
    """A deliverer is told to stop that has fetched a result, so that its connections stand."""
    forbid_links(bot, "edit")
    return await bot.until_state(await bot.create("ok", status="none"), *FINAL)


async def stopped_busy(bot: Bot) -> JobView:
    """A service is told to stop while KIE and Telegram keep it waiting, and NATS is lost."""
    async with bot.wires.deaf(KIE, TELEGRAM):
        job = await bot.create("ok")
        await holds(lambda: bool(tasks(bot) and stands(bot)), within=COMES_WITHIN)
        bot.called.set()
        async with bot.wires.gone(NATS, seconds=BRIEFLY):
            pass
    return job


async def _dropped(bot: Bot, durable: str) -> None:
    """Delete a durable and wait until what it had handed out is handed out again."""
    await bot.drop_durable(durable)
    await bot.read_again(durable, within=COMES_WITHIN)
