"""A gateway that is killed around its one publish, and two that hear the same thing at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from callback_arrivals import SUCCESS, TOKEN_KEY, setting, token
from callback_port import Reports, gateway, settings_for
from testkit.links import Link, PubAcks, State
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec, environment, python_module
from testkit.processes.waiting import holds
from testkit.servers.nats import NatsServer

SOON = 10.0  # seconds a fact may take to become true
NEW_KEY = b"n" * 32


@pytest.fixture
async def link(bus_server: NatsServer) -> AsyncIterator[Link]:
    """What the gateway's words to NATS pass through."""
    async with Link(bus_server.port, port=free_port()) as made:
        yield made


@pytest.fixture
async def process(link: Link, tmp_path: Path) -> AsyncIterator[tuple[ServiceProcess, int]]:
    """A gateway as it is deployed, and its public port."""
    port, health = free_port(), free_port()
    spec = ServiceSpec(
        name="gateway",
        command=python_module("callback_gateway"),
        log=tmp_path / "gateway.log",
        env=environment(
            {
                "SENDONCE_NATS_URL": f"nats://{LOOPBACK}:{link.port}",
                "SENDONCE_GATEWAY_PORT": str(port),
                "SENDONCE_HEALTH_PORT": str(health),
                "SENDONCE_CALLBACK_KEYS": setting(),
            }
        ),
        ready_url=f"http://{LOOPBACK}:{health}/readyz",
    )
    async with ServiceProcess(spec) as running:
        yield running, port


@asynccontextmanager
async def called_back(port: int) -> AsyncIterator["asyncio.Task[httpx.Response]"]:
    """KIE's call, under way."""
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=20) as http:
        path, head = f"/callbacks/kie/{token()}", {"content-type": "application/json"}
        call = asyncio.create_task(http.post(path, content=SUCCESS, headers=head))
        yield call
        if not call.done():
            call.cancel()
        await asyncio.gather(call, return_exceptions=True)


async def until_stored(reports: Reports) -> None:
    async with asyncio.timeout(SOON):
        while not await reports.count():
            pass


async def again_after_a_kill(process: ServiceProcess, port: int) -> int:
    """Kill the gateway, start it, and let KIE repeat itself; returns the answer's status."""
    await process.kill()
    await process.start()
    async with called_back(port) as repeated:
        return (await repeated).status_code


async def test_fault_01_killed_before_the_publish_nothing_is_answered_and_the_repeat_is_stored(
    process: tuple[ServiceProcess, int], link: Link, reports: Reports
) -> None:
    running, port = process
    link.set(State.SILENT)
    async with called_back(port) as first:
        assert not (await asyncio.wait({first}, timeout=0.5))[0]
        await running.kill()
        link.cut()
        with pytest.raises(httpx.TransportError):
            await first
    link.set(State.OPEN)
    assert await reports.are_empty()

    assert await again_after_a_kill(running, port) == 200
    assert await reports.count() == 1


async def test_fault_02_killed_before_the_puback_the_repeat_is_the_same_message(
    process: tuple[ServiceProcess, int], link: Link, reports: Reports
) -> None:
    running, port = process
    link.set(State.DEAF)
    async with called_back(port) as first:
        await until_stored(reports)
        await running.kill()
        with pytest.raises(httpx.TransportError):
            await first
    link.set(State.OPEN)

    assert await again_after_a_kill(running, port) == 200
    assert await reports.count() == 1


async def test_fault_03_killed_before_its_answer_the_repeat_is_the_same_message(
    process: tuple[ServiceProcess, int], reports: Reports
) -> None:
    """The answer is on its way, and its caller hears the connection break instead."""
    running, port = process
    async with Link(port, port=free_port()) as street, called_back(street.port) as first:
        street.set(State.DEAF)
        assert await holds(lambda: "callback.stored" in running.log_tail(), within=SOON)
        await running.kill()
        street.cut()
        with pytest.raises(httpx.TransportError):
            await first

    assert await again_after_a_kill(running, port) == 200
    assert await reports.count() == 1


async def test_fault_02_a_stolen_puback_is_asked_for_again_under_the_same_id(
    bus_server: NatsServer, reports: Reports
) -> None:
    robber = PubAcks()
    async with (
        Link(bus_server.port, port=free_port(), robber=robber) as robbed,
        gateway(settings_for(f"nats://{LOOPBACK}:{robbed.port}")) as port,
    ):
        robber.steal()

        answer = await port.post(SUCCESS, token=token())

    assert (answer.status_code, robber.stolen) == (200, 1)
    assert await reports.count() == 1


async def test_fault_06_the_same_callback_at_once_on_two_replicas_is_stored_once(
    bus_server: NatsServer, reports: Reports
) -> None:
    async with (
        gateway(settings_for(bus_server.url)) as one,
        gateway(settings_for(bus_server.url)) as two,
    ):
        for attempt in range(1, 21):
            answers = await asyncio.gather(
                *(replica.post(SUCCESS, token=token(attempt=attempt)) for replica in (one, two) * 3)
            )

            assert {answer.status_code for answer in answers} == {200}
            assert await reports.count() == attempt


async def test_fault_11_a_secret_rotated_in_mid_flight_costs_no_callback(
    bus_server: NatsServer, reports: Reports
) -> None:
    """While both keys are known either token is believed; later the old one is kept, untrusted."""
    new = setting(NEW_KEY).replace("k1", "k2")
    attempts = count(1)

    verdicts = []
    for keys in (f"{new},{setting()}", new):
        async with gateway(settings_for(bus_server.url, callback_keys=keys)) as port:
            for key_id, key in (("k1", TOKEN_KEY), ("k2", NEW_KEY)):
                signed = token(key_id=key_id, key=key, attempt=next(attempts))
                assert (await port.post(SUCCESS, token=signed)).status_code == 200
                verdicts.append(await verdict_of_last(reports))

    assert verdicts == ["valid", "valid", "unknown_key", "valid"]


async def verdict_of_last(reports: Reports) -> str:
    claim = (await reports.last()).token
    assert claim is not None
    return claim.verdict
