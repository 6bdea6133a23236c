"""The outbox relay: rows written with a commit are published, then deleted after their PubAck."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from chassis.bus.publish import NotStored, Outgoing, Publisher, Stored, TooLarge
from chassis.loops import Periodic
from chassis.metrics import counter

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One message waiting to be published; `id` is the row's, `msg_id` the fact's."""

    id: int
    stream: str
    subject: str
    msg_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: bytes


class OutboxStore(Protocol):
    """What the relay asks of a store. No transaction is held between these calls."""

    async def claim_outbox(self, limit: int) -> list[OutboxRow]:
        """Lease up to `limit` due rows to this process (SKIP LOCKED, a short lease)."""
        ...

    async def delete_outbox(self, ids: Sequence[int]) -> None:
        """Delete rows whose PubAck has come."""
        ...

    async def release_outbox(self, ids: Sequence[int]) -> None:
        """Give leased rows back at once, for whoever claims next."""
        ...


POLL = timedelta(seconds=0.5)  # the net under the wake-ups
CLAIM = 500  # rows, one atomic batch
LONGEST_PAUSE = timedelta(seconds=2)  # between rounds in an outage: the end of it is noticed soon
HELD = 5_000  # offered rows kept in memory; beyond it they wait in Postgres for their lease to end

_RELAYED = counter(
    "outbox_rows_total",
    "Outbox rows by what became of them.",
    ["outcome"],
    known=["stored", "released", "left_to_lease"],
)


class OutboxRelay:
    """A part: publishes claimed and offered rows, all streams side by side.

    A row is deleted only after its PubAck and carries the same id every time, so a crash between
    the two costs a duplicate that the stream or the reader drops. Rows that were not stored are
    released and, after a growing pause, claimed again.
    """

    name = "outbox-relay"

    def __init__(
        self,
        store: OutboxStore,
        publisher: Publisher,
        *,
        poll: timedelta = POLL,
        claim: int = CLAIM,
    ) -> None:
        """`poll` bounds how long a row waits that nobody woke it for; `claim` is one round's rows."""
        self._store = store
        self._publisher = publisher
        self._claim = claim
        self._offered: deque[OutboxRow] = deque()
        self._poll = poll.total_seconds()
        self._claimed_at = float("-inf")
        self._loop = Periodic(self.name, self.round, every=poll, longest_pause=LONGEST_PAUSE)

    @property
    def held(self) -> int:
        """Offered rows not published yet; who offers may slow down by it."""
        return len(self._offered)

    def wake(self) -> None:
        """Say that rows were committed; they are claimed at once."""
        self._loop.wake()

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Hand over committed rows that this process inserted already leased: no claim needed.

        Beyond the bound they are dropped here, not lost: the end of their lease makes them due.
        """
        room = max(0, HELD - len(self._offered))
        self._offered.extend(rows[:room])
        if len(rows) > room:
            _RELAYED.labels("left_to_lease").inc(len(rows) - room)
        self._loop.wake()

    async def run(self, ready: asyncio.Event) -> None:
        """Relay until cancelled."""
        await self._loop.run(ready)

    async def round(self) -> bool:
        """Relay once; true when more rows may be waiting. Raises `NotStored` to be paused."""
        rows = await self._left_by_others()
        room = min(self._claim - len(rows), len(self._offered))
        rows += [self._offered.popleft() for _ in range(room)]
        if not rows:
            return False
        refused = await self._relay(rows)
        if refused is not None:
            raise refused
        return bool(self._offered) or len(rows) >= self._claim

    async def _left_by_others(self) -> list[OutboxRow]:
        # Also while offers never cease: rows that were given back would wait until they do.
        now = time.monotonic()
        if self._offered and now < self._claimed_at + self._poll:
            return []
        self._claimed_at = now
        return await self._store.claim_outbox(self._claim)

    async def _relay(self, rows: Sequence[OutboxRow]) -> NotStored | None:
        answers = await self._publish(rows)
        pairs = list(zip(rows, answers, strict=True))
        stored = [row.id for row, answer in pairs if isinstance(answer, Stored)]
        unstored = [row.id for row, answer in pairs if isinstance(answer, NotStored)]
        for row, answer in pairs:
            if isinstance(answer, TooLarge):
                # Not released: it comes again with the end of its lease, not in a hot loop.
                log.error("outbox.row_too_large", row=row.id, subject=row.subject, size=answer.size)
        if stored:
            await self._store.delete_outbox(stored)
            _RELAYED.labels("stored").inc(len(stored))
        if unstored:
            _RELAYED.labels("released").inc(len(unstored))
            await self._store.release_outbox(unstored)
        refusals = (answer for answer in answers if isinstance(answer, NotStored))
        return next(refusals, None)

    async def _publish(self, rows: Sequence[OutboxRow]) -> list[Stored | NotStored | TooLarge]:
        # One call: the publisher keeps a batch per stream, and streams go side by side.
        return await self._publisher.publish_many(
            [
                Outgoing(
                    subject=row.subject, data=row.payload, msg_id=row.msg_id, headers=row.headers
                )
                for row in rows
            ]
        )
