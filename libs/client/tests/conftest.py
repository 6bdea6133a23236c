"""Fixtures: a real NATS, a played job-store on it, and the SDK connected to both."""

from collections.abc import AsyncIterator

import pytest

from client_store import Service, serving
from sendonce import SendOnce, asking, feed


@pytest.fixture
async def service(nats_url: str) -> AsyncIterator[Service]:
    async with serving(nats_url) as running:
        yield running


@pytest.fixture
async def sendonce(nats_url: str, service: Service) -> AsyncIterator[SendOnce]:
    async with SendOnce(nats_url) as connected:
        yield connected


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost reply is noticed at once."""
    monkeypatch.setattr(asking, "TRY", 0.3)
    monkeypatch.setattr(feed, "TRY", 0.3)
