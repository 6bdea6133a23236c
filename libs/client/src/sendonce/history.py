"""What became of a bot's jobs: page by page, or as an endless loop that survives restarts."""

from collections.abc import AsyncGenerator

from contracts.api import Changes, ChangesView
from contracts.events import JobEvent
from sendonce import feed
from sendonce.asking import Asker
from sendonce.cursors import Cursor
from sendonce.errors import InvalidRequest
from sendonce.wire import Wire


class History:
    """What a bot may ask about the events of its jobs."""

    _asker: Asker
    _wire: Wire

    async def changes(
        self, after: int = 0, limit: int = 200, *, timeout: float | None = None
    ) -> ChangesView:
        """Return one page of events after a cursor, in order; empty when nothing happened since.

        Args:
            after: `next` of the page before, or the `seq` of an event; 0 begins with the oldest kept.
            limit: how many, 1 to 500.
            timeout: seconds to keep asking.
        """
        values = {"after": after, "limit": limit}
        return await self._asker.ask("changes", Changes, values, ChangesView, timeout=timeout)

    async def events(
        self, after: int | None = None, *, cursor: Cursor | None = None
    ) -> AsyncGenerator[JobEvent, None]:
        """Yield what becomes of this bot's jobs, in order and without gaps, until `close`.

        It first catches up with what happened meanwhile, then waits for news. Outages of NATS and of
        sendonce are waited out, not raised.

        To go on where the process before this one ended, hand in a `cursor` (see `FileCursor`): an
        event is saved there when the loop comes back for the next one. Or store `event.seq` with what
        you did, and hand it in as `after`. An event whose seq was not stored comes again after a
        restart; `event.id` is the same then.

        Args:
            after: go on after this `event.seq`; None begins with the oldest event kept.
            cursor: where to go on from, and where to keep it.

        Raises:
            InvalidRequest: both were given.
        """
        if cursor is None:
            async for event in feed.changes(self._asker, self._wire, after=after or 0):
                yield event
            return
        if after is not None:
            raise InvalidRequest("events takes after= or cursor=, not both")
        begin = await cursor.load()
        async for event in feed.changes(self._asker, self._wire, after=begin or 0):
            yield event
            # Whoever asks for the next event is done with this one.
            await cursor.save(event.seq or 0)
