"""Publishing while the caller waits: nobody's impatience costs another caller their answer."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from callback_arrivals import KEYS, SUCCESS, callback, token
from callback_gateway.domain import answers
from callback_gateway.domain.arrival import Callback
from callback_gateway.domain.bucket import Rate
from callback_gateway.handlers import Handlers, Patience
from callback_port import Reports
from chassis import bus, metrics
from chassis.clock import SYSTEM
from contracts import streams
from testkit.servers.nats import NatsServer

PATIENCE = Patience(publishing=timedelta(seconds=8), whole_request=timedelta(seconds=14))
RATE = Rate(per_second=20, burst=200)


@pytest.fixture
async def handlers(reports: Reports) -> Handlers:
    publisher = bus.Publisher(reports.client, stream_of=streams.stream_of)
    return Handlers(publisher, keys=KEYS, patience=PATIENCE, unvouched=RATE, clock=SYSTEM)


async def test_a_caller_without_time_leaves_and_the_others_get_their_answer(
    handlers: Handlers, bus_server: NatsServer, reports: Reports
) -> None:
    arrived = callback(token=token())
    bus_server.pause()
    patient = asyncio.create_task(handlers.on_callback(arrived, began=SYSTEM.monotonic()))

    hasty = await handlers.on_callback(arrived, began=SYSTEM.monotonic() - 13.9)

    assert hasty is answers.NOT_STORED
    assert not patient.done()
    bus_server.resume()
    assert await patient is None
    assert await reports.count() == 1


async def test_a_message_the_server_never_takes_is_not_tried_for_long(
    handlers: Handlers, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a server says that is set to smaller messages than ours.
    monkeypatch.setattr(reports.client, "_max_payload", 1_000)

    async with asyncio.timeout(2):
        answer = await handlers.on_callback(callback(token=token()), began=SYSTEM.monotonic())

    assert answer is answers.NOT_STORED


FORGED = token(key=b"x" * 32)


@pytest.mark.parametrize(
    "arrived",
    [
        callback(token=token(), headers={"x-webhook-signature": "c2VjcmV0"}),
        callback(headers={"x-webhook-signature": "c2VjcmV0"}),
        callback(token=FORGED),
        callback(b"{"),
    ],
    ids=["stored", "wrong signature", "forged", "not json"],
)
async def test_one_line_a_callback_and_no_secret_in_it(
    handlers: Handlers, arrived: Callback
) -> None:
    with capture_logs() as lines:
        await handlers.on_callback(arrived, began=SYSTEM.monotonic())

    ours = [line for line in lines if str(line["event"]).startswith("[KIE_CALLBACK] ")]
    assert len(ours) == 1
    for secret in (token(), FORGED, "c2VjcmV0", "Playground"):
        assert secret not in repr(lines)


async def test_the_line_of_a_stored_callback_carries_its_ids(handlers: Handlers) -> None:
    with capture_logs() as lines:
        await handlers.on_callback(callback(token=token()), began=SYSTEM.monotonic())

    line = next(line for line in lines if line["event"] == "[KIE_CALLBACK] callback.stored")
    assert line["task_id"] == "task-1"
    assert line["state"] == "succeeded"
    assert line["trust"] == "token"
    assert line["duplicate"] is False


async def test_what_is_stored_is_counted_by_what_was_read(handlers: Handlers) -> None:
    await handlers.on_callback(callback(SUCCESS, token=token()), began=SYSTEM.monotonic())

    page = metrics.exposition().decode()
    assert 'sendonce_callback_readings_total{state="succeeded"}' in page
    assert "sendonce_callback_store_seconds_count" in page
