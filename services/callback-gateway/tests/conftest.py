"""Fixtures: a real NATS with the stream REPORTS, and the whole gateway on a free port."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import bus
from testkit.servers.durability import Durability
from testkit.servers.nats import NatsServer

# Tests are imported without packages; what they share are modules of their own.
sys.path.insert(0, str(Path(__file__).parent))

from callback_port import (
    Port,
    Reports,
    gateway,
    make_reports_stream,
    settings_for,
)


@pytest.fixture
async def bus_server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A NATS of this test's own, to be killed and frozen, with REPORTS in it."""
    async with NatsServer(tmp_path / "nats", durability=Durability.KILL) as server:
        await make_reports_stream(server.url)
        yield server
        await server.discard()


@pytest.fixture
async def reports(bus_server: NatsServer) -> AsyncIterator[Reports]:
    async with bus.connected(bus_server.url, name="tests") as broker:
        yield Reports(broker.connection)


@pytest.fixture
async def port(bus_server: NatsServer) -> AsyncIterator[Port]:
    async with gateway(settings_for(bus_server.url)) as running:
        yield running
