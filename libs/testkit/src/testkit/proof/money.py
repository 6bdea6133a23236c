"""Whether the money is right: every job's, and every wallet's to the last unit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from contracts.api import JobView, WalletView
from contracts.values import JobState, MoneyState
from testkit.proof.endings import Ending


class Wallet(NamedTuple):
    """Whose money it is, and which."""

    user_id: int
    currency: str


def money_troubles(
    endings: Sequence[Ending], *, paid: Mapping[Wallet, int], wallets: Mapping[Wallet, WalletView]
) -> Iterator[str]:
    """Name every job and wallet whose money is wrong; ``paid`` is all that was ever topped up."""
    for ending in endings:
        if ending.job is not None and not fits(ending.job):
            yield f"{ending.asked.key}: {ending.job.state}, but its money is {ending.job.money}"
    sold, held = _sum(endings, MoneyState.CAPTURED), _sum(endings, MoneyState.HELD)
    for wallet, paid_in in paid.items():
        expected = (paid_in - sold[wallet] - held[wallet], held[wallet])
        view = wallets[wallet]
        if (view.balance, view.held) != expected:
            yield (
                f"wallet {wallet.user_id} {wallet.currency}: {view.balance} and {view.held} held, "
                f"expected {expected[0]} and {expected[1]} held"
            )


def fits(job: JobView) -> bool:
    """Claim that the job's money is where its state says."""
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


def _sum(endings: Sequence[Ending], state: MoneyState) -> Counter[Wallet]:
    total: Counter[Wallet] = Counter()
    for ending in endings:
        job = ending.job
        if job is not None and job.money is state:
            total[Wallet(job.user_id, job.currency)] += job.price
    return total
