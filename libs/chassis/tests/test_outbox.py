"""The outbox relay: deleted only after the PubAck, released when there was none."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count

import pytest
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from chassis import bus, lifecycle
from chassis.outbox import OutboxRelay, OutboxRow
from chassis_servers import NatsServer, until


class Rows:
    """A store with leases, as simple as the protocol allows."""

    def __init__(self) -> None:
        self.due: dict[int, OutboxRow] = {}
        self.leased: dict[int, OutboxRow] = {}
        self.claims = 0

    def add(self, *numbers: int) -> list[OutboxRow]:
        rows = [
            OutboxRow(
                id=n, stream="WORK", subject="work.done", msg_id=f"m-{n}", payload=str(n).encode()
            )
            for n in numbers
        ]
        self.due |= {row.id: row for row in rows}
        return rows

    def lease(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            self.leased[row_id] = self.due.pop(row_id)

    async def claim_outbox(self, limit: int) -> list[OutboxRow]:
        self.claims += 1
        ids = list(self.due)[:limit]
        self.lease(ids)
        return [self.leased[row_id] for row_id in ids]

    async def delete_outbox(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            del self.leased[row_id]

    async def release_outbox(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            self.due[row_id] = self.leased.pop(row_id)

    @property
    def empty(self) -> bool:
        return not self.due and not self.leased


def relay(broker: NatsBroker, rows: Rows, *, poll: float = 3600.0) -> OutboxRelay:
    publisher = bus.Publisher(broker.connection, stream_of=lambda _subject: "WORK")
    return OutboxRelay(rows, publisher, poll=timedelta(seconds=poll), claim=50)


@asynccontextmanager
async def running(part: lifecycle.Part) -> AsyncIterator[None]:
    service = lifecycle.Running("test")
    await service.start(part)
    try:
        yield
    finally:
        await service.stop()


async def stored(js: JetStreamContext) -> int:
    return (await js.stream_info("WORK")).state.messages


async def test_committed_rows_are_published_when_woken(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    rows = Rows()
    outbox = relay(broker, rows)

    async with running(outbox):
        await until(lambda: rows.claims == 1)
        rows.add(*range(120))
        outbox.wake()
        await until(lambda: rows.empty)

    assert await stored(js) == 120


async def test_offered_rows_need_no_claim(js: JetStreamContext, broker: NatsBroker) -> None:
    rows = Rows()
    outbox = relay(broker, rows)

    async with running(outbox):
        await until(lambda: rows.claims == 1)
        offered = rows.add(1, 2, 3)
        rows.lease([1, 2, 3])
        outbox.offer(offered)
        await until(lambda: rows.empty)
        assert rows.claims == 1

    assert await stored(js) == 3


async def test_the_poll_finds_rows_nobody_spoke_of(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    rows = Rows()

    async with running(relay(broker, rows, poll=0.05)):
        await until(lambda: rows.claims == 1)
        rows.add(1)
        await until(lambda: rows.empty)


async def test_rows_given_back_do_not_wait_for_the_end_of_a_stream_of_offers(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    rows = Rows()
    outbox = relay(broker, rows, poll=0.1)
    numbers = count(100)

    def goes_on_offering() -> bool:
        if not outbox.held:
            offered = rows.add(next(numbers))
            rows.lease([row.id for row in offered])
            outbox.offer(offered)
        return 1 not in rows.due and 1 not in rows.leased

    async with running(outbox):
        await until(lambda: rows.claims == 1)
        goes_on_offering()
        rows.add(1)
        await until(goes_on_offering)


async def test_rows_published_before_a_crash_are_not_stored_twice(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    await js.publish("work.done", b"2", headers={"Nats-Msg-Id": "m-2"})
    rows = Rows()
    rows.add(*range(5))

    async with running(relay(broker, rows)):
        await until(lambda: rows.empty)

    assert await stored(js) == 5


async def test_an_outage_releases_the_rows_and_the_next_rounds_publish_them(
    js: JetStreamContext,
    broker: NatsBroker,
    nats_server: NatsServer,
) -> None:
    rows = Rows()
    nats_server.kill()
    await until(lambda: not broker.connection.is_connected)
    rows.add(*range(10))

    async with running(relay(broker, rows)):
        await until(lambda: rows.claims >= 2)
        assert len(rows.due) + len(rows.leased) == 10
        nats_server.start()
        await until(lambda: rows.empty, within=10)

    assert await stored(js) == 10


async def test_what_is_offered_beyond_the_bound_waits_for_its_lease(
    js: JetStreamContext, broker: NatsBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.outbox.HELD", 2)
    rows = Rows()
    outbox = relay(broker, rows)

    outbox.offer(rows.add(1, 2, 3))

    assert outbox.held == 2
