"""What lives wait for before something goes wrong."""

from collections.abc import Callable
from typing import Final

from contracts.api import JobView
from contracts.values import JobState
from crash.bot import Bot
from deployment import FINAL
from testkit.kie import Plan
from testkit.telegram import FaultPlan, Mode

COMES_WITHIN: Final = 3.0  # seconds; with a service dead it may not, and the life goes on
SLOWLY: Final = 0.05  # seconds that whatever a line carries is kept
HELD: Final = Plan(held=True)
UNREACHABLE: Final = "Bad Request: failed to get HTTP URL content"


async def held(bot: Bot, **asked: str | int) -> tuple[JobView, Callable[[], None]]:
    """Have KIE work on a job until it is told to finish."""
    bot.kie.plan_marked("held", HELD)
    job = await bot.create("held", **asked)

    def finish() -> None:
        for task_id in tasks(bot):
            bot.kie.finish(task_id)

    await bot.until(job, lambda seen: bool(tasks(bot)) or seen.state in FINAL)
    # Where the answer was lost with its submitter, the job runs when KIE calls back.
    await bot.soon(job, JobState.RUNNING, within=COMES_WITHIN)
    return job, finish


def tasks(bot: Bot) -> list[str]:
    return [task.task_id for task in bot.kie.tasks() if bot.key in str(task.request)]


def stands(bot: Bot) -> int:
    """Count the messages that stand in the user's chat."""
    return len(bot.telegram.visible(bot.chat_id))


def forbid_links(bot: Bot, method: str) -> None:
    """Have Telegram fail to fetch what this method is to show."""
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
