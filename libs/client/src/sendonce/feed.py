"""A bot's events in order: read from the store by cursor, woken by the bus, never told by the bus."""

import asyncio
import logging
from collections.abc import AsyncIterator

from contracts.api import Changes, ChangesView
from contracts.events import JobEvent
from sendonce.asking import TRY, Asker
from sendonce.errors import NotConnected, Unavailable
from sendonce.link import Link
from sendonce.waiting import happens

log = logging.getLogger("sendonce")

PAGE = 200  # events a request
# An announcement may outrun the moment its event can be read (an older transaction is still open),
# so the store is looked at again soon, then ever more rarely.
SOON = 0.05  # s
POLL = 5.0  # s; the net below lost announcements


async def changes(asker: Asker, link: Link, *, after: int) -> AsyncIterator[JobEvent]:
    """Yield every event after the cursor, in order, for ever; ends when the link is closed."""
    cursor, pause, limit = after, SOON, PAGE
    with link.news() as wake:
        while not link.closed:
            wake.clear()
            try:
                page = await _read(asker, after=cursor, limit=limit)
            except Unavailable as problem:
                log.warning("events.waiting after=%d problem=%s", cursor, problem.message)
                # A page too large for the bus is silence as well: a smaller one gets through.
                limit = max(1, limit // 4)
                continue
            except NotConnected:
                if link.closed:
                    return
                raise
            before = cursor
            for event in page.events:
                if event.seq is not None and event.seq > cursor:
                    cursor, pause = event.seq, SOON
                    yield event
            limit = min(2 * limit, PAGE)
            if cursor == before:
                pause = await _rest(wake, pause)


async def _read(asker: Asker, *, after: int, limit: int) -> ChangesView:
    values = {"after": after, "limit": limit}
    return await asker.ask("changes", Changes, values, ChangesView, timeout=TRY)


async def _rest(wake: asyncio.Event, pause: float) -> float:
    """Wait for news or the pause; return how long the next rest may last."""
    if await happens(wake, within=pause):
        return SOON
    return min(2 * pause, POLL)
