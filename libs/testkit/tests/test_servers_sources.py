"""A session's servers: the given ones, else containers, else the wheels."""

from pathlib import Path

import asyncpg
import nats
import pytest

from testkit.servers import Durability, NatsServer, NotOurs, PostgresServer
from testkit.servers.containers import ContainerNats, ContainerPostgres
from testkit.servers.databases import TemplateDatabases
from testkit.servers.sources import DATABASE_URL, NATS_URL, ServerSources, docker_engine_answers


async def migrate(url: str) -> None:
    await run(url, "CREATE TABLE kept AS SELECT 1 AS n")


async def run(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def streams(url: str) -> list[str | None]:
    client = await nats.connect(url)
    try:
        return [stream.config.name for stream in await client.jetstream().streams_info()]
    finally:
        await client.close()


async def add_stream(url: str) -> None:
    client = await nats.connect(url)
    try:
        await client.jetstream().add_stream(name="T", subjects=["t"])
    finally:
        await client.close()


async def test_a_given_postgres_is_used_and_never_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with PostgresServer(tmp_path / "given", durability=Durability.KILL) as given:
        monkeypatch.setenv(DATABASE_URL, given.url)
        sources = ServerSources(tmp_path / "sources")

        server = await sources.postgres()
        templates = TemplateDatabases(server)
        async with templates.clone(migrate) as url:
            found = await run(url, "SELECT n FROM kept")
        await templates.close()
        with pytest.raises(NotOurs):
            await server.kill()
        await sources.close()

        assert server.url == given.url
        assert found == 1
        assert given.running


async def test_a_given_nats_is_emptied_for_each_test_and_never_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with NatsServer(tmp_path / "given", durability=Durability.KILL) as given:
        monkeypatch.setenv(NATS_URL, given.url)
        sources = ServerSources(tmp_path / "sources")

        async with sources.empty_nats(tmp_path / "one") as server:
            await add_stream(server.url)
        async with sources.empty_nats(tmp_path / "two") as server:
            found = await streams(server.url)
        await sources.close()

        assert server.url == given.url
        assert found == []
        assert given.running


@pytest.mark.docker
@pytest.mark.timeout(180)
async def test_a_container_of_postgres_keeps_its_address_and_its_data(tmp_path: Path) -> None:
    assert docker_engine_answers()
    sources = ServerSources(tmp_path)

    server = await sources.postgres()
    assert isinstance(server, ContainerPostgres)
    address = server.url
    await run(address, "CREATE TABLE kept AS SELECT 1 AS n")
    await server.kill()
    await server.start()
    after_kill = await run(address, "SELECT n FROM kept")
    await server.restart()
    after_restart = await run(address, "SELECT n FROM kept")
    server.pause()
    with pytest.raises(TimeoutError):
        await asyncpg.connect(address, timeout=0.5)
    server.resume()
    after_pause = await run(address, "SELECT n FROM kept")
    await sources.close()

    assert (after_kill, after_restart, after_pause) == (1, 1, 1)


@pytest.mark.docker
@pytest.mark.timeout(180)
async def test_a_container_of_nats_keeps_its_address_and_its_data(tmp_path: Path) -> None:
    assert docker_engine_answers()
    sources = ServerSources(tmp_path)

    server = await sources.nats()
    assert isinstance(server, ContainerNats)
    await add_stream(server.url)
    await server.kill()
    await server.start()
    after_kill = await streams(server.url)
    async with sources.empty_nats(tmp_path / "one") as emptied:
        after_emptying = await streams(emptied.url)
    await sources.close()

    assert after_kill == ["T"]
    assert after_emptying == []
