"""The embedded Postgres keeps its address and what it committed, whatever is done to it."""

import os
from pathlib import Path
from time import perf_counter

import asyncpg
import psutil
import pytest

from testkit.servers import DirectoryInUse, Durability, PostgresServer
from testkit.servers.databases import TemplateDatabases
from testkit.servers.protocol import DatabaseServer

STARTS_WITHIN = 1.5  # s, once the cluster exists


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def migrate(url: str) -> None:
    await run(url, "CREATE TABLE kept (word text)")


@pytest.mark.parametrize("durability", Durability)
async def test_what_was_committed_survives_kill_and_restart(
    tmp_path: Path, durability: Durability
) -> None:
    async with PostgresServer(tmp_path / "pg", durability=durability) as server:
        address = server.url
        await run(server.url, "CREATE TABLE t AS SELECT 1 AS n")

        await server.kill()
        assert not server.running
        await server.start()
        after_kill = await ask(address, "SELECT n FROM t")
        before = perf_counter()
        await server.restart()
        took = perf_counter() - before
        after_restart = await ask(address, "SELECT n FROM t")

    assert (after_kill, after_restart) == (1, 1)
    assert took < STARTS_WITHIN


async def test_another_server_finds_the_data_of_the_one_before(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        await run(server.url, "CREATE TABLE t AS SELECT 1 AS n")

    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        assert await ask(server.url, "SELECT n FROM t") == 1


async def test_a_left_over_pid_file_of_a_stranger_is_no_obstacle(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        pid_file = server.data_directory / "pgdata" / "postmaster.pid"
        text = pid_file.read_text()
    pid_file.write_text(text.replace(text.split()[0], str(os.getppid()), 1))

    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        assert await ask(server.url, "SELECT 1") == 1


async def test_an_interrupted_initdb_is_done_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "pg" / "pgdata.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")

    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        assert await ask(server.url, "SELECT 1") == 1


async def test_the_server_is_never_root_and_its_files_are_its_own(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        user = psutil.Process(server.pid).uids().effective
        owner = (server.data_directory / "pgdata").stat().st_uid

    assert user == owner != 0


async def test_a_stranger_without_the_password_is_refused(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host="127.0.0.1", port=server.port, user="sendonce", password="guess", ssl=False
            )


async def test_settings_are_taken(tmp_path: Path) -> None:
    own = {"work_mem": "7MB"}
    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL, settings=own) as server:
        assert await ask(server.url, "SHOW work_mem") == "7MB"
        assert await ask(server.url, "SHOW fsync") == "off"
        assert await ask(server.url, "SHOW synchronous_commit") == "on"


async def test_a_paused_server_is_silent_and_a_resumed_one_answers(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL) as server:
        connection = await asyncpg.connect(server.url)

        server.pause()
        with pytest.raises(TimeoutError):
            await connection.fetchval("SELECT 1", timeout=0.3)
        server.resume()

        assert await ask(server.url, "SELECT 1") == 1
        connection.terminate()


async def test_one_directory_has_one_owner(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "pg", durability=Durability.KILL):
        with pytest.raises(DirectoryInUse):
            await PostgresServer(tmp_path / "pg").start()


async def test_clones_start_from_the_template_and_do_not_see_each_other(
    postgres_server: DatabaseServer,
) -> None:
    templates = TemplateDatabases(postgres_server)

    async with templates.clone(migrate) as one, templates.clone(migrate) as two:
        await run(one, "INSERT INTO kept VALUES ('only in one')")
        seen_by_one = await ask(one, "SELECT count(*) FROM kept")
        seen_by_two = await ask(two, "SELECT count(*) FROM kept")
    await templates.close()

    assert (seen_by_one, seen_by_two) == (1, 0)
    assert await ask(postgres_server.url, MADE_BY_TESTS) == 0


# Other tests' own templates may stand; clones and what was closed may not.
MADE_BY_TESTS = "SELECT count(*) FROM pg_database WHERE datname LIKE 'test\\_%'"
