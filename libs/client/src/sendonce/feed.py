"""A bot's events in order: read from the store by cursor, woken by the bus, never told by the bus."""

import asyncio
import logging
from collections.abc import AsyncIterator

from contracts.api import Changes, ChangesView
from contracts.events import JobEvent
from sendonce.asking import TRY, Asker
from sendonce.errors import DeadlinePassed, NotConnected, Unavailable
from sendonce.waiting import happens
from sendonce.wire import Wire

log = logging.getLogger("sendonce")

PAGE = 200  # events a request
# An announcement may outrun the moment its event can be read (an older transaction is still open),
# so the store is looked at again soon, then ever more rarely.
SOON = 0.05  # s
POLL = 5.0  # s; the net below lost announcements


async def changes(asker: Asker, wire: Wire, *, after: int) -> AsyncIterator[JobEvent]:
    """Yield every event after the cursor, in order, for ever; ends when the wire is closed."""
    cursor, pause, limit = after, SOON, PAGE
    with wire.news() as wake:
        while not wire.closed:
            wake.clear()
            page = await _read(asker, wire, after=cursor, limit=limit)
            if page is None:
                # A page too large for the bus is silence as well: a smaller one gets through.
                limit = max(1, limit // 4)
                continue
            before = cursor
            for event in page.events:
                if event.seq is not None and event.seq > cursor:
                    cursor, pause = event.seq, SOON
                    yield event
            limit = min(2 * limit, PAGE)
            if cursor == before:
                pause = await _rest(wake, pause)


async def _read(asker: Asker, wire: Wire, *, after: int, limit: int) -> ChangesView | None:
    """Return a page, or None when there is none now and another look is worth it."""
    values = {"after": after, "limit": limit}
    try:
        return await asker.ask("changes", Changes, values, ChangesView, timeout=TRY)
    except (Unavailable, DeadlinePassed) as problem:
        log.warning("events.waiting after=%d problem=%s", after, problem)
        if isinstance(problem, DeadlinePassed):
            # Mostly once, after an outage; as long as it lasts when the two clocks differ.
            with wire.returns() as back:
                await happens(back, within=POLL)
    except NotConnected:
        if not wire.closed:
            raise
    return None


async def _rest(wake: asyncio.Event, pause: float) -> float:
    """Wait for news or the pause; return how long the next rest may last."""
    if await happens(wake, within=pause):
        return SOON
    return min(2 * pause, POLL)
