"""The two servers: given by address, or embedded in a data directory of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.permissions import USERS
from job_store.app import JOURNAL
from sendonce_cli.access.conf import of_table, unrestricted
from sendonce_cli.access.keys import Keys
from sendonce_cli.settings import Storage
from sendonce_cli.trouble import Trouble
from testkit.processes import ChildFailed
from testkit.servers import DirectoryInUse, NatsServer, PostgresServer

ANYBODY: Final = "anybody"  # the user whose name is shown by nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where NATS and Postgres are, and which of them are our own."""

    nats_url: str
    database_url: str
    embedded_nats: bool
    embedded_postgres: bool
    keys: Keys | None = None  # of the embedded NATS' users
    journal: Path | None = None  # in the place of Postgres

    def kept_in(self) -> dict[str, str]:
        """Return what job-store is told of where to keep its rows."""
        if self.journal is None:
            return {"STORAGE": Storage.POSTGRES, "DATABASE_URL": self.database_url}
        return {"STORAGE": Storage.JSON, "DATA_DIR": str(self.journal.parent)}

    def creds(self, user: str) -> Path | None:
        """Return by what a user of the embedded NATS is known; a given NATS knows nobody of us."""
        return self.keys.seed(user) if self.keys is not None else None


@asynccontextmanager
async def servers(
    data_dir: Path,
    *,
    storage: Storage = Storage.POSTGRES,
    nats_url: str | None = None,
    database_url: str | None = None,
    nats_port: int | None = None,
) -> AsyncIterator[Addresses]:
    """Start what is not given, and stop it at the end: Postgres last."""
    async with AsyncExitStack() as stack:
        is_needed = storage is Storage.POSTGRES and not database_url
        postgres = PostgresServer(data_dir / "postgres") if is_needed else None
        keys = None if nats_url else _keys(data_dir)
        nats = None if keys is None else _nats(data_dir, keys, port=nats_port)
        try:
            async with asyncio.TaskGroup() as group:
                for server in (postgres, nats):
                    if server is not None:
                        stack.push_async_callback(server.stop)
                        group.create_task(server.start())
        except* (ChildFailed, DirectoryInUse, OSError) as failed:
            raise _cannot_start(failed.exceptions[0], data_dir) from failed
        yield Addresses(
            nats_url=nats_url or (nats.url if nats else ""),
            database_url=database_url or (postgres.url if postgres else ""),
            embedded_nats=nats is not None,
            embedded_postgres=postgres is not None,
            journal=(data_dir / JOURNAL).resolve() if storage is Storage.JSON else None,
            keys=keys,
        )


def _keys(data_dir: Path) -> Keys:
    keys = Keys(data_dir.resolve() / "keys")
    keys.ensure((*USERS, ANYBODY))
    return keys


def _nats(data_dir: Path, keys: Keys, *, port: int | None) -> NatsServer:
    """Return a NATS where services have their rights and no others, and people on this machine have all."""
    config = unrestricted(of_table(keys.known()), keys.public(ANYBODY)[0])
    return NatsServer(data_dir / "nats", port=port, more_config=config)


@asynccontextmanager
async def database_at(data_dir: Path) -> AsyncIterator[str]:
    """Run the embedded Postgres alone, for as long as somebody reads or fills it."""
    server = PostgresServer(data_dir / "postgres")
    try:
        await server.start()
    except (ChildFailed, DirectoryInUse, OSError) as failed:
        raise _cannot_start(failed, data_dir) from failed
    try:
        yield server.url
    finally:
        await server.stop()


def _cannot_start(problem: BaseException, data_dir: Path) -> Trouble:
    if isinstance(problem, DirectoryInUse):
        return Trouble(
            f"another sendonce runs in {data_dir}",
            hint="stop it, or choose another directory with SENDONCE_DATA_DIR",
        )
    return Trouble(f"an embedded server did not start: {problem}", hint=f"its log is in {data_dir}")
