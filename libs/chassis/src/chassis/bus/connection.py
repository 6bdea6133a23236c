"""One NATS connection: it never gives up, and never hides an outage in a buffer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.protocol.parser import PERMISSIONS_ERR

from chassis.bus import credentials
from chassis.metrics import counter

log = structlog.get_logger()

FIRST_CONNECT = timedelta(seconds=60)  # servers of a whole deployment start side by side
PING_INTERVAL = 5  # seconds; with two outstanding pings a dead link is noticed in 15 s
RECONNECT_WAIT = 0.5  # seconds between attempts
CONNECT_TIMEOUT = 3  # seconds for one attempt
DRAIN_TIMEOUT = 5  # seconds to flush on leaving
GRACEFUL_TIMEOUT = timedelta(seconds=15)  # running handlers get it on leaving

_EVENTS = counter("nats_connection_events_total", "Connects, losses and errors.", ["event"])


async def connect(
    url: str,
    *,
    name: str,
    creds: Path | None = None,
    deadline: timedelta = FIRST_CONNECT,
    graceful_timeout: timedelta = GRACEFUL_TIMEOUT,
) -> NatsBroker:
    """Connect and return the broker; its raw client is `broker.connection`.

    The first connect is tried until the deadline (then `TimeoutError`), later ones for ever.
    On leaving, running handlers get `graceful_timeout`. Replies come to `_INBOX.<name>`, where
    permissions can keep others from listening.
    """
    broker = _broker(url, name=name, creds=creds, graceful_timeout=graceful_timeout)
    await _first_connect(broker, deadline)
    _outlast_errors(broker.connection)
    credentials.follow(broker.connection, creds)
    _EVENTS.labels("connected").inc()
    log.info("nats.connected", name=name)
    return broker


def _broker(url: str, *, name: str, creds: Path | None, graceful_timeout: timedelta) -> NatsBroker:
    async def on_disconnected() -> None:
        if broker.connection.is_closed:  # we left; a lost connection is reconnecting
            log.info("nats.closed", name=name)
            return
        _EVENTS.labels("disconnected").inc()
        log.warning("nats.disconnected", name=name)

    broker = NatsBroker(
        [part.strip() for part in url.split(",")],
        name=name,
        ack_policy=AckPolicy.MANUAL,
        # The default of 60 attempts closes the connection for good and then spins.
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_WAIT,  # type: ignore[arg-type]  # nats-py sleeps for it, a float is fine
        connect_timeout=CONNECT_TIMEOUT,
        ping_interval=PING_INTERVAL,
        max_outstanding_pings=2,
        drain_timeout=DRAIN_TIMEOUT,
        # No reconnect buffer: what cannot be sent now fails now, and its caller knows.
        pending_size=0,
        graceful_timeout=graceful_timeout.total_seconds(),
        apply_types=False,
        logger=None,
        log_level=logging.WARNING,
        error_cb=_on_error,
        disconnected_cb=on_disconnected,
        reconnected_cb=_on_reconnected,
        security=credentials.security(creds),
        inbox_prefix=f"_INBOX.{name}",
    )
    return broker


async def _first_connect(broker: NatsBroker, deadline: timedelta) -> None:
    # nats-py's endless loop can swallow a cancellation, so it runs apart and is told repeatedly.
    connecting = asyncio.create_task(broker.connect())
    try:
        await asyncio.wait({connecting}, timeout=deadline.total_seconds())
    finally:
        while not connecting.done():
            connecting.cancel()
            await asyncio.wait({connecting}, timeout=RECONNECT_WAIT)
    if connecting.cancelled():
        raise TimeoutError(f"no connection to NATS within {deadline.total_seconds():.0f} s")
    connecting.result()


def _outlast_errors(client: Client) -> None:
    """Have a client that was once let in connect again whatever the server says, for ever.

    When credentials expire or are rotated, nats-py closes for good (nats-io/nats.py#1019) and
    FastStream ends the attempts to reconnect, although each attempt reads the file with the new
    ones. A refused permission ends no connection.
    """
    usual = client._process_err  # noqa: SLF001 - there is no public way to outlast an error

    async def process_err(err_msg: str) -> None:
        if PERMISSIONS_ERR in err_msg:
            await usual(err_msg)
            return
        problem = nats.errors.Error(f"nats: {err_msg}")
        await _on_error(problem)
        await client._process_op_err(problem)  # noqa: SLF001 - as for a stale connection

    client._process_err = process_err  # type: ignore[method-assign]  # noqa: SLF001 - as above
    client._error_cb = _on_error  # noqa: SLF001 - FastStream's own raises what it takes for final


async def check_connection(broker: NatsBroker) -> None:
    """Raise `ConnectionError` while there is no connection; for readiness."""
    if not broker.connection.is_connected:
        raise ConnectionError("not connected to NATS")


async def disconnect(broker: NatsBroker) -> None:
    """Close the connection; an absent server is logged and does not fail the leaving."""
    client = broker.connection
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT):
            await broker.stop()
    except (nats.errors.Error, OSError, TimeoutError) as problem:
        log.warning("nats.drain_failed", problem=repr(problem))
    if client.is_closed:
        return
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT):
            await client.close()
    except (nats.errors.Error, OSError, TimeoutError) as problem:
        log.warning("nats.close_failed", problem=repr(problem))


@asynccontextmanager
async def connected(
    url: str,
    *,
    name: str,
    creds: Path | None = None,
    deadline: timedelta = FIRST_CONNECT,
    graceful_timeout: timedelta = GRACEFUL_TIMEOUT,
) -> AsyncIterator[NatsBroker]:
    """`connect` and `disconnect` as one block, for an exit stack."""
    broker = await connect(
        url, name=name, creds=creds, deadline=deadline, graceful_timeout=graceful_timeout
    )
    try:
        yield broker
    finally:
        await disconnect(broker)


async def _on_error(problem: Exception) -> None:
    _EVENTS.labels("error").inc()
    log.warning("nats.error", problem=repr(problem))


async def _on_reconnected() -> None:
    _EVENTS.labels("reconnected").inc()
    log.info("nats.reconnected")
