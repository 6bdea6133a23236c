"""Lives in which an operator puts something right while a service dies beneath; each asks until it is answered."""

from typing import Any
from uuid import UUID

from contracts import subjects
from contracts.api import JobView
from contracts.values import JobState, PartState
from crash.bot import CURRENCY, PRICE, Bot
from deployment import FINAL
from testkit.telegram import FaultPlan, Kind, Mode


async def refunded(bot: Bot) -> JobView:
    """What was paid for a shown result is given back, and asked for twice."""
    job = await bot.until_state(await bot.create("ok"), *FINAL)
    for more in ({"dry_run": True}, {}, {}):
        await bot.change("jobs.refund", job_ids=[str(job.id)], **more)
    await bot.ops("audit.list", job_id=str(job.id))
    return job


async def copied(bot: Bot) -> JobView:
    """The user has lost the message; a copy is asked for twice, under one key."""
    job = await bot.until_state(await bot.create("ok"), *FINAL)
    for _ in range(2):
        said = await bot.change("jobs.resend", job_ids=[str(job.id)], key=f"copy:{bot.key}")
    if copy_id := said["repaired"][0].get("copy_id"):
        await bot.until_state(await bot.get(UUID(copy_id)), *FINAL)
    return job


async def redelivered(bot: Bot) -> JobView:
    """The chat takes nothing, and then it does."""
    bot.telegram.forbid(bot.chat_id, *Kind)
    job = await bot.create("ok", status="none")
    try:
        job = await bot.until_state(job, *FINAL)
    finally:
        bot.telegram.forbid(bot.chat_id)
    for more in ({"dry_run": True}, {}, {}):
        await bot.change("jobs.redeliver", job_ids=[str(job.id)], **more)
    return await bot.until_state(job, *FINAL - {JobState.UNDELIVERABLE})


async def resolved(bot: Bot) -> JobView:
    """Nobody knows whether it was sent; the operator looks, and says what he sees."""
    bot.telegram.faults.add(
        FaultPlan(
            mode=Mode.COMMIT_THEN_CLOSE,
            methods=frozenset({"send"}),
            chat_id=bot.chat_id,
            times=1,
        )
    )
    job = await bot.create("ok", mode="send", status="none")
    job = await bot.until(job, lambda seen: seen.state in FINAL or _is_uncertain(seen))
    # A deliverer that died before its call sent nothing: such a one is left, and seen.
    if _is_uncertain(job) and any(stands(bot, part.url) for part in job.parts):
        listed = (await bot.ops("deliveries.uncertain", limit=500))["parts"]
        (part_id,) = [part["part_id"] for part in listed if part["job_id"] == str(job.id)]
        for more in ({"dry_run": True}, {}, {}):
            await bot.change("deliveries.resolve", part_id=part_id, outcome="arrived", **more)
    return job


def stands(bot: Bot, url: str | None) -> bool:
    """Look into the chat."""
    return url is not None and bot.telegram.ever_shown_count(url) > 0


def _is_uncertain(job: JobView) -> bool:
    return any(part.state is PartState.UNCERTAIN for part in job.parts)


async def paused(bot: Bot) -> JobView:
    """Nothing of the bot is shown for a while."""
    await pause(bot, "deliveries", paused=True)
    try:
        job = await bot.create("ok")
        await bot.until_state(job, *FINAL, JobState.SUCCEEDED)
    finally:
        await pause(bot, "deliveries", paused=False)
    return job


async def stopped_by_hand(bot: Bot) -> JobView:
    """Nothing is submitted meanwhile, so a job can be cancelled for certain."""
    await pause(bot, "submissions", paused=True)
    try:
        job = await bot.create("ok")
        for more in ({"dry_run": True}, {}, {}):
            await bot.change("jobs.cancel", job_ids=[str(job.id)], **more)
    finally:
        await pause(bot, "submissions", paused=False)
    return job


async def pause(bot: Bot, what: str, *, paused: bool) -> None:
    """Have nothing of this kind begun for the bot, or let it go on."""
    await bot.change("pauses.set", bot="default", what=what, paused=paused)


async def given_up_orphan(bot: Bot) -> JobView:
    """An orphan nobody waits for any more is matched all the same."""
    orphan = await bot.orphan_of(await bot.own_task("ok", callback_url=None))
    for more in ({"dry_run": True}, {}, {}):
        await bot.change("orphans.expire", orphan_ids=[orphan["id"]], **more)
    job = await bot.expect()
    await bot.ops("orphans.match", orphan_id=orphan["id"], job_id=str(job.id))
    return job


async def beside_poison(bot: Bot) -> JobView:
    """A message nobody can read is set aside, put back, set aside again, and thrown away."""
    await bot.publish(subjects.REPORT_RECEIVED, f"no report {bot.key}".encode())
    first = await bot.dead_letter()
    await bot.change("dead.settle", ids=[first], settle="replay")
    again = await bot.dead_letter(after=first)
    for more in ({"dry_run": True}, {}):
        await bot.change("dead.settle", ids=[again], settle="discard", **more)
    return await bot.create("ok")


async def forgotten(bot: Bot) -> JobView:
    """Handed out, then forgotten: the content goes, the message and the money stay."""
    job = await bot.until_state(await bot.create("ok"), *FINAL)
    user: dict[str, Any] = {"bot": "default", "user_id": bot.chat_id}
    for more in ({}, {"table": "jobs"}):
        await bot.change("users.export", **user, **more)
    for more in ({"dry_run": True}, {}, {}):
        await bot.change("users.forget", **user, **more)
    return job


async def given_money(bot: Bot) -> JobView:
    """An operator tops the wallet up, twice under one reference."""
    for _ in range(2):
        await bot.change(
            "wallets.topup",
            bot="default",
            user_id=bot.chat_id,
            currency=CURRENCY,
            amount=PRICE,
            reference=f"by hand {bot.key}",
        )
    job = await bot.create("ok")
    bot.paid += PRICE
    return job
