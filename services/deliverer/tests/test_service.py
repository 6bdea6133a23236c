"""The process: how fast it is ready, what it refuses, what it does when the bus will not listen."""

import asyncio
import sys
import time

import aiohttp
import pytest
from pydantic import SecretStr

from chassis import bus, lifecycle
from contracts import streams
from deliverer import app
from deliverer.handlers import holding
from deliverer.settings import Settings
from testkit.ports import free_port
from testkit.telegram import Kind

CHAT = 1001
READY_WITHIN = 4.0  # seconds of a quiet machine; a shared one gets three times as long


async def until_ready(port: int) -> float:
    started = time.monotonic()
    async with asyncio.timeout(3 * READY_WITHIN), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return time.monotonic() - started
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.02)  # noqa: TID251 - another process' port has no event


@pytest.mark.alone
async def test_a_killed_process_is_back_in_seconds(client, nats_url, record_property):
    port = free_port()
    env = {"SENDONCE_NATS_URL": nats_url, "SENDONCE_HEALTH_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "deliverer", env=env)

    try:
        seconds = await until_ready(port)
    finally:
        process.terminate()
        code = await process.wait()

    record_property("seconds_to_ready", seconds)
    assert code == 0


async def test_a_stream_that_differs_is_refused(client, nats_url):
    js = client.jetstream()
    found = (await js.stream_info(streams.OUTCOMES)).config
    await js.update_stream(found.evolve(max_bytes=1024))

    with pytest.raises(bus.StreamDrift, match="max_bytes"):
        async with lifecycle.service(app.build, Settings(nats_url=nats_url), name="deliverer"):
            pytest.fail("it started")


async def test_an_outcome_the_bus_will_not_store_is_told_when_it_will(bench, ask, make):
    js = bench.client.jetstream()
    config = (await js.stream_info(streams.OUTCOMES)).config
    full = config.evolve(max_msgs=1)
    await bench.outcome(ask(make.status()))
    await js.update_stream(full)
    request = ask(make.status("second"))

    await bench.ask(request)
    await bench.telegram.until(lambda: len(bench.telegram.visible(CHAT)) == 2)
    await js.update_stream(config.evolve(max_msgs=-1))
    outcome = await bench.told(request)

    assert outcome.result.kind == "done"
    assert len(bench.telegram.visible(CHAT)) == 2


async def test_a_deleted_durable_comes_back_without_old_requests(bench, ask, make):
    await bench.outcome(ask(make.status()))
    js = bench.client.jetstream()

    await js.delete_consumer(streams.DELIVERIES, "deliverer")
    outcome = await bench.outcome(ask(make.status("after")))

    assert outcome.result.kind == "done"
    assert len(bench.telegram.visible(CHAT)) == 2


async def test_a_slow_file_keeps_its_lease(bench, ask, make, monkeypatch):
    monkeypatch.setattr(holding, "RENEW_EVERY", 0.1)
    url = bench.media.put("/cat", make.png, mime="application/octet-stream")
    message_id = (await bench.outcome(ask(make.status()))).result.message_id
    bench.media.released = asyncio.Event()
    request = ask(make.existing(make.image(url), message_id), lease=1.0)

    await bench.ask(request)
    await bench.until(lambda: len(bench.asked) >= 15)  # well past the first lease
    bench.media.released.set()
    outcome = await bench.told(request)

    (shown,) = bench.telegram.visible(CHAT)
    assert outcome.result.kind == "done"
    assert shown.kind is Kind.PHOTO
    assert {asked.message_id for asked in bench.asked} == {message_id}


def test_settings_describe_themselves():
    assert all(field.description for field in Settings.model_fields.values())


def test_a_token_is_never_shown_by_settings(token):
    assert token not in repr(Settings(bot_token=SecretStr(token)))
