"""What was answered 200 is still there when NATS' machine loses its power, or its disk fails to sync."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from callback_arrivals import SUCCESS, token
from callback_port import Port, gateway, settings_for
from chassis import bus
from contracts import streams
from contracts.reports import ReportReceived
from contracts.subjects import REPORT_RECEIVED
from deployment import eventually
from job_store.migrate import migrate_bus
from testkit.servers import Durability, NatsServer
from testkit.servers.disk_watch import DiskWatch, why_not
from testkit.servers.power import Unsynced, cut_power

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(reason := why_not()), reason=f"no loss of power: {reason}"),
]

CALLERS = 6
ANSWERED = 50  # callbacks before each loss of power
CUTS = 2
ANSWERED_WITHIN = 40.0  # seconds
SOON = 0.4  # seconds the bus gets to store a callback
ROUNDS, A_ROUND, READ = 6, 60, 45  # messages stored and then purged, again and again


@pytest.fixture
def watch() -> Iterator[DiskWatch]:
    with DiskWatch() as watching:
        yield watching


@asynccontextmanager
async def calling(port: Port) -> AsyncIterator[set[str]]:
    """Call back without pause beside the block; yields the tasks whose callback was answered 200."""
    answered: set[str] = set()
    numbers = count()

    async def caller() -> None:
        for number in numbers:
            task = {"taskId": f"task-{number}", "state": "generating"}
            body = json.dumps({"code": 200, "data": task}).encode()
            if (await port.post(body, token=token())).status_code == 200:
                answered.add(task["taskId"])

    callers = [asyncio.create_task(caller()) for _ in range(CALLERS)]
    try:
        yield answered
    finally:
        for each in callers:
            each.cancel()
        await asyncio.gather(*callers, return_exceptions=True)


async def more(answered: set[str]) -> None:
    """Wait until so many more callbacks were answered."""
    wanted = len(answered) + ANSWERED

    async def enough() -> bool:
        return len(answered) >= wanted

    await eventually(enough, within=ANSWERED_WITHIN)


@asynccontextmanager
async def jetstream_of(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(server.url)
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def stored_tasks(server: NatsServer) -> set[str]:
    """The tasks of the reports that stand in the stream; none when there is no stream."""
    async with jetstream_of(server) as js:
        found: set[str] = set()
        with suppress(NotFoundError):
            state = (await js.stream_info(streams.REPORTS)).state
            for seq in range(max(state.first_seq, 1), state.last_seq + 1):
                message = await js.get_msg(streams.REPORTS, seq)
                found.add(ReportReceived.read(message.data or b"").reading.task_id or "")
        return found


@pytest.mark.parametrize("unsynced", Unsynced)
async def test_fault_19_what_was_answered_200_survives_a_loss_of_power(
    tmp_path: Path, watch: DiskWatch, unsynced: Unsynced
) -> None:
    async with NatsServer(tmp_path / "nats", watch=watch) as server:
        await migrate_bus(server.url)
        async with gateway(settings_for(server.url)) as port, calling(port) as answered:
            for _ in range(CUTS):
                await more(answered)
                before = set(answered)
                await cut_power(server, watch, unsynced=unsynced)
                await server.start()
                assert before - await stored_tasks(server) == set()
            await more(answered)
        stored = await stored_tasks(server)
        missing = await migrate_bus(server.url)

    assert answered - stored == set()
    assert missing == []  # every stream and durable is as it was made


async def test_fault_19_without_syncing_the_same_loss_takes_what_was_answered_200(
    tmp_path: Path, watch: DiskWatch
) -> None:
    async with NatsServer(tmp_path / "nats", watch=watch, durability=Durability.KILL) as server:
        await migrate_bus(server.url)
        await server.stop()
        watch.remember(server.data_directory)  # streams that were made long ago
        await server.start()
        async with gateway(settings_for(server.url)) as port, calling(port) as answered:
            await more(answered)
        before = await stored_tasks(server)
        await cut_power(server, watch)
        await server.start()
        after = await stored_tasks(server)

    assert answered <= before
    assert answered & after == set()


async def test_fault_19_a_purge_takes_nothing_that_is_unread_when_the_power_goes(
    tmp_path: Path, watch: DiskWatch
) -> None:
    async with NatsServer(tmp_path / "nats", watch=watch) as server:
        await migrate_bus(server.url)
        async with jetstream_of(server) as js:
            read, stored = 0, 0
            for _ in range(ROUNDS):
                acks = [await js.publish(REPORT_RECEIVED, b"x" * 2_000) for _ in range(A_ROUND)]
                read, stored = read + READ, acks[-1].seq
                await bus.purge_below(js, streams.REPORTS, seq=read + 1)
        await cut_power(server, watch)
        await server.start()
        async with jetstream_of(server) as js:
            unread = [await js.get_msg(streams.REPORTS, seq) for seq in range(read + 1, stored + 1)]

    assert len(unread) == ROUNDS * (A_ROUND - READ)


async def test_fault_18_a_disk_that_does_not_sync_is_503_and_nothing_answered_200_is_missing(
    tmp_path: Path, watch: DiskWatch
) -> None:
    """NATS stops writing to a stream whose sync failed, until it is started again."""
    async with NatsServer(tmp_path / "nats", watch=watch) as server:
        await migrate_bus(server.url)
        settings = settings_for(server.url, gateway_publish_seconds=SOON)
        async with gateway(settings) as port, calling(port) as answered:
            await more(answered)
            watch.syncs_fail_with = errno.EIO
            failed = await port.post(SUCCESS, token=token())
            before = set(answered)
            watch.syncs_fail_with = 0
            still = await port.post(SUCCESS, token=token())
            assert before == answered

            await cut_power(server, watch)
            await server.start()
            await more(answered)
        stored = await stored_tasks(server)

    assert (failed.status_code, still.status_code) == (503, 503)
    assert answered - stored == set()
