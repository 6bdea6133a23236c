"""The doors for money: what a user has, what they paid, what it went on. Always an int of minor units."""

from contracts.api import StatementView, TopUp, WalletRef, WalletView
from sendonce.asking import Asker


class Wallets:
    """What a bot may ask about its users' wallets; each user has one per currency."""

    _asker: Asker

    async def wallet(
        self, user_id: int, currency: str, *, timeout: float | None = None
    ) -> WalletView:
        """Return what a user may spend and what is held, in minor units; zeros when there is no wallet."""
        values = {"user_id": user_id, "currency": currency}
        return await self._asker.ask("wallets.get", WalletRef, values, WalletView, timeout=timeout)

    async def topup(
        self,
        user_id: int,
        *,
        currency: str,
        amount: int,
        reference: str,
        timeout: float | None = None,
    ) -> WalletView:
        """Credit a payment, once however often it is told.

        Args:
            user_id: whose wallet.
            currency: ISO 4217, or XTR.
            amount: minor units, more than 0.
            reference: the payment's own id, such as Telegram's ``telegram_payment_charge_id``.
            timeout: seconds to keep asking.

        Raises:
            ReferenceConflict: this reference credited another user or amount; that credit stands.
        """
        owner = {"user_id": user_id, "currency": currency}
        values = {**owner, "amount": amount, "reference": reference}
        return await self._asker.ask("wallets.topup", TopUp, values, WalletView, timeout=timeout)

    async def statement(
        self, user_id: int, currency: str, *, timeout: float | None = None
    ) -> StatementView:
        """Return a wallet with its latest ledger lines, amounts in minor units, the newest first."""
        values = {"user_id": user_id, "currency": currency}
        return await self._asker.ask(
            "wallets.statement", WalletRef, values, StatementView, timeout=timeout
        )
