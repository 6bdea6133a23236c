"""A link passes every byte, and does to a connection exactly what it is told."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import nats
import nats.errors
import pytest
from nats.js.api import StreamConfig

from testkit.links import CommitReplies, Link, PubAcks, Replies, State
from testkit.ports import LOOPBACK, free_port
from testkit.servers import Durability, NatsServer
from testkit.servers.protocol import DatabaseServer

BIG = 300_000
NO_LINGER = struct.pack("ii", 1, 0)


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every line in capitals, and say goodbye."""
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.write(b"BYE\n")
    writer.close()


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    server = await asyncio.start_server(shout, LOOPBACK, 0, limit=BIG * 2)
    away, there = free_port(), server.sockets[0].getsockname()[1]
    async with server, Link(away, there, port=free_port()) as link:
        yield link


async def connected(link: Link) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(LOOPBACK, link.port, limit=BIG * 2)


async def test_every_byte_passes_and_an_end_is_told(link: Link) -> None:
    reader, writer = await connected(link)
    writer.write(b"x" * BIG + b"\n")
    assert await reader.readline() == b"X" * BIG + b"\n"

    writer.write_eof()

    assert await reader.read() == b"BYE\n"
    writer.close()


async def test_a_reset_of_one_side_reaches_the_other() -> None:
    reset = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except ConnectionResetError:
            reset.set()
        writer.close()

    server = await asyncio.start_server(listen, LOOPBACK, 0)
    async with server, Link(server.sockets[0].getsockname()[1], port=free_port()) as link:
        _, writer = await connected(link)
        writer.write(b"a")
        await writer.drain()

        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        writer.transport.abort()

        async with asyncio.timeout(5):
            await reset.wait()


async def test_a_cut_resets_the_connection_and_the_next_one_passes(link: Link) -> None:
    reader, writer = await connected(link)
    writer.write(b"a\n")
    assert await reader.readline() == b"A\n"

    assert link.cut() == 1

    with pytest.raises(ConnectionResetError):
        await reader.readline()
    reader, writer = await connected(link)
    writer.write(b"b\n")
    assert await reader.readline() == b"B\n"
    writer.close()


async def test_a_silent_link_keeps_what_it_has_until_it_opens(link: Link) -> None:
    reader, writer = await connected(link)
    link.set(State.SILENT)
    writer.write(b"a\n")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await reader.readline()

    link.set(State.OPEN)

    assert await reader.readline() == b"A\n"
    writer.close()


async def test_half_a_connection_hears_nothing_and_may_still_talk(link: Link) -> None:
    reader, writer = await connected(link)
    writer.write(b"a\n")
    assert await reader.readline() == b"A\n"

    link.half_close()

    assert await reader.read() == b""
    writer.write(b"b\n")
    await writer.drain()
    writer.close()


async def test_a_shut_link_resets_whoever_comes(link: Link) -> None:
    link.set(State.SHUT)

    reader, writer = await connected(link)
    with pytest.raises(ConnectionResetError):
        await reader.readline()
    writer.close()


async def test_a_stolen_commit_reply_leaves_the_row_and_ends_the_connection(
    postgres_server: DatabaseServer,
) -> None:
    url = postgres_server.url_of("postgres")
    port = int(url.rpartition(":")[2].partition("/")[0])
    robber = CommitReplies()
    async with Link(port, port=free_port(), robber=robber) as link:
        direct = await asyncpg.connect(url)
        await direct.execute("CREATE TABLE link_robbed (n int)")
        robbed = await asyncpg.connect(url.replace(f":{port}/", f":{link.port}/"))
        async with robbed.transaction():
            await robbed.execute("INSERT INTO link_robbed VALUES (1)")
        robber.steal()

        with pytest.raises((ConnectionError, asyncpg.PostgresConnectionError)):
            async with robbed.transaction():
                await robbed.execute("INSERT INTO link_robbed VALUES (2)")

        assert await direct.fetchval("SELECT count(*) FROM link_robbed") == 2
        assert (robber.wanted, robber.stolen) == (0, 1)
        await direct.execute("DROP TABLE link_robbed")
        await direct.close()


async def test_the_answer_to_the_nth_statement_is_stolen_and_the_statement_was_run(
    postgres_server: DatabaseServer,
) -> None:
    url = postgres_server.url_of("postgres")
    port = int(url.rpartition(":")[2].partition("/")[0])
    robber = Replies()
    async with Link(port, port=free_port(), robber=robber) as link:
        direct = await asyncpg.connect(url)
        await direct.execute("CREATE TABLE link_counted (n int)")
        robbed = await asyncpg.connect(url.replace(f":{port}/", f":{link.port}/"))
        robber.steal_after(2)

        for number in (1, 2):
            await robbed.execute(f"INSERT INTO link_counted VALUES ({number})")
        with pytest.raises((ConnectionError, asyncpg.PostgresConnectionError)):
            await robbed.execute("INSERT INTO link_counted VALUES (3)")

        assert await direct.fetchval("SELECT count(*) FROM link_counted") == 3
        assert (robber.wanted, robber.stolen) == (0, 1)
        await direct.execute("DROP TABLE link_counted")
        await direct.close()


async def test_a_stolen_puback_leaves_the_message_and_the_connection(
    tmp_path: Path,
) -> None:
    robber = PubAcks()
    async with (
        NatsServer(tmp_path / "nats", durability=Durability.KILL) as server,
        Link(server.port, port=free_port(), robber=robber) as link,
    ):
        client = await nats.connect(f"nats://{LOOPBACK}:{link.port}")
        js = client.jetstream()
        await js.add_stream(StreamConfig(name="S", subjects=["s"]))
        robber.steal()

        with pytest.raises(nats.errors.TimeoutError):
            await js.publish("s", b"1", timeout=0.3)

        assert (await js.publish("s", b"2")).seq == 2
        assert robber.stolen == 1
        await client.close()
