"""Postgres pools with every timeout set, and what an exception says about the server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from chassis import clock
from chassis.metrics import gauge, histogram

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # asyncpg's classes are generic only in its stubs
    Connection = asyncpg.pool.PoolConnectionProxy
    Pool = asyncpg.Pool

Address = Callable[[], str]  # of the server, as it is now

log = structlog.get_logger()

FIRST_CONNECT = timedelta(seconds=60)  # servers of a whole deployment start side by side
RETRY_PAUSE = 0.5  # seconds between attempts of the first connect

_ACQUIRE = histogram("postgres_acquire_seconds", "Waiting for a pooled connection.")
_SIZE = gauge("postgres_pool_connections", "Connections by state.", ["state"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long each thing may take; the server's limits end before the client's."""

    connect: timedelta = timedelta(seconds=5)
    acquire: timedelta = timedelta(seconds=5)
    statement: timedelta = timedelta(seconds=10)
    command: timedelta = timedelta(seconds=12)
    lock: timedelta = timedelta(seconds=5)
    idle_in_transaction: timedelta = timedelta(seconds=15)


class Database:
    """A pool; `connection()` and `transaction()` are the only ways in."""

    def __init__(self, pool: Pool, limits: Limits, midwife: "_Midwife") -> None:
        """Made by `connect`."""
        self.pool = pool
        self._limits = limits
        self._midwife = midwife

    @property
    def births(self) -> int:
        """How many connections were ever made: the server behind them may be another since."""
        return self._midwife.births

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; `TimeoutError` when none comes free in time."""
        seconds = self._limits.acquire.total_seconds()
        with _ACQUIRE.time():
            lent = await self.pool.acquire(timeout=seconds)
        idle = self.pool.get_idle_size()
        _SIZE.labels("idle").set(idle)
        _SIZE.labels("busy").set(self.pool.get_size() - idle)
        try:
            yield lent
        finally:
            # Shielded: a cancelled caller must not leave the connection half given back.
            await asyncio.shield(self.pool.release(lent, timeout=seconds))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection in one transaction: committed on leaving, rolled back on raising."""
        async with self.connection() as lent, lent.transaction():
            yield lent

    async def ping(self) -> None:
        """Raise unless Postgres answers; for readiness."""
        async with self.connection() as lent:
            await lent.execute("SELECT 1")


async def connect(  # noqa: PLR0913 - all by keyword; described limits
    address: str | Address,
    *,
    application_name: str,
    schema: str = "public",
    min_size: int = 1,
    max_size: int = 10,
    limits: Limits | None = None,
    deadline: timedelta = FIRST_CONNECT,
) -> Database:
    """Open a pool; an absent server is tried again until the deadline, then its error is raised.

    An address that is no text is asked for with every connection that is made: its password may be replaced.
    A server that lets nobody in by the first one is not waited for.
    """
    limits = limits or Limits()
    loop = asyncio.get_running_loop()
    until = loop.time() + deadline.total_seconds()
    midwife = _Midwife()
    while True:
        clock.honour_cancellation()
        try:
            pool = await _open(
                address,
                min_size=min_size,
                max_size=max_size,
                limits=limits,
                midwife=midwife,
                server_settings=_server_settings(application_name, schema, limits),
            )
        except Exception as problem:
            hopeless = isinstance(problem, _NOT_LET_IN) or not is_outage(problem)
            if hopeless or loop.time() > until:
                raise
            log.warning("postgres.absent", problem=repr(problem))
            await clock.SYSTEM.sleep(RETRY_PAUSE)
        else:
            return Database(pool, limits, midwife)


@asynccontextmanager
async def connected(
    address: str | Address,
    *,
    application_name: str,
    schema: str = "public",
    max_size: int = 10,
    deadline: timedelta = FIRST_CONNECT,
) -> AsyncIterator[Database]:
    """`connect` and `disconnect` as one block, for an exit stack."""
    database = await connect(
        address,
        application_name=application_name,
        schema=schema,
        max_size=max_size,
        deadline=deadline,
    )
    try:
        yield database
    finally:
        await disconnect(database)


async def disconnect(database: Database, *, grace: timedelta = timedelta(seconds=5)) -> None:
    """Close the pool; connections still busy after the grace are cut."""
    try:
        async with asyncio.timeout(grace.total_seconds()):
            await database.pool.close()
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        log.warning("postgres.close_failed", problem=repr(problem))
        database.pool.terminate()


def is_outage(problem: BaseException) -> bool:
    """Tell whether the server is away, leaving, or took too long: the same call may work later.

    A lost COMMIT reply looks the same, so what is tried again must be idempotent.
    """
    if isinstance(problem, asyncpg.InterfaceError):
        # The same class also means misuse; a connection lost inside a block has only its text.
        return "connection is closed" in str(problem) or "connection was closed" in str(problem)
    return isinstance(problem, _OUTAGES)


def is_conflict(problem: BaseException) -> bool:
    """Tell whether Postgres sacrificed this transaction to another, or to a migration: run it again at once."""
    return isinstance(problem, _CONFLICTS)


_CONFLICTS = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,  # prepared before a table changed; the next time it is prepared anew
    asyncpg.OutdatedSchemaCacheError,
)

# A password is being replaced, and our copy is not there yet or not there any more.
_NOT_LET_IN = (asyncpg.InvalidAuthorizationSpecificationError,)

_OUTAGES = (
    *_NOT_LET_IN,
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,  # also ConnectionDoesNotExistError: cut in mid query
    asyncpg.InternalClientError,  # asyncpg's own confusion about a connection that was ended under it
    asyncpg.OperatorInterventionError,  # shutdown, crash, cannot connect now, statement timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


async def _open(
    address: str | Address,
    *,
    min_size: int,
    max_size: int,
    limits: Limits,
    midwife: "_Midwife",
    server_settings: dict[str, str],
) -> Pool:
    async def dial(
        dsn: str | None = None,  # noqa: ARG001 - asyncpg's own signature, as the next
        **options: Any,  # noqa: ANN401
    ) -> "asyncpg.Connection[asyncpg.Record]":
        now = address if isinstance(address, str) else address()
        return await asyncpg.connect(now, **options)

    return await asyncpg.create_pool(
        connect=dial,
        min_size=min_size,
        max_size=max_size,
        timeout=limits.connect.total_seconds(),
        command_timeout=limits.command.total_seconds(),
        server_settings=server_settings,
        init=midwife.prepare,
        reset=_as_it_is,
    )


class _Midwife:
    """Prepares every connection that is made, and counts them."""

    def __init__(self) -> None:
        self.births = 0

    async def prepare(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.births += 1
        for name in ("json", "jsonb"):
            await connection.set_type_codec(
                name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
            )


async def _as_it_is(_connection: object) -> None:
    """Spare the round trip of asyncpg's reset after every lending.

    Nobody here changes a session: locks and settings end with their transaction, and one that was
    left open is rolled back by asyncpg before this is called.
    """


def _server_settings(application_name: str, schema: str, limits: Limits) -> dict[str, str]:
    return {
        "application_name": application_name,
        "search_path": schema,
        "statement_timeout": _milliseconds(limits.statement),
        "lock_timeout": _milliseconds(limits.lock),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction),
        # The server notices a vanished client in half a minute and frees its locks.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "30000",
        "timezone": "UTC",
        # Short queries only: compiling them costs more than it saves.
        "jit": "off",
    }


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))
