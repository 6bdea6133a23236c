"""What the gateway promises while its surroundings fail: no 200 that is not stored, no hanging."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from callback_arrivals import SUCCESS, token
from callback_gateway import app
from callback_port import Port, Reports, gateway, settings_for
from chassis import bus, lifecycle
from testkit.ports import LOOPBACK
from testkit.servers.nats import NatsServer

HEAD = (
    f"POST /callbacks/kie/{token()} HTTP/1.1\r\nHost: gateway\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


@asynccontextmanager
async def connection(
    port: Port,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port.number)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("fault", ["killed", "frozen"])
async def test_fault_04_without_the_bus_the_answer_is_503_and_it_recovers(
    bus_server: NatsServer, fault: str
) -> None:
    async with gateway(settings_for(bus_server.url, gateway_publish_seconds=0.4)) as port:
        if fault == "killed":
            await bus_server.kill()
        else:
            bus_server.pause()

        answer = await port.post(SUCCESS, token=token())

        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0

        if fault == "killed":
            await bus_server.start()
        else:
            bus_server.resume()
        await port.stored_within(20)

    async with bus.connected(bus_server.url, name="tests") as broker:
        # The frozen server may have stored the first one after its caller had given up.
        assert await Reports(broker.connection).count() == 1


async def test_a_short_restart_of_the_bus_is_waited_out(bus_server: NatsServer) -> None:
    async with gateway(settings_for(bus_server.url)) as port:
        await bus_server.kill()
        waiting = asyncio.create_task(port.post(SUCCESS, token=token()))
        await bus_server.start()

        assert (await waiting).status_code == 200


async def test_fault_12_a_body_that_does_not_come_is_given_up(bus_server: NatsServer) -> None:
    settings = settings_for(bus_server.url, gateway_body_seconds=0.3)
    async with gateway(settings) as port, connection(port) as (reader, writer):
        writer.write(HEAD.format(length=100).encode() + b"{")

        answer = await asyncio.wait_for(reader.read(), 10)

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer


async def test_fault_12_an_endless_head_is_given_up_and_the_port_serves(
    bus_server: NatsServer,
) -> None:
    async with gateway(settings_for(bus_server.url)) as port:
        async with connection(port) as (reader, writer):
            writer.write(HEAD.format(length=1)[:-2].encode() + b"x-more: 1\r\n" * 10_000)

            status = await asyncio.wait_for(reader.readline(), 10)

            assert status.startswith(b"HTTP/1.1 431 ")
        assert (await port.post(SUCCESS, token=token())).status_code == 200


async def test_fault_12_an_endless_body_is_read_to_its_cap_and_stored_as_cut(
    bus_server: NatsServer, reports: Reports
) -> None:
    cap = 512 * 1024
    settings = settings_for(bus_server.url, gateway_body_bytes=cap)
    async with gateway(settings) as port, connection(port) as (reader, writer):
        writer.write(HEAD.format(length=10**12).encode() + b"x" * (cap + 1))

        status = await asyncio.wait_for(reader.readline(), 10)

        assert status.startswith(b"HTTP/1.1 200 ")
        assert (await reports.last()).truncated


async def test_a_caller_that_leaves_disturbs_nobody(
    bus_server: NatsServer, reports: Reports
) -> None:
    async with gateway(settings_for(bus_server.url)) as port:
        async with connection(port) as (_, writer):
            writer.write(HEAD.format(length=100).encode() + b"{")
            await writer.drain()

        assert (await port.post(SUCCESS, token=token())).status_code == 200
        assert await reports.count() == 1


async def test_fault_58_more_callbacks_than_allowed_are_shed_and_told_when_to_return(
    bus_server: NatsServer,
) -> None:
    settings = settings_for(bus_server.url, gateway_requests=1)
    async with gateway(settings) as port, connection(port) as (reader, writer):
        writer.write(HEAD.format(length=len(SUCCESS)).encode() + SUCCESS[:-1])
        async with asyncio.timeout(10):
            while (answer := await port.post(SUCCESS, token=token())).status_code != 503:
                pass

        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0

        writer.write(SUCCESS[-1:])
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200 ")
        await port.stored_within(10)


async def test_what_is_being_stored_is_stored_before_the_service_ends(
    bus_server: NatsServer, reports: Reports
) -> None:
    settings = settings_for(bus_server.url)
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{settings.gateway_port}") as client:
        async with lifecycle.service(app.build, settings, name="gateway"):
            asked = [
                asyncio.create_task(
                    client.post(f"/callbacks/kie/{token(attempt=number)}", content=SUCCESS)
                )
                for number in range(1, 21)
            ]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        answers = await asyncio.gather(*asked, return_exceptions=True)

    stored = [a for a in answers if isinstance(a, httpx.Response) and a.status_code == 200]
    assert 0 < len(stored) <= await reports.count()


async def test_a_drifted_stream_is_refused_at_the_start(bus_server: NatsServer) -> None:
    async with bus.connected(bus_server.url, name="tests") as broker:
        await broker.connection.jetstream().delete_stream("REPORTS")

    with pytest.raises(bus.StreamDrift, match="REPORTS is missing"):
        async with gateway(settings_for(bus_server.url)):
            pytest.fail("it started")
