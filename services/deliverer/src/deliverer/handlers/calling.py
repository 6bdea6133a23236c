"""What every call to a chat shares: the lease, the parked chats, the pauses, the end of work."""

import asyncio

from chassis.clock import Clock
from contracts.deliveries import DeliveryResult
from contracts.outcomes import Later
from deliverer.domain.answers import Answer, Wait
from deliverer.domain.leases import Lease
from deliverer.domain.parking import Parked, Parking


class Calling:
    """Looks before a call and remembers after it, for one process."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody parked."""
        self.clock = clock
        self._parking = Parking()
        self.stopping = asyncio.Event()

    def stop(self) -> None:
        """Let calls in flight end, and begin no other."""
        self.stopping.set()

    async def pause(self, seconds: float, lease: Lease) -> None:
        """Wait, but never past the lease."""
        seconds = min(seconds, self.left(lease))
        if seconds > 0:
            await self.clock.sleep(seconds)

    def left(self, lease: Lease) -> float:
        """Return the seconds in which acting is still allowed; none when we are told to stop."""
        return 0.0 if self.stopping.is_set() else lease.left(self.clock.monotonic())

    def over(self, lease: Lease) -> bool:
        """Say whether nothing more may be done."""
        return self.left(lease) <= 0

    def held(self, bot: str, chat_id: int) -> Later | None:
        """Answer in Telegram's place while it made this chat, or this bot, wait."""
        now = self.clock.monotonic()
        parked = self._parking.held(bot, chat_id, now=now)
        if parked is None:
            return None
        after = parked.until - now
        return Later(reason="parked after a 429", after=after, scope=parked.scope)

    def noted(self, bot: str, chat_id: int, answer: Answer) -> Parked | None:
        """Park what a 429 is about."""
        if not isinstance(answer, Wait):
            return None
        now = self.clock.monotonic()
        return self._parking.park(bot, chat_id, after=answer.after, now=now)


def widened(result: DeliveryResult, parked: Parked | None) -> DeliveryResult:
    """Say with a `later` how much must wait with it."""
    if parked is None or not isinstance(result, Later):
        return result
    return result.model_copy(update={"scope": parked.scope})
