"""Whether the money is right: every job's, and every wallet's to the last unit."""

from collections import Counter
from collections.abc import Mapping

from contracts.api import JobView
from contracts.values import JobState, MoneyState
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.endings import Ending
from sendonce_cli.demo.errands import User


async def money_troubles(
    bot: Bot, endings: tuple[Ending, ...], *, paid: Mapping[User, int]
) -> list[str]:
    """Name every job and wallet whose money is wrong."""
    wrong = [
        f"{ending.errand.key}: {ending.job.state}, but its money is {ending.job.money}"
        for ending in endings
        if ending.job is not None and not _fits(ending.job)
    ]
    sold, held = _sum(endings, MoneyState.CAPTURED), _sum(endings, MoneyState.HELD)
    for user, paid_in in paid.items():
        wallet = await bot.wallet(user)
        expected = paid_in - sold[user] - held[user]
        if (wallet.balance, wallet.held) != (expected, held[user]):
            wrong.append(
                f"{user.name}'s wallet: {wallet.balance} and {wallet.held} held, "
                f"expected {expected} and {held[user]} held"
            )
    return wrong


def _sum(endings: tuple[Ending, ...], state: MoneyState) -> Counter[User]:
    total: Counter[User] = Counter()
    for ending in endings:
        if ending.job is not None and ending.job.money is state:
            total[ending.errand.user] += ending.job.price
    return total


def _fits(job: JobView) -> bool:
    if job.price == 0:
        return job.money is MoneyState.NONE
    match job.state:
        case JobState.DELIVERED | JobState.SUCCEEDED:
            return job.money in {MoneyState.CAPTURED, MoneyState.WAIVED}
        case JobState.UNDELIVERABLE:
            return job.money in {MoneyState.REFUNDED, MoneyState.WAIVED}
        case JobState.FAILED | JobState.EXPIRED | JobState.CANCELLED:
            return job.money is MoneyState.RELEASED
        case JobState.CREATED | JobState.SUBMITTING | JobState.RUNNING:
            return job.money is MoneyState.HELD
