"""What trials stand on, each with servers of its own: deployments on either storage, and a bench for commands."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from crash.bench import Bench, bench
from crash.stage import Stage, stage
from crash.trials import POSTGRES
from job_store.app import InPostgres, export
from testkit.processes.nursery import Nursery
from testkit.servers import Durability, NatsServer, PostgresServer


@asynccontextmanager
async def deployment(
    directory: Path, nursery: Nursery, *, storage: str = POSTGRES
) -> AsyncIterator[Stage]:
    """Five services."""
    directory.mkdir()
    async with AsyncExitStack() as stack:
        postgres = None
        if storage == POSTGRES:
            postgres = await stack.enter_async_context(_postgres(directory))
        nats = await stack.enter_async_context(_nats(directory))
        yield await stack.enter_async_context(
            stage(postgres=postgres, nats_url=nats.url, directory=directory, nursery=nursery)
        )


@asynccontextmanager
async def commands(lived: Stage, directory: Path, nursery: Nursery) -> AsyncIterator[Bench]:
    """Servers for commands alone; what they move is what a deployment has kept."""
    directory.mkdir()
    if lived.postgres is None:
        raise TypeError("what is moved comes from a database")
    whole = directory / "whole"
    await export(InPostgres(lived.postgres.url), whole)
    async with (
        _postgres(directory) as postgres,
        _nats(directory) as nats,
        bench(postgres_server=postgres, nats_url=nats.url, directory=directory, nursery=nursery,
              whole=whole) as ready,
    ):  # fmt: skip
        yield ready


def _postgres(directory: Path) -> PostgresServer:
    return PostgresServer(directory / "postgres", durability=Durability.KILL)


def _nats(directory: Path) -> NatsServer:
    return NatsServer(directory / "nats", durability=Durability.KILL)
