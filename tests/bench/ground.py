"""What both sides stand on: one NATS, one Postgres, one KIE and one Telegram, all durable or unlimited."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from bench.play import Double, Screen
from job_store.migrate import migrate_bus, migrate_database
from testkit.servers import Durability, NatsServer, PostgresServer
from testkit.servers.sources import delete_streams

HMAC_KEY: Final = "bench-webhook-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Servers and doubles of one run."""

    nats: NatsServer
    postgres: PostgresServer
    kie: Double
    screen: Screen
    directory: Path

    async def new_database(self) -> str:
        """An empty database of its own."""
        name = f"bench_{secrets.token_hex(4)}"
        connection = await asyncpg.connect(self.postgres.url)
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        return self.postgres.url_of(name)

    async def migrated_database(self) -> str:
        """An empty database with sendonce's schema."""
        url = await self.new_database()
        await migrate_database(url)
        return url

    async def new_streams(self) -> None:
        """Sendonce's streams, empty; everybody else's are gone."""
        await delete_streams(self.nats.url)
        await migrate_bus(self.nats.url)

    @property
    def doubles(self) -> tuple[int, ...]:
        """Processes that play the outside."""
        return (self.kie.process.pid, self.screen.double.process.pid)


@asynccontextmanager
async def ground(directory: Path) -> AsyncIterator[Ground]:
    """Start everything; every commit and PubAck is on the disk first, for both sides."""
    logs = directory / "logs"
    async with AsyncExitStack() as stack:
        postgres = PostgresServer(directory / "postgres", durability=Durability.POWER_LOSS)
        await stack.enter_async_context(postgres)
        nats = NatsServer(directory / "nats", durability=Durability.POWER_LOSS)
        await stack.enter_async_context(nats)
        telegram = Double("bench.doubles.telegram", logs=logs, ready="/counts")
        kie = Double("bench.doubles.kie", "--hmac-key", HMAC_KEY, logs=logs, ready="/")
        for double in (telegram, kie):
            await stack.enter_async_context(double.process)
        yield Ground(
            nats=nats, postgres=postgres, kie=kie, screen=Screen(telegram), directory=directory
        )
