"""Fixtures: a real NATS, a fake KIE and a played job-store for every test."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from testkit.kie import FakeKie
from testkit.servers import Durability, NatsServer

# Tests are imported without packages; what they share is a module of its own.
sys.path.insert(0, str(Path(__file__).parent))

from reconciler_bench import JobStore, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    kie = FakeKie(create_rate=None, more_api_keys=("key-of-shop",))
    server = NatsServer(tmp_path / "nats", durability=Durability.KILL)
    async with server, kie, JobStore.on(server.url) as store:
        yield World(nats=server, kie=kie, store=store, secrets=secrets)
