"""A lease kept while a large file travels, lest two attempts overtake each other for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from chassis.clock import Clock
from contracts.deliveries import DeliveryRequested
from deliverer.domain.leases import ENDED, Lease
from deliverer.effects import Effects, Granted, Stopped, Unanswered

RENEW_EVERY: Final = 4.0  # seconds; a 15 s lease survives two lost answers


class Held:
    """The lease of one edit as it stands now."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease


class Holding:
    """Asks job-store for more time by repeating that the carrier is ours."""

    def __init__(self, effects: Effects, clock: Clock) -> None:
        self._effects = effects
        self._clock = clock

    @asynccontextmanager
    async def renewed(
        self, request: DeliveryRequested, message_id: int, held: Held
    ) -> AsyncIterator[None]:
        """Keep `held.lease` alive inside the block; told to stop, it ends at once."""
        renewing = asyncio.create_task(self._renew(request, message_id, held), name="lease")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})

    async def _renew(self, request: DeliveryRequested, message_id: int, held: Held) -> None:
        while not held.lease.over(self._clock.monotonic()):
            await self._clock.sleep(RENEW_EVERY)
            verdict = await self._effects.carried(
                request.attempt.id,
                message_id,
                not_after=request.attempt.not_after,
                lease=held.lease,
            )
            match verdict:
                case Granted(message_id=granted, lease=lease) if granted == message_id:
                    held.lease = lease
                case Granted() | Stopped():
                    held.lease = ENDED
                case Unanswered():
                    return
