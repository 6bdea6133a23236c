"""On three nodes nothing is lost while one is killed, leaders move, or the majority stands still."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client

from cluster.leaders import elected, leader_of, moved, step_down
from cluster.prober import Probe, calls_back, stores
from contracts import streams
from deployment import eventually
from ensemble import PATIENT, Ensemble, ensemble, errands, troubles
from job_store.migrate import migrate_bus
from judging import kept_digests
from nursery import nursery
from testkit.servers import Durability
from testkit.servers.nats_cluster import NatsCluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    # nats-py drops an attempt that a frozen node never greets without closing its socket.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

JOBS, EVERY = 60, 0.25  # asked for while everything happens
# Seconds, with room for a machine that does four other things; a calm one takes a third of each.
WRITE_GAP = 30.0  # an election takes 4 to 9 after the followers hear nothing
REFUSED_WITHIN = 36.0  # until a callback meets 503 when the majority is gone
APPLIED_WITHIN = 30.0  # what a lost connection had fetched comes again after ten
BACK_WITHIN = 40.0  # until callbacks are stored again when it is back


@pytest_asyncio.fixture
async def three(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    async with NatsCluster(tmp_path / "cluster", durability=Durability.KILL) as cluster:
        await migrate_bus(cluster.url, replicas=3)
        yield cluster


@asynccontextmanager
async def direct(cluster: NatsCluster) -> AsyncIterator[Client]:
    """A client of a bystander's."""
    client = await nats.connect(cluster.url.split(","), **PATIENT)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def probed(running: Ensemble, client: Client) -> AsyncIterator[tuple[Probe, Probe]]:
    """Store and call back steadily beside the block: PubAcks, callbacks."""
    pubacks, callbacks = Probe(), Probe()
    jetstream = client.jetstream()
    async with aiohttp.ClientSession() as session:
        url = f"{running.gateway_url}/callbacks/kie"
        probers = [
            asyncio.create_task(pubacks.go_on(lambda: stores(jetstream))),
            asyncio.create_task(callbacks.go_on(lambda: calls_back(session, url, callbacks))),
        ]
        try:
            yield pubacks, callbacks
        finally:
            for prober in probers:
                prober.cancel()
            await asyncio.gather(*probers, return_exceptions=True)


def tell(what: str, seconds: dict[str, float]) -> None:
    """Print what was measured; seen with `-s`."""
    print(what, json.dumps({name: round(gap, 2) for name, gap in seconds.items()}))  # noqa: T201


async def test_every_stream_stands_on_three_nodes(three: NatsCluster) -> None:
    async with direct(three) as client:
        jetstream = client.jetstream()
        found = [await jetstream.stream_info(stream.name) for stream in streams.STREAMS]
        again = await migrate_bus(three.url, replicas=1)

    assert {info.config.num_replicas for info in found} == {3}
    assert again == []  # more copies than asked for are the operator's choice


async def test_fault_13_16_a_killed_leader_loses_nothing(
    three: NatsCluster, database_url: str, tmp_path: Path
) -> None:
    async with (
        nursery(tmp_path) as born,
        ensemble(
            nats_url=three.url,
            database_url=database_url,
            directory=tmp_path / "logs",
            errands=errands(JOBS),
            nursery=born,
        ) as running,
        direct(three) as client,
        probed(running, client) as (pubacks, callbacks),
        running.load(every=EVERY) as asking,
    ):
        await eventually(lambda: succeeded(pubacks, callbacks), within=10)
        name = await elected(client, streams.REPORTS)
        await led_by(client, name, streams.JOBS)
        killed = time.monotonic()
        await three.node(name).kill()
        await eventually(lambda: succeeded(pubacks, callbacks, since=killed + 1), within=WRITE_GAP)
        await elected(client, streams.REPORTS, other_than=name)
        await three.node(name).start()
        await three.until_healthy()
        moving = time.monotonic()
        moves = [move async for move in moved(client)]
        await asking
        await running.settled(within=60)
        gaps = {
            "killed, PubAcks": pubacks.gap(since=killed, until=moving),
            "killed, callbacks": callbacks.gap(since=killed, until=moving),
            "moved, PubAcks": pubacks.gap(since=moving),
            "moved, callbacks": callbacks.gap(since=moving),
        }
        verdict = await running.verdict()
        await all_applied(callbacks, database_url)

    tell("write gaps, s", gaps)
    assert troubles(verdict) == {}
    assert verdict.shown_once == verdict.delivered > 0
    assert sum(before != after for _, before, after in moves) > len(moves) // 2
    assert max(gaps.values()) < WRITE_GAP, gaps


async def led_by(client: Client, name: str, stream: str) -> None:
    """Hand a stream over to this node, so that one kill takes the leaders of both."""

    async def leads() -> bool:
        if await leader_of(client, stream) != name:
            await step_down(client, stream, for_whom=name)
        return await elected(client, stream) == name

    await eventually(leads, within=20)


async def all_applied(callbacks: Probe, database_url: str) -> None:
    """Wait until every callback that was answered 200 until now is kept."""
    accepted = set(callbacks.accepted)

    async def applied() -> bool:
        return accepted <= await kept_digests(database_url)

    assert accepted
    await eventually(applied, within=APPLIED_WITHIN)


async def succeeded(*probes: Probe, since: float = 0.0) -> bool:
    """Every prober has succeeded after this moment."""
    return all(probe.succeeded and probe.succeeded[-1] > since for probe in probes)


async def test_fault_17_a_minority_refuses_callbacks_and_a_majority_takes_them_again(
    three: NatsCluster, database_url: str, tmp_path: Path
) -> None:
    async with (
        nursery(tmp_path) as born,
        ensemble(
            nats_url=three.url,
            database_url=database_url,
            directory=tmp_path / "logs",
            errands=errands(20),
            nursery=born,
        ) as running,
        direct(three) as client,
        probed(running, client) as (_pubacks, callbacks),
        running.load(every=EVERY),
    ):
        await eventually(lambda: succeeded(callbacks), within=10)
        for node in three.nodes[:2]:
            node.pause()
        frozen = time.monotonic()
        await eventually(lambda: refused(callbacks), within=REFUSED_WITHIN)
        taken = [at for at in callbacks.succeeded if at > frozen + 0.5]
        for node in three.nodes:
            node.resume()
        back = time.monotonic()
        await eventually(lambda: succeeded(callbacks, since=back), within=BACK_WITHIN)
        seconds = callbacks.first(since=back) - back
        await running.settled(within=60)
        verdict = await running.verdict()
        await all_applied(callbacks, database_url)

    tell("callbacks stored again after, s", {"majority back": seconds})
    assert taken == []
    assert set(callbacks.refused) == {"503"}
    assert troubles(verdict) == {}


async def refused(probe: Probe) -> bool:
    return bool(probe.refused)
