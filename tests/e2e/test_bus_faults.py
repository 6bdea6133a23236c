"""What the bus may forget, repeat or lose under running services: every result stands once all the same."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from chassis.bus import connection
from contracts import streams
from contracts.api import JobView
from contracts.values import JobState
from deployment import Deployment, deployed, eventually
from job_store.migrate import migrate_bus
from testkit.servers import Durability, NatsServer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(150),
    # nats-py drops an attempt that a frozen server never greets without closing its socket.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

JOBS, PRICE = 8, 100
AT_REST_WITHIN = 60.0  # seconds; what a lost connection had fetched comes again after ten
WINDOW = 0.1  # seconds of a dedupe window that is soon over: the least NATS takes
PING = 0.3  # seconds between pings; three without an answer are a dead server
SERVICES = 5
OWN = ("Nats-Msg-Id", "traceparent")  # headers of a message, without those of its batch


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A deployment on a NATS of its own."""

    running: Deployment
    nats: NatsServer

    @property
    def js(self) -> JetStreamContext:
        return self.running.client.jetstream()

    async def delivered(self, name: str) -> list[JobView]:
        """Have some jobs paid for and delivered."""
        shown = self.running
        await shown.sendonce.topup(
            user_id=7, currency="RUB", amount=JOBS * PRICE, reference=f"for-{name}"
        )
        jobs = [
            await shown.sendonce.create(
                key=f"{name}-{number}",
                chat_id=100 + number,
                user_id=7,
                model="m",
                input={"prompt": name},
                price=PRICE,
                currency="RUB",
            )
            for number in range(JOBS)
        ]
        return await shown.until_final(*jobs, within=60)

    async def at_rest(self) -> dict[str, int]:
        """Wait until every durable has read and acknowledged everything; what this server handed to each."""

        async def quiet() -> dict[str, int] | None:
            handed = {}
            for each in streams.CONSUMERS:
                asked = f"$JS.API.CONSUMER.INFO.{each.stream}.{each.durable}"
                found = json.loads((await self.running.client.request(asked, timeout=5)).data)
                if found["num_pending"] or found["num_ack_pending"]:
                    return None
                # A server knows since when only of what it handed out itself.
                is_its_own = "last_active" in found["delivered"]
                handed[each.durable] = found["delivered"]["consumer_seq"] if is_its_own else 0
            return handed

        return await eventually(quiet, within=AT_REST_WITHIN)

    async def is_right(self, jobs: list[JobView]) -> None:
        """Assert that nothing was lost and nothing done twice."""
        shown = self.running
        assert {job.state for job in jobs} == {JobState.DELIVERED}
        assert [shown.showings(job) for job in jobs] == [[1]] * len(jobs)
        assert len(shown.kie.tasks()) == len(jobs)
        wallet = await shown.sendonce.wallet(user_id=7, currency="RUB")
        assert (wallet.balance, wallet.held) == (0, 0)
        broken = [f["check"] for f in (await shown.ops("doctor"))["findings"] if not f["ok"]]
        assert broken == []


@asynccontextmanager
async def scene(database_url: str, directory: Path) -> AsyncIterator[Scene]:
    async with (
        NatsServer(directory, durability=Durability.KILL) as nats,
        deployed(database_url=database_url, nats_url=nats.url) as running,
    ):
        yield Scene(running=running, nats=nats)


async def test_fault_14_everything_redelivered_after_a_kill_is_done_once(
    database_url: str, tmp_path: Path
) -> None:
    """Acks reach the disk some time later: at the worst a killed server knows of none."""
    async with scene(database_url, tmp_path / "own-nats") as on:
        jobs = await on.delivered("before")
        handed = await on.at_rest()

        await on.nats.kill()
        forget_acks(on.nats.data_directory / "store")
        await on.nats.start()
        again = await on.at_rest()

        assert len([durable for durable in handed if handed[durable] >= JOBS]) >= 4
        assert all(again[durable] >= handed[durable] for durable in handed)
        await on.is_right([*jobs, *await on.delivered("after")])


def forget_acks(store: Path) -> None:
    """Take from every durable what it knew; how it is configured stays."""
    states = list(store.rglob("obs/*/o.dat"))
    assert states
    for state in states:
        state.unlink()


async def test_fault_15_a_message_repeated_after_a_restart_is_known_or_done_once(
    database_url: str, tmp_path: Path
) -> None:
    """Inside the dedupe window a restarted server still knows it; outside it is stored, and nothing follows."""
    async with scene(database_url, tmp_path / "own-nats") as on:
        jobs = await on.delivered("before")
        await on.at_rest()
        await on.nats.restart()
        inside = {each.name: await repeated(on.js, each.name) for each in streams.STREAMS}

        for each in streams.STREAMS:
            config = (await on.js.stream_info(each.name)).config
            await on.js.update_stream(config.evolve(duplicate_window=WINDOW))
        await on.nats.restart()
        for each in (streams.REPORTS, streams.OUTCOMES, streams.SUBMISSIONS, streams.DELIVERIES):
            await stored_again(on.js, each)
        await on.at_rest()

        assert set(inside.values()) == {0}
        await on.is_right([*jobs, *await on.delivered("after")])


async def repeated(js: JetStreamContext, stream: str) -> int:
    """Publish every message of a stream once more; how many were stored."""
    last, stored = (await js.stream_info(stream)).state.last_seq, 0
    for seq in range(1, last + 1):
        try:
            kept = await js.get_msg(stream, seq)
        except NotFoundError:  # purged
            continue
        assert kept.subject is not None
        headers = {name: each for name, each in (kept.headers or {}).items() if name in OWN}
        again = await js.publish(kept.subject, kept.data or b"", headers=headers)
        stored += not again.duplicate
    return stored


async def stored_again(js: JetStreamContext, stream: str) -> None:
    """Repeat a stream until it is taken for new, as it is once the window is over."""

    async def taken() -> int:
        return await repeated(js, stream)

    await eventually(taken, within=10)


async def test_fault_20_streams_deleted_under_running_services_are_refused_then_go_on(
    database_url: str, tmp_path: Path
) -> None:
    async with scene(database_url, tmp_path / "own-nats") as on:
        jobs = await on.delivered("before")

        for stream in (streams.REPORTS, streams.OUTCOMES, streams.DELIVERIES):
            await on.js.delete_stream(stream)
        async with httpx.AsyncClient(timeout=20) as kie:
            answer = await kie.post(
                f"{on.running.gateway_url}/callbacks/kie",
                json={"code": 200, "data": {"taskId": "t", "state": "generating"}},
            )
        await migrate_bus(on.nats.url)

        assert answer.status_code == 503
        await on.is_right([*jobs, *await on.delivered("after")])


async def test_fault_22_a_server_frozen_for_longer_than_the_ping_window_is_left_and_found_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PING_INTERVAL", PING)
    async with scene(database_url, tmp_path / "own-nats") as on:
        jobs = await on.delivered("before")
        lost = connection._EVENTS.labels("disconnected")
        before = lost._value.get()

        async def all_noticed() -> bool:
            return lost._value.get() - before >= SERVICES

        on.nats.pause()
        await eventually(all_noticed, within=15)
        on.nats.resume()

        await on.is_right([*jobs, *await on.delivered("after")])
