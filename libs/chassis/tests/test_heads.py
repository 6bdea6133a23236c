"""A head of a request that does not end in time, or does not end at all, costs its caller the connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send

from chassis.heads import bounded
from chassis.health import HttpServer
from testkit.ports import LOOPBACK

SECONDS, SIZE = 0.3, 2_048
WITHIN = 10.0  # seconds; far more than anything here takes
HEAD = b"GET / HTTP/1.1\r\nhost: here\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hello(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the body is whole."""
    while (await receive()).get("more_body"):
        pass
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
    )
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def served(*, patience: float = SECONDS, **options: int) -> AsyncIterator[HttpServer]:
    heads = bounded(seconds=patience, size=SIZE)
    server = HttpServer(hello, name="here", host=LOOPBACK, port=0, heads=heads, **options)
    ready = asyncio.Event()
    running = asyncio.create_task(server.run(ready))
    await asyncio.wait_for(ready.wait(), WITHIN)
    try:
        yield server
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def connected(server: HttpServer) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def being_answered(server: HttpServer) -> AsyncIterator[Line]:
    """A connection whose request has begun and whose body is a byte short."""
    async with connected(server) as line:
        line[1].write(HEAD + b"expect: 100-continue\r\ncontent-length: 1\r\n\r\n")
        await asyncio.wait_for(line[0].readuntil(b"100 Continue\r\n\r\n"), WITHIN)
        yield line


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(), WITHIN)


async def greeting(line: Line) -> bytes:
    reader, writer = line
    writer.write(HEAD + b"\r\n")
    return await asyncio.wait_for(reader.readuntil(b"hello"), WITHIN)


@pytest.mark.parametrize("said", [b"", b"G", HEAD, HEAD + b"x-more: 1\r\n"])
async def test_fault_12_a_head_that_does_not_end_is_given_up(said: bytes) -> None:
    async with served() as server, connected(server) as (reader, writer):
        writer.write(said)

        assert (await until_closed(reader)).startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_comes_drop_by_drop_gets_no_more_time() -> None:
    async with served() as server, connected(server) as (reader, writer):
        writer.write(HEAD)
        closing = asyncio.create_task(until_closed(reader))
        while not closing.done():
            writer.write(b"x")
            await asyncio.wait({closing}, timeout=SECONDS / 10)

        assert (await closing).startswith(b"HTTP/1.1 408 ")


async def test_a_head_without_end_is_given_up_before_its_time() -> None:
    async with served() as server, connected(server) as (reader, writer):
        writer.write(HEAD + b"x-more: 1\r\n" * SIZE)

        assert b" 431 " in (await until_closed(reader)).splitlines()[0]


async def test_a_later_head_on_the_same_connection_has_the_same_bounds() -> None:
    async with served() as server, connected(server) as line:
        assert b" 200 " in await greeting(line)
        assert b" 200 " in await greeting(line)

        line[1].write(HEAD)

        assert (await until_closed(line[0])).startswith(b"HTTP/1.1 408 ")


async def test_between_two_requests_a_connection_may_rest() -> None:
    async with served() as server, connected(server) as line:
        await greeting(line)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line[0].read(1), 2 * SECONDS)

        assert b" 200 " in await greeting(line)


async def test_a_body_is_no_head() -> None:
    """However large and slow it is: that is for the application to bound."""
    async with served() as server, connected(server) as (reader, writer):
        body = b"x" * 10 * SIZE
        writer.write(HEAD + f"content-length: {len(body) + 1}\r\n\r\n".encode() + body)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 2 * SECONDS)
        writer.write(b"x")

        assert await asyncio.wait_for(reader.readuntil(b"hello"), WITHIN)


async def test_who_asks_nothing_makes_room_for_who_asks() -> None:
    """However many connections sit there, a caller is served, and no more are held than allowed."""
    most = 8
    async with served(patience=WITHIN, limit_concurrency=most) as server, AsyncExitStack() as stack:
        asking = await stack.enter_async_context(being_answered(server))
        silent = [await stack.enter_async_context(connected(server)) for _ in range(3 * most)]

        async with connected(server) as line:
            assert b" 200 " in await greeting(line)

        asking[1].write(b"x")
        assert b" 200 " in await asyncio.wait_for(asking[0].readuntil(b"hello"), WITHIN)
        shed = [await until_closed(reader) for reader, _ in silent[: -most + 2]]
        assert {said.splitlines()[0] for said in shed} == {b"HTTP/1.1 503 Service Unavailable"}


async def test_a_port_where_all_are_being_answered_refuses_another() -> None:
    most = 3
    async with served(patience=WITHIN, limit_concurrency=most) as server, AsyncExitStack() as stack:
        for _ in range(most - 1):
            await stack.enter_async_context(being_answered(server))

        reader, writer = await stack.enter_async_context(connected(server))
        writer.write(HEAD + b"\r\n")

        assert b" 503 " in (await until_closed(reader)).splitlines()[0]
