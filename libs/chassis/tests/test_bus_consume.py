"""Consuming: the handler's end is the verdict, and a lone message never waits."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from chassis import bus, clock
from chassis.bus.consumer import DurableMissing
from chassis.verdicts import Hopeless, TryLater
from chassis_servers import NatsServer, until


@asynccontextmanager
async def running(part: bus.Consumer) -> AsyncIterator[asyncio.Task[None]]:
    ready = asyncio.Event()
    task = asyncio.create_task(part.run(ready))
    await asyncio.wait_for(ready.wait(), 5)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


def consumer(
    broker: NatsBroker,
    handler: Callable[[bus.Delivered], Awaitable[None]],
    *,
    on_hopeless: Callable[[bus.Delivered, str], Awaitable[None]] | None = None,
    max_workers: int | None = None,
) -> bus.Consumer:
    return bus.consume(
        broker,
        stream="WORK",
        durable="worker",
        subject="work.done",
        handler=handler,
        on_hopeless=on_hopeless,
        max_workers=max_workers,
    )


async def unsettled(js: JetStreamContext) -> int:
    info = await js.consumer_info("WORK", "worker")
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def settled(js: JetStreamContext) -> None:
    async def all_settled() -> bool:
        return await unsettled(js) == 0

    await until(all_settled)


@pytest.mark.alone
@pytest.mark.parametrize("max_workers", [None, 50])
async def test_a_lone_message_is_handled_at_once(
    js: JetStreamContext, broker: NatsBroker, max_workers: int | None
) -> None:
    arrived: dict[bytes, float] = {}

    async def handle(delivered: bus.Delivered) -> None:
        arrived[delivered.data] = time.monotonic()

    async with running(consumer(broker, handle, max_workers=max_workers)):
        for number in range(12):
            data = str(number).encode()
            # Spread over the second between two pulls.
            await clock.SYSTEM.sleep(0.09)
            sent = time.monotonic()
            await js.publish("work.done", data)
            await until(lambda data=data: data in arrived)
            if number:  # the first also pays for imports
                assert arrived[data] - sent < 0.1


async def test_a_handled_message_is_acked(js: JetStreamContext, broker: NatsBroker) -> None:
    seen: list[bus.Delivered] = []

    async def handle(delivered: bus.Delivered) -> None:
        seen.append(delivered)

    async with running(consumer(broker, handle)):
        await js.publish("work.done", b"one", headers={"Nats-Msg-Id": "a", "Trace": "t"})
        await until(lambda: len(seen) == 1)
        await settled(js)

    assert seen[0].data == b"one"
    assert seen[0].headers["Trace"] == "t"
    assert (seen[0].stream_seq, seen[0].num_delivered) == (1, 1)


@pytest.mark.alone
async def test_try_later_comes_back_after_its_time_and_not_before(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    at: list[float] = []

    async def handle(_delivered: bus.Delivered) -> None:
        at.append(time.monotonic())
        if len(at) == 1:
            raise TryLater("not yet", after=timedelta(seconds=0.7))

    async with running(consumer(broker, handle)):
        await js.publish("work.done", b"one")
        await until(lambda: len(at) == 2)
        await settled(js)

    assert 0.65 < at[1] - at[0] < 1.2


async def test_hopeless_is_kept_as_a_dead_letter_then_acked(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    dead: list[tuple[bytes, str]] = []

    async def handle(_delivered: bus.Delivered) -> None:
        raise Hopeless("unreadable")

    async def bury(delivered: bus.Delivered, reason: str) -> None:
        dead.append((delivered.data, reason))

    async with running(consumer(broker, handle, on_hopeless=bury)):
        await js.publish("work.done", b"junk")
        await until(lambda: len(dead) == 1)
        await settled(js)

    assert dead == [(b"junk", "unreadable")]


async def test_a_dead_letter_that_cannot_be_kept_is_not_acked(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    tries: list[str] = []

    async def handle(_delivered: bus.Delivered) -> None:
        raise Hopeless("unreadable")

    async def bury(_delivered: bus.Delivered, reason: str) -> None:
        tries.append(reason)
        if len(tries) == 1:
            raise ConnectionError

    async with running(consumer(broker, handle, on_hopeless=bury)):
        await js.publish("work.done", b"junk")
        await until(lambda: len(tries) == 2)
        await settled(js)


async def test_a_bug_comes_again_ever_later_and_is_no_hot_loop(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    deliveries: list[int] = []

    async def handle(delivered: bus.Delivered) -> None:
        deliveries.append(delivered.num_delivered)
        if delivered.num_delivered < 3:
            raise ZeroDivisionError

    async with running(consumer(broker, handle)):
        await js.publish("work.done", b"one")
        took = await until(lambda: len(deliveries) == 3)
        await settled(js)

    assert deliveries == [1, 2, 3]
    assert took > 0.7


async def test_fault_33_one_poison_message_does_not_hold_up_its_batch(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    handled: set[bytes] = set()

    async def handle(delivered: bus.Delivered) -> None:
        if delivered.data == b"5":
            raise ZeroDivisionError
        handled.add(delivered.data)

    for number in range(20):
        await js.publish("work.done", str(number).encode())
    async with running(consumer(broker, handle)):
        await until(lambda: len(handled) == 19, within=2)


@pytest.mark.parametrize("max_workers", [None, 50])
async def test_stopping_lets_a_running_handler_finish_and_ack(
    js: JetStreamContext, broker: NatsBroker, max_workers: int | None
) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def handle(_delivered: bus.Delivered) -> None:
        begun.set()
        await release.wait()

    async with running(consumer(broker, handle, max_workers=max_workers)) as task:
        await js.publish("work.done", b"one")
        await begun.wait()
        task.cancel()
        release.set()
        await asyncio.wait({task}, timeout=5)

    assert task.done()
    await settled(js)


async def test_no_more_handlers_than_workers_run_at_once(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    running_now, most, handled = 0, 0, 0

    async def handle(_delivered: bus.Delivered) -> None:
        nonlocal running_now, most, handled
        running_now += 1
        most = max(most, running_now)
        await clock.SYSTEM.sleep(0.01)
        running_now -= 1
        handled += 1

    for number in range(20):
        await js.publish("work.done", str(number).encode())
    async with running(consumer(broker, handle, max_workers=3)):
        await until(lambda: handled == 20, within=5)

    assert most == 3


async def test_a_durable_that_does_not_stand_is_refused_not_made(
    js: JetStreamContext, broker: NatsBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.bus.consumer.DURABLE_DEADLINE", 0.0)
    await js.delete_consumer("WORK", "worker")

    async def handle(_delivered: bus.Delivered) -> None:
        raise AssertionError

    with pytest.raises(DurableMissing):
        await consumer(broker, handle).run(asyncio.Event())

    assert await js.consumers_info("WORK") == []


async def insist(out: bus.Publisher, number: int) -> None:
    """Publish under one stable id until there is a PubAck."""
    data = str(number).encode()
    outgoing = bus.Outgoing(subject="work.done", data=data, msg_id=f"m-{number}")
    while True:
        try:
            await out.publish(outgoing)
        except bus.NotStored:
            await clock.SYSTEM.sleep(0.05)
        else:
            return


async def test_fault_13_nothing_is_lost_when_nats_dies_while_consuming_and_publishing(
    js: JetStreamContext, broker: NatsBroker, nats_server: NatsServer
) -> None:
    handled: Counter[bytes] = Counter()
    out = bus.Publisher(broker.connection, stream_of=lambda _subject: "WORK")
    done = asyncio.Event()

    async def handle(delivered: bus.Delivered) -> None:
        handled[delivered.data] += 1

    async def writer(first: int) -> None:
        number = first
        while not done.is_set() or number < 400 + first:
            await insist(out, number)
            number += 4

    async with running(consumer(broker, handle)):
        writers = [asyncio.create_task(writer(first)) for first in range(4)]
        for enough in (50, 150):
            await until(lambda enough=enough: len(handled) >= enough, within=10)
            nats_server.kill()
            await until(lambda: not broker.connection.is_connected)
            nats_server.start()
        done.set()
        await asyncio.gather(*writers)
        stored = (await js.stream_info("WORK")).state.messages
        await until(lambda: len(handled) == stored, within=15)
        await settled(js)

    numbers = {int(data) for data in handled}
    assert numbers == set(range(len(numbers)))
    assert stored == len(numbers)
