"""The double's money: a balance and a hold per user and currency, and a line for every move."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contracts.api import JobView, LedgerLine, StatementView, TopUp, WalletRef, WalletView
from contracts.message import Value
from contracts.refusals import Refusal, RefusalName
from contracts.values import MoneyState

Owner = tuple[int, str]
CURRENCY = "RUB"  # of the double's bot, for jobs that name none
STATEMENT_LINES = 100
# What a move does to balance and hold, and what the job's money is then.
MOVES = {
    "hold": (-1, 1, MoneyState.HELD),
    "capture": (0, -1, MoneyState.CAPTURED),
    "release": (1, -1, MoneyState.RELEASED),
    "refund": (1, 0, MoneyState.REFUNDED),
}


def now() -> datetime:
    """The moment things happen at."""
    return datetime.fromtimestamp(time.time(), UTC)


@dataclass(slots=True)
class Purse:
    """Every wallet of the bot."""

    wallets: dict[Owner, WalletView] = field(default_factory=dict)
    lines: list[tuple[Owner, LedgerLine]] = field(default_factory=list)
    credits: dict[str, tuple[int, str, int]] = field(default_factory=dict)

    def wallet(self, ask: WalletRef) -> WalletView:
        """What a user has; zeros when there is no wallet."""
        empty = WalletView(user_id=ask.user_id, currency=ask.currency, balance=0, held=0)
        return self.wallets.get((ask.user_id, ask.currency), empty)

    def topup(self, ask: TopUp) -> Value:
        """Credit a payment once, by its reference."""
        told = (ask.user_id, ask.currency, ask.amount)
        if self.credits.setdefault(ask.reference, told) != told:
            return Refusal(
                code=RefusalName.REFERENCE_CONFLICT,
                message="this reference credited another amount or user",
                hint="a reference names one payment",
            )
        owner = (ask.user_id, ask.currency)
        if not any(line.reference == ask.reference for _, line in self.lines):
            self._write(owner, kind="topup", amount=ask.amount, reference=ask.reference)
            self._move(owner, balance=ask.amount, held=0)
        return self.wallet(ask)

    def statement(self, ask: WalletRef) -> StatementView:
        """A wallet and its latest lines, the newest first."""
        owner = (ask.user_id, ask.currency)
        lines = [line for whose, line in reversed(self.lines) if whose == owner]
        return StatementView(wallet=self.wallet(ask), lines=tuple(lines[:STATEMENT_LINES]))

    def lacks(self, owner: Owner, price: int) -> int | None:
        """The balance, when it is below the price."""
        wallet = self.wallets.get(owner)
        balance = wallet.balance if wallet else 0
        return balance if balance < price else None

    def move(self, job: JobView, kind: str) -> MoneyState:
        """Move a job's price; return what its money is then. A price of 0 has no lines."""
        if not job.price:
            return MoneyState.NONE
        to_balance, to_held, state = MOVES[kind]
        owner = (job.user_id, job.currency)
        self._move(owner, balance=to_balance * job.price, held=to_held * job.price)
        self._write(owner, kind=kind, amount=job.price, job=job)
        return state

    def _move(self, owner: Owner, *, balance: int, held: int) -> None:
        user_id, currency = owner
        before = self.wallets.get(owner)
        self.wallets[owner] = WalletView(
            user_id=user_id,
            currency=currency,
            balance=(before.balance if before else 0) + balance,
            held=(before.held if before else 0) + held,
        )

    def _write(
        self,
        owner: Owner,
        *,
        kind: str,
        amount: int,
        job: JobView | None = None,
        reference: str | None = None,
    ) -> None:
        line = LedgerLine(
            id=len(self.lines) + 1,
            at=now(),
            kind=kind,
            amount=amount,
            job_id=job.id if job else None,
            reference=reference,
        )
        self.lines.append((owner, line))
