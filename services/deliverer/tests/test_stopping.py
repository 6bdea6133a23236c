"""Told to stop, the service begins nothing more and loses no call in flight."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from chassis import lifecycle
from chassis.bus import connection
from contracts.values import MediaKind
from deliverer import app
from deliverer.handlers import requests
from deliverer.settings import Settings
from deliverer_asks import content_of
from deliverer_media import MP3
from slow_telegram import MESSAGE_ID, SlowTelegram, serving


@pytest.fixture
async def slow() -> AsyncIterator[SlowTelegram]:
    async with serving() as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus waits hardly at all for handlers; what keeps a call is ours."""
    monkeypatch.setattr(connection, "GRACEFUL_TIMEOUT", 0.05)


@dataclass
class Stopping:
    """A running service, and the way to stop it."""

    order: asyncio.Event
    serving: asyncio.Task[None]

    async def is_over_within(self, seconds: float) -> bool:
        """Order the stop and say whether the service has ended."""
        self.order.set()
        done, _ = await asyncio.wait({self.serving}, timeout=seconds)
        return bool(done)


@pytest.fixture
async def running(nats_url, token, slow, ends, impatient) -> AsyncIterator[Stopping]:
    """A deliverer with the slow Telegram; stopping it is a task."""
    chosen = Settings(
        nats_url=nats_url,
        bot_token=SecretStr(token),
        telegram_api_url=slow.url,
        media_from_loopback=True,
    )
    stop = asyncio.Event()
    ready = asyncio.Event()

    async def run() -> None:
        async with lifecycle.service(app.build, chosen, name="deliverer"):
            ready.set()
            await stop.wait()

    serving = asyncio.create_task(run())
    await ready.wait()
    yield Stopping(stop, serving)
    slow.answer.set()
    stop.set()
    await serving


async def test_a_send_in_flight_is_waited_for_and_told(ends, running, slow, ask, make):
    request = ask(make.send(make.text()))
    await ends.ask(request)
    await slow.asked.wait()

    assert not await running.is_over_within(1.0)
    slow.answer.set()
    await running.serving
    outcome = await ends.told(request)

    assert outcome.result.kind == "sent"
    assert outcome.result.parts[0].message_id == MESSAGE_ID
    assert slow.calls == 1


async def test_what_was_not_begun_is_not_begun(ends, running, slow, ask, make):
    ends.media.released = asyncio.Event()
    voice = content_of(ends.media, MediaKind.VOICE, "a.mp3", MP3, "audio/mpeg")
    request = ask(make.send(voice))
    await ends.ask(request)
    await ends.media.asked.wait()

    assert await running.is_over_within(5.0)
    outcome = await ends.told(request)

    assert outcome.result.kind == "not_sent"
    assert (ends.begun, slow.calls) == ([], 0)
    ends.media.released.set()


async def test_an_edit_in_flight_ends_and_no_other_follows(ends, running, slow, ask, make):
    request = ask(make.existing(make.text(), 5))
    await ends.ask(request)
    await slow.asked.wait()
    running.order.set()

    slow.answer.set()
    outcome = await ends.told(request)

    assert outcome.result.kind == "done"
    await running.serving


async def test_a_call_without_end_is_cut_off_in_its_time(
    ends, running, slow, ask, make, monkeypatch
):
    monkeypatch.setattr(requests, "TELL_WITHIN", 0.2)
    request = ask(make.send(make.text(), call_timeout=0.5))
    await ends.ask(request)
    await slow.asked.wait()

    assert await running.is_over_within(10.0)
    outcome = await ends.told(request)

    assert outcome.result.kind == "ambiguous"
