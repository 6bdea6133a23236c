"""The watchdog: a deleted durable comes back where its acks had ended."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from chassis import bus, lifecycle
from chassis.bus import streams
from chassis_servers import DURABLE, STREAM, free_port, until


@asynccontextmanager
async def running(*parts: lifecycle.Part) -> AsyncIterator[None]:
    service = lifecycle.Running("test")
    try:
        for part in parts:
            await service.start(part)
        yield
    finally:
        await service.stop()


class Floors:
    """What a store would keep."""

    def __init__(self) -> None:
        self.kept: int | None = None
        self.asked = 0

    async def get(self, _durable: str) -> int | None:
        self.asked += 1
        return self.kept

    async def put(self, _durable: str, seq: int) -> None:
        self.kept = seq


def watchdog(js: JetStreamContext, floors: Floors) -> bus.ConsumerWatchdog:
    return bus.ConsumerWatchdog(
        js,
        [DURABLE],
        floor=floors.get,
        on_floor=floors.put,
        every=timedelta(seconds=0.3),
        floor_every=timedelta(seconds=0.1),
    )


async def test_messages_flow_again_after_the_durable_was_deleted(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    handled: list[bytes] = []

    async def handle(delivered: bus.Delivered) -> None:
        handled.append(delivered.data)

    floors = Floors()
    consumer = bus.consume(
        broker, stream="WORK", durable="worker", subject="work.done", handler=handle
    )
    async with running(watchdog(js, floors), consumer):
        for number in range(10):
            await js.publish("work.done", str(number).encode())
        await until(lambda: floors.kept == 10)
        cpu = time.process_time()

        await js.delete_consumer("WORK", "worker")
        for number in range(10, 20):
            await js.publish("work.done", str(number).encode())
        await until(lambda: len(handled) == 20, within=3)

        assert time.process_time() - cpu < 1.0

    # Nothing lost, and nothing below the floor came twice.
    assert sorted(map(int, handled)) == list(range(20))


async def test_a_floor_beyond_the_stream_belongs_to_an_earlier_stream(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    floors = Floors()
    floors.kept = 5000
    await js.delete_consumer("WORK", "worker")
    await js.publish("work.done", b"one")

    async with running(watchdog(js, floors)):
        await until(lambda: floors.asked > 0)

        async def waits() -> bool:
            return (await js.consumer_info("WORK", "worker")).num_pending == 1

        await until(waits)


async def test_a_first_connect_ends_at_its_deadline() -> None:
    with pytest.raises(TimeoutError, match="no connection to NATS"):
        await bus.connect(
            f"nats://127.0.0.1:{free_port()}", name="test", deadline=timedelta(seconds=0.2)
        )


async def test_a_missing_stream_does_not_end_the_watching(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    dog = watchdog(js, Floors())
    async with running(dog):
        await dog.check()
        await js.delete_stream("WORK")
        await bus.ensure_streams(js, [STREAM])

        async def back() -> bool:
            return len(await js.consumers_info("WORK")) == 1

        await until(back)


async def test_the_check_fails_for_a_durable_that_never_answered(js: JetStreamContext) -> None:
    with pytest.raises(TimeoutError):
        await watchdog(js, Floors()).check()


async def test_streams_are_ensured_once_and_drift_is_named(js: JetStreamContext) -> None:
    assert await bus.ensure_streams(js, [STREAM], [DURABLE]) == []
    assert await bus.check_streams(js, [STREAM], [DURABLE]) == []

    info = (await js.stream_info("WORK")).config
    await js.update_stream(info.evolve(max_bytes=1024 * 1024))
    await js.delete_consumer("WORK", "worker")

    drift = await bus.check_streams(js, [STREAM], [DURABLE])
    assert len(drift) == 2
    assert "max_bytes is 1048576" in drift[0]
    assert "worker on WORK is missing" in drift[1]

    assert len(await bus.ensure_streams(js, [STREAM], [DURABLE])) == 2
    assert await bus.check_streams(js, [STREAM], [DURABLE]) == []


def test_more_replicas_than_asked_for_are_no_drift() -> None:
    assert streams._stream_drift(STREAM, STREAM.config().evolve(num_replicas=3)) == []
    drift = streams._stream_drift(replace(STREAM, replicas=3), STREAM.config())
    assert drift == ["stream WORK: replicas is 1, should be 3"]


async def test_a_durable_begun_at_a_floor_is_updated_without_moving_its_begin(
    js: JetStreamContext,
) -> None:
    await js.delete_consumer("WORK", "worker")
    await js.add_consumer("WORK", DURABLE.config(after=7).evolve(ack_wait=9.0))

    done = await bus.ensure_streams(js, [STREAM], [DURABLE])

    assert len(done) == 1
    config = (await js.consumer_info("WORK", "worker")).config
    assert (config.opt_start_seq, config.ack_wait) == (8, 2.0)


async def test_a_purge_below_the_floor_keeps_the_rest(js: JetStreamContext) -> None:
    for number in range(10):
        await js.publish("work.done", str(number).encode())

    await bus.purge_below(js, "WORK", seq=8)

    state = (await js.stream_info("WORK")).state
    assert (state.first_seq, state.messages) == (8, 3)
