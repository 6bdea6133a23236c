"""The bot of the demo: goes through the SDK as any bot would, and asks again when a kill outlasts its patience."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sendonce import (
    DeadlinePassed,
    JobOptions,
    JobView,
    SendOnce,
    Unavailable,
    UnknownJob,
    WalletView,
)
from sendonce_cli.demo.errands import Errand, User

Answer = TypeVar("Answer")


class Bot:
    """One bot of the deployment."""

    def __init__(self, sendonce: SendOnce) -> None:
        self._sendonce = sendonce

    async def top_up(self, user: User, amount: int) -> None:
        """Credit a payment."""
        await _insist(
            lambda: self._sendonce.topup(
                user.id, currency=user.currency, amount=amount, reference=f"demo-{user.id}"
            )
        )

    async def create(self, errand: Errand) -> JobView:
        """Have the job submitted by sendonce."""
        ware = errand.ware
        return await _insist(
            lambda: self._sendonce.create(
                family=ware.family, model=ware.model, input=errand.input, **_options(errand)
            )
        )

    async def expect(self, errand: Errand) -> JobView:
        """Announce a task the bot submits itself."""
        return await _insist(
            lambda: self._sendonce.expect(family=errand.ware.family, **_options(errand))
        )

    async def attach(self, job: JobView, task_id: str) -> JobView:
        """Tell which task the job has become."""
        return await _insist(lambda: self._sendonce.attach(job.id, task_id))

    async def get(self, key: str) -> JobView | None:
        """Look a job up by the bot's own key; None when there is none."""
        try:
            return await _insist(lambda: self._sendonce.get(key=key))
        except UnknownJob:
            return None

    async def wallet(self, user: User) -> WalletView:
        """Look at a balance."""
        return await _insist(lambda: self._sendonce.wallet(user.id, user.currency))


async def _insist(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until there is an answer: the same key never acts twice, and the run has its own deadline."""
    while True:
        try:
            return await ask()
        except (Unavailable, DeadlinePassed):  # late by a hair is as unanswered
            continue


def _options(errand: Errand) -> JobOptions:
    return {
        "key": errand.key,
        "chat_id": errand.user.id,
        "user_id": errand.user.id,
        "language": errand.user.language,
        "price": errand.ware.price,
        "currency": errand.user.currency,
        "caption": errand.prompt.capitalize(),
    }
