"""When money moves: hold at creation, one capture or one release, a refund that names its capture."""

from contracts.values import MoneyState
from job_store.domain.case import Case


def hold(case: Case) -> None:
    """Set the price aside. A price of 0 needs no wallet."""
    if case.job.price > 0:
        case.transfer("hold", to=MoneyState.HELD)


def capture(case: Case) -> None:
    """The provider did the work: in the transaction that makes ``succeeded``."""
    match case.job.money:
        case MoneyState.HELD:
            case.transfer("capture", to=MoneyState.CAPTURED)
        case MoneyState.RELEASED:
            # Our own expiry gave the money back; the late result is a gift.
            case.change(money=MoneyState.WAIVED)
        case _:
            pass  # nothing was held


def release(case: Case) -> None:
    """Nothing was made: in the transaction that makes ``failed``, ``expired`` or ``cancelled``."""
    if case.job.money is MoneyState.HELD:
        case.transfer("release", to=MoneyState.RELEASED)


def refund(case: Case) -> None:
    """The result cannot be shown through our fault."""
    if case.job.money is MoneyState.CAPTURED:
        case.transfer("refund", to=MoneyState.REFUNDED)
