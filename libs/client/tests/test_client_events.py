"""Events come in order, once, without gaps: whatever announcements get lost and whoever restarts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client_store import Service, refuse, serving, silence
from contracts.api import Changes
from contracts.refusals import RefusalName
from sendonce import JobEvent, SendOnce, UnknownBot, feed
from testkit.servers import Durability, NatsServer

PATIENCE = 20.0


async def take(events: AsyncIterator[JobEvent], count: int) -> list[int]:
    """The cursors of the next events."""
    async with asyncio.timeout(PATIENCE):
        return [(await anext(events)).seq or 0 for _ in range(count)]


@pytest.fixture
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an announcement can wake the feed."""
    monkeypatch.setattr(feed, "SOON", PATIENCE * 2)
    monkeypatch.setattr(feed, "POLL", PATIENCE * 2)


async def resting(service: Service, *, after: int) -> None:
    """Wait until the feed has read past a cursor and found nothing."""
    async with asyncio.timeout(PATIENCE):
        while not any(cursor(asked.request) == after for asked in service.store.verbs("changes")):
            service.heard.clear()
            await service.heard.wait()


def cursor(request: object) -> int:
    assert isinstance(request, Changes)
    return request.after


async def test_every_event_kept_comes_in_order_over_pages(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.happen(450)

    assert await take(sendonce.events(), 450) == list(range(1, 451))


async def test_the_caller_goes_on_from_the_cursor_it_stored(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.happen(5)
    events = sendonce.events(after=3)

    first = await take(events, 2)
    await events.aclose()
    service.store.happen(1)

    assert first == [4, 5]
    assert await take(sendonce.events(after=5), 1) == [6]


async def test_an_announcement_wakes_the_feed(
    sendonce: SendOnce, service: Service, seldom: None
) -> None:
    events = sendonce.events()
    waiting = asyncio.create_task(take(events, 2))
    await resting(service, after=0)

    service.store.happen(2)
    await service.announce()

    assert await waiting == [1, 2]


async def test_another_bots_announcement_does_not(
    sendonce: SendOnce, service: Service, seldom: None
) -> None:
    waiting = asyncio.create_task(take(sendonce.events(), 1))
    await resting(service, after=0)
    before = len(service.store.asked)

    await service.announce(bot="other")
    await sendonce.returned(7)

    assert [asked.verb for asked in service.store.asked[before:]] == ["jobs.returned"]
    waiting.cancel()


async def test_a_lost_announcement_only_costs_the_next_look(
    sendonce: SendOnce, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "POLL", 0.1)
    waiting = asyncio.create_task(take(sendonce.events(), 1))
    await resting(service, after=0)

    service.store.happen(1)

    assert await waiting == [1]


async def test_an_announcement_that_outran_its_event_is_looked_at_again_soon(
    sendonce: SendOnce, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "POLL", PATIENCE * 2)
    waiting = asyncio.create_task(take(sendonce.events(), 1))
    await resting(service, after=0)
    before = len(service.store.asked)

    await service.announce()
    async with asyncio.timeout(PATIENCE):
        while len(service.store.asked) == before:
            service.heard.clear()
            await service.heard.wait()
    service.store.happen(1)

    assert await waiting == [1]


async def test_two_loops_of_one_bot_each_hear_everything(
    sendonce: SendOnce, service: Service, seldom: None
) -> None:
    loops = [asyncio.create_task(take(sendonce.events(), 3)) for _ in range(2)]
    await resting(service, after=0)

    for _ in range(3):
        service.store.happen(1)
        await service.announce()

    assert await asyncio.gather(*loops) == [[1, 2, 3], [1, 2, 3]]


async def test_a_store_that_restarts_or_stumbles_is_waited_out(
    sendonce: SendOnce, service: Service, impatient: None
) -> None:
    events = sendonce.events()
    service.store.happen(2)
    assert await take(events, 2) == [1, 2]

    waiting = asyncio.create_task(take(events, 2))
    await service.stop()
    service.store.happen(2)
    service.store.scripts += [refuse(RefusalName.UNAVAILABLE), silence]
    await service.start()

    assert await waiting == [3, 4]


async def test_a_killed_server_costs_no_event_and_repeats_none(
    tmp_path: Path, seldom: None, impatient: None
) -> None:
    async with (
        NatsServer(tmp_path / "nats", durability=Durability.KILL) as server,
        serving(server.url) as service,
        SendOnce(server.url) as sendonce,
    ):
        events = sendonce.events()
        waiting = asyncio.create_task(take(events, 3))
        service.store.happen(1)
        await resting(service, after=0)
        await server.kill()
        service.store.happen(2)
        await server.start()

        assert await waiting == [1, 2, 3]


async def test_a_page_larger_than_the_bus_carries_is_asked_for_in_smaller_ones(
    sendonce: SendOnce, service: Service, impatient: None
) -> None:
    service.store.largest_page = 20
    service.store.happen(30)

    assert await take(sendonce.events(), 30) == list(range(1, 31))


async def test_a_bot_nobody_knows_is_an_error_and_no_loop(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.scripts.append(refuse(RefusalName.UNKNOWN_BOT))

    with pytest.raises(UnknownBot):
        await take(sendonce.events(), 1)


async def test_closing_ends_the_loop(sendonce: SendOnce, service: Service, seldom: None) -> None:
    async def all_of_them() -> list[JobEvent]:
        return [event async for event in sendonce.events()]

    service.store.happen(2)
    listening = asyncio.create_task(all_of_them())
    await resting(service, after=2)
    await sendonce.returned(7)
    await sendonce.close()

    async with asyncio.timeout(PATIENCE):
        assert len(await listening) == 2
