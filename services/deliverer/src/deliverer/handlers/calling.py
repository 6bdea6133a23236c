"""What every call to a chat shares: the lease, the parked chats, the pauses."""

from chassis.clock import Clock
from contracts.deliveries import DeliveryRequested, DeliveryResult
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

    async def pause(self, seconds: float, lease: Lease) -> None:
        """Wait, but never past the lease."""
        seconds = min(seconds, lease.left(self.clock.monotonic()))
        if seconds > 0:
            await self.clock.sleep(seconds)

    def over(self, lease: Lease) -> bool:
        """Say whether nothing more may be done."""
        return lease.over(self.clock.monotonic())

    def held(self, request: DeliveryRequested) -> Later | None:
        """Answer in Telegram's place while it made this chat, or this bot, wait."""
        now = self.clock.monotonic()
        parked = self._parking.held(request.bot, request.chat_id, now=now)
        if parked is None:
            return None
        after = parked.until - now
        return Later(reason="parked after a 429", after=after, scope=parked.scope)

    def noted(self, request: DeliveryRequested, answer: Answer) -> Parked | None:
        """Park what a 429 is about."""
        if not isinstance(answer, Wait):
            return None
        return self._parking.park(
            request.bot, request.chat_id, after=answer.after, now=self.clock.monotonic()
        )


def widened(result: DeliveryResult, parked: Parked | None) -> DeliveryResult:
    """Say with a `later` how much must wait with it."""
    if parked is None or not isinstance(result, Later):
        return result
    return result.model_copy(update={"scope": parked.scope})
