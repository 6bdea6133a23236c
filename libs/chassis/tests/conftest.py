"""Fixtures: real servers, one NATS per test, one Postgres per run."""

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from chassis import bus

# Tests are imported without packages; the servers are a module of their own.
sys.path.insert(0, str(Path(__file__).parent))

from chassis_servers import DURABLE, STREAM, NatsServer, Postgres


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[NatsBroker]:
    async with bus.connected(nats_server.url, name="tests") as connection:
        yield connection


@pytest.fixture
async def js(broker: NatsBroker) -> JetStreamContext:
    """JetStream with the tests' stream and durable standing."""
    context = broker.connection.jetstream()
    await bus.ensure_streams(context, [STREAM], [DURABLE])
    return context


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not pytest's tmp_path: its parents are closed to other users.
    root = Path(tempfile.mkdtemp(prefix="chassis-pg-"))
    server = Postgres(root)
    server.init()
    server.start()
    yield server
    server.stop()
    shutil.rmtree(root)
