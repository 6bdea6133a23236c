"""Where a test session's servers come from: given addresses, else containers, else the wheels."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import nats

from testkit.servers.durability import Durability
from testkit.servers.given import GivenPostgres, GivenServer
from testkit.servers.nats import NatsServer
from testkit.servers.postgres import PostgresServer
from testkit.servers.protocol import DatabaseServer, Server

DATABASE_URL = "SENDONCE_TEST_DATABASE_URL"
NATS_URL = "SENDONCE_TEST_NATS_URL"
ENGINE_SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock")
ENGINE_ANSWERS_WITHIN = 0.5


class ServerSources:
    """Starts each shared server of a session once, when first asked for; ends them together."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._postgres: DatabaseServer | None = None
        self._nats: Server | None = None

    async def postgres(self) -> DatabaseServer:
        """The session's Postgres."""
        if self._postgres is None:
            self._postgres = await self._new_postgres()
        return self._postgres

    async def nats(self) -> Server:
        """The session's shared NATS."""
        if self._nats is None:
            self._nats = await self._new_nats()
        return self._nats

    @asynccontextmanager
    async def empty_nats(self, directory: Path) -> AsyncIterator[Server]:
        """A JetStream without streams: a process of its own where that is cheap, else emptied."""
        if NATS_URL in os.environ or docker_engine_answers():
            shared = await self.nats()
            await delete_streams(shared.url)
            yield shared
            return
        async with NatsServer(directory, durability=Durability.KILL) as server:
            yield server
            await server.discard()

    async def close(self) -> None:
        """End what was started here, with its content."""
        for server in (self._nats, self._postgres):
            if server is not None:
                await server.discard()
        self._nats = self._postgres = None

    async def _new_postgres(self) -> DatabaseServer:
        if url := os.environ.get(DATABASE_URL):
            return GivenPostgres(url)
        if docker_engine_answers():
            from testkit.servers import containers  # noqa: PLC0415  # wants the Docker client

            if await containers.starts(container := containers.ContainerPostgres()):
                return container
        server = PostgresServer(self._directory / "postgres", durability=Durability.KILL)
        await server.start()
        return server

    async def _new_nats(self) -> Server:
        if url := os.environ.get(NATS_URL):
            return GivenServer(url)
        if docker_engine_answers():
            from testkit.servers import containers  # noqa: PLC0415  # wants the Docker client

            if await containers.starts(container := containers.ContainerNats()):
                return container
        server = NatsServer(self._directory / "nats", durability=Durability.KILL)
        await server.start()
        return server


def docker_engine_answers() -> bool:
    """A cheap look: is the client installed, and does somebody accept on the engine's socket."""
    if find_spec("testcontainers") is None:
        return False
    if "DOCKER_HOST" in os.environ:
        return True
    return any(accepts(Path(path).expanduser()) for path in ENGINE_SOCKETS)


def accepts(path: Path) -> bool:
    """True when a process listens on this Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ENGINE_ANSWERS_WITHIN)
        return probe.connect_ex(str(path)) == 0


async def delete_streams(url: str) -> None:
    """Empty a JetStream; key-value buckets are streams too."""
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            if stream.config.name is not None:
                await jetstream.delete_stream(stream.config.name)
    finally:
        await client.close()
