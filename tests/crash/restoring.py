"""A life in which Postgres is put back as it was, and an operator has all that came after applied again."""

from chaos.restore import back_up, put_back
from contracts.api import JobView
from contracts.values import JobState
from crash.bot import STEP_WITHIN, Bot
from deployment import FINAL, eventually


async def restored(bot: Bot) -> JobView:
    """What was shown after the backup is known again before anything is shown."""
    if bot.postgres is None:
        raise TypeError("a journal has no backup of its own: its directory is the backup")
    job = await bot.until_state(await bot.create("held", status="none"), JobState.RUNNING, *FINAL)
    await back_up(bot.postgres)
    for task_id in job.task_ids:
        bot.kie.finish(task_id)
    await bot.until_state(job, *FINAL)
    if await put_back(bot.postgres):
        await eventually(lambda: _is_held(bot), within=STEP_WITHIN)
        await eventually(lambda: _goes_on(bot), within=STEP_WITHIN)
    return job


async def _is_held(bot: Bot) -> bool:
    return bool((await bot.ops("resume"))["held"])


async def _goes_on(bot: Bot) -> bool:
    """Take the next step; each question takes one at most."""
    return not (await bot.ops("resume", advance=True))["held"]
