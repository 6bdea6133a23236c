"""A NATS with the generated users and a Postgres with the generated roles, and what both saw each user do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from chassis import bus
from contracts.permissions import MIGRATE, USERS, Permission, Right, bot_user, permissions
from job_store.app import migrate_bus
from job_store.privileges import STORE_ROLE
from privilege.subjects import Deed, done, refused
from sendonce_cli.access.conf import authorization
from sendonce_cli.access.keys import Keys
from testkit.servers import Durability, NatsServer

ADMIN: Final = "admin"  # may do everything; only these tests have one
BOTS: Final = ("default", "shop")
EVERYBODY: Final = (*USERS, *map(bot_user, BOTS))
LOGIN, PASSWORD = "job_store_login", "only for tests"
TRACED: Final = "trace: true\n"
TABLES: Final = (
    "SELECT string_agg('sendonce.' || tablename, ', ') FROM pg_tables WHERE schemaname = 'sendonce'"
)


@dataclass(kw_only=True)
class Ground:
    """What a scenario stands on; `take_away` leaves everybody connected."""

    nats: NatsServer
    keys: Keys
    database_url: str  # of the owner
    store_url: str  # of somebody who is no more than a member of job-store's role

    def creds(self, user: str) -> Path:
        """Return by which file a user is known."""
        return self.keys.seed(user)

    @asynccontextmanager
    async def connected(self, user: str) -> AsyncIterator[NatsBroker]:
        """Connect as a service does."""
        async with bus.connected(self.nats.url, name=user, creds=self.creds(user)) as broker:
            yield broker

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[JetStreamContext]:
        """Reach JetStream as somebody who may do everything."""
        async with self.connected(ADMIN) as broker:
            yield broker.connection.jetstream()

    async def begin_anew(self) -> None:
        """Forget what scenes left, one of them in its middle, on the bus and in the database."""
        async with self.admin() as js:
            for info in await js.streams_info():
                await js.delete_stream(info.config.name or "")
        await migrate_bus(self.nats.url, creds=self.creds(MIGRATE))
        owner = await asyncpg.connect(self.database_url)
        try:
            tables = await owner.fetchval(TABLES)
            await owner.execute(f"TRUNCATE {tables}")
        finally:
            await owner.close()

    async def take_away(self, row: Permission | None) -> None:
        """Let everybody have all their rows but this one."""
        await self.nats.reconfigure(configuration(self.keys, without=row))

    def mark(self) -> int:
        """Remember this moment of the server's log."""
        return self.nats.log.stat().st_size

    def refused(self, since: int) -> set[Deed]:
        """Return what the server let nobody do since a moment."""
        return refused(self._log(since))

    def done(self, since: int) -> set[Deed]:
        """Return what users tried since a moment, the administrator not counted."""
        (admin,) = self.keys.public(ADMIN)
        return {deed for deed in done(self._log(since)) if deed.key != admin}

    def user_of(self, key: str) -> str:
        """Return whose key it is."""
        everybody = (*EVERYBODY, ADMIN)
        return next(user for user in everybody if key in self.keys.public(user))

    def _log(self, since: int) -> str:
        with self.nats.log.open("rb") as log:
            log.seek(since)
            return log.read().decode("utf-8", "replace")


def configuration(keys: Keys, *, without: Permission | None = None) -> str:
    """Return what the server is told."""
    rows = {user: [row for row in permissions(user) if row != without] for user in EVERYBODY}
    rows[ADMIN] = [
        Permission(user=ADMIN, right=right, subject=">", why="tests")
        for right in (Right.PUBLISH, Right.SUBSCRIBE)
    ]
    return TRACED + authorization(rows, {user: keys.public(user) for user in rows})


@asynccontextmanager
async def ground(directory: Path, *, database_url: str) -> AsyncIterator[Ground]:
    """Start NATS with every user, and let somebody log in to a migrated database as job-store."""
    keys = Keys(directory / "keys")
    keys.ensure((*EVERYBODY, ADMIN))
    server = NatsServer(
        directory / "nats", durability=Durability.KILL, more_config=configuration(keys)
    )
    store_url = await _logged_in(database_url)
    async with server:
        try:
            yield Ground(nats=server, keys=keys, database_url=database_url, store_url=store_url)
        finally:
            await server.discard()


async def _logged_in(database_url: str) -> str:
    owner = await asyncpg.connect(database_url)
    try:
        if not await owner.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", LOGIN):
            await owner.execute(
                f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}' IN ROLE {STORE_ROLE}"
            )
    finally:
        await owner.close()
    _, _, at = database_url.rpartition("@")
    return f"postgresql://{LOGIN}:{PASSWORD.replace(' ', '%20')}@{at}"


async def first_refusal(on: Ground, since: int) -> Deed:
    """Wait until the server refuses somebody something."""
    while not (found := on.refused(since)):
        await asyncio.sleep(0.05)  # noqa: TID251 - the rate at which a log is looked at
    return min(found)
