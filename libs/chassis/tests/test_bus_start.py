"""Starting and leaving: a service begins on streams as they should be, and ends as it was told."""

import asyncio
from datetime import timedelta

import nats.errors
import pytest
from faststream.nats import NatsBroker
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from chassis import bus, clock
from chassis_servers import DURABLE, STREAM, NatsServer


async def test_what_stands_as_it_should_is_handed_back(js: JetStreamContext) -> None:
    assert await bus.checked(js, [STREAM], [DURABLE]) is js


async def test_fault_21_every_difference_is_named_before_anything_is_read(
    js: JetStreamContext,
) -> None:
    info = (await js.stream_info("WORK")).config
    await js.update_stream(info.evolve(max_bytes=1024 * 1024))
    await js.delete_consumer("WORK", "worker")

    with pytest.raises(bus.StreamDrift, match="max_bytes is 1048576") as refused:
        await bus.checked(js, [STREAM], [DURABLE])

    assert len(refused.value.drift) == 2
    assert "worker on WORK is missing" in str(refused.value)


async def test_whoever_makes_durables_begins_without_them(js: JetStreamContext) -> None:
    await js.delete_consumer("WORK", "worker")

    assert await bus.checked(js, [STREAM], [DURABLE], absent=False) is js


def test_streams_are_taken_by_name_from_their_owners_table() -> None:
    assert bus.StreamSpec.among([STREAM], "WORK") == [STREAM]
    with pytest.raises(KeyError):
        bus.StreamSpec.among([STREAM], "PLAY")


async def test_a_consumer_is_ready_while_its_durable_answers(
    js: JetStreamContext, broker: NatsBroker, nats_server: NatsServer
) -> None:
    async def handle(_delivered: bus.Delivered) -> None: ...

    consumer = bus.consume(
        broker, stream="WORK", durable="worker", subject="work.done", handler=handle
    )
    await consumer.check()

    await js.delete_consumer("WORK", "worker")
    with pytest.raises(NotFoundError):
        await consumer.check()

    nats_server.stop()
    with pytest.raises((nats.errors.Error, TimeoutError)):
        await consumer.check()


@pytest.mark.parametrize("seconds, ends_by_itself", [(0.05, False), (15, True)])
async def test_on_leaving_a_running_handler_gets_as_long_as_was_told(
    js: JetStreamContext, nats_server: NatsServer, seconds: float, *, ends_by_itself: bool
) -> None:
    begun = asyncio.Event()
    ended: list[str] = []

    async def handle(_delivered: bus.Delivered) -> None:
        begun.set()
        await clock.SYSTEM.sleep(1.0)
        ended.append("by itself")

    patience = timedelta(seconds=seconds)
    async with bus.connected(nats_server.url, name="t", graceful_timeout=patience) as broker:
        consumer = bus.consume(
            broker, stream="WORK", durable="worker", subject="work.done", handler=handle
        )
        running = asyncio.create_task(consumer.run(asyncio.Event()))
        await js.publish("work.done", b"long")
        await asyncio.wait_for(begun.wait(), 5)
        running.cancel()
        await asyncio.wait({running})

        assert (ended == ["by itself"]) is ends_by_itself
