"""The embedded NATS keeps its address and what it acknowledged, whatever is done to it."""

import asyncio
from pathlib import Path

import nats
import pytest

from testkit.ports import LOOPBACK
from testkit.servers import DirectoryInUse, Durability, NatsServer
from testkit.servers.greeting import greets_with_jetstream


async def stored(url: str) -> int:
    client = await nats.connect(url)
    try:
        return (await client.jetstream().stream_info("T")).state.messages
    finally:
        await client.close()


async def store_one(url: str) -> None:
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="T", subjects=["t"])
        await jetstream.publish("t", b"kept")
    finally:
        await client.close()


@pytest.mark.parametrize("durability", Durability)
async def test_what_was_acknowledged_survives_kill_and_restart(
    tmp_path: Path, durability: Durability
) -> None:
    async with NatsServer(tmp_path / "nats", durability=durability) as server:
        await store_one(server.url)

        await server.kill()
        assert not server.running
        await server.start()
        after_kill = await stored(server.url)
        await server.restart()
        after_restart = await stored(server.url)

    assert (after_kill, after_restart) == (1, 1)


async def test_another_server_finds_the_data_of_the_one_before(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats") as server:
        await store_one(server.url)

    async with NatsServer(tmp_path / "nats") as server:
        assert await stored(server.url) == 1


async def test_every_commit_is_synced_unless_relaxed(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "safe") as safe:
        safe_config = (safe.data_directory / "nats.conf").read_text()
    async with NatsServer(tmp_path / "relaxed", durability=Durability.KILL) as relaxed:
        relaxed_config = (relaxed.data_directory / "nats.conf").read_text()

    assert "sync_interval: always" in safe_config
    assert "sync_interval" not in relaxed_config


async def test_a_paused_server_is_silent_and_a_resumed_one_answers(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats", durability=Durability.KILL) as server:
        server.pause()
        greeted_while_paused = await greets_with_jetstream(LOOPBACK, server.port)
        server.resume()
        greeted_after = await greets_with_jetstream(LOOPBACK, server.port)

    assert not greeted_while_paused
    assert greeted_after


async def test_a_paused_server_can_be_stopped(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", durability=Durability.KILL)
    await server.start()
    server.pause()

    async with asyncio.timeout(5):
        await server.stop()

    assert not server.running


async def test_one_directory_has_one_owner(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats", durability=Durability.KILL):
        with pytest.raises(DirectoryInUse):
            await NatsServer(tmp_path / "nats").start()


async def test_each_test_has_its_own_jetstream_one(nats_url: str) -> None:
    await store_one(nats_url)

    assert await stored(nats_url) == 1


async def test_each_test_has_its_own_jetstream_two(nats_url: str) -> None:
    await store_one(nats_url)

    assert await stored(nats_url) == 1
