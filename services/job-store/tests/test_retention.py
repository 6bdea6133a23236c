"""Streams are purged below what every durable acknowledged, never above, by room and by age."""

from datetime import datetime

import nats
import pytest

from chassis.metrics import REGISTRY
from contracts import streams
from job_store import retention
from job_store.migrate import migrate_bus


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PURGE_ABOVE", 0.0)


async def test_only_what_every_durable_acknowledged_is_purged(nats_url: str, small: None):
    await migrate_bus(nats_url)
    client = await nats.connect(nats_url)
    js = client.jetstream()
    for _ in range(3):
        await js.publish("submissions.outcome", b"s")
        await js.publish("deliveries.outcome", b"d")

    await retention.purge_acknowledged(js)
    assert (await js.stream_info(streams.OUTCOMES)).state.messages == 6

    submissions = await js.pull_subscribe_bind("job-store-submissions", streams.OUTCOMES)
    for message in await submissions.fetch(3):
        await message.ack_sync()
    deliveries = await js.pull_subscribe_bind("job-store-deliveries", streams.OUTCOMES)
    (first,) = await deliveries.fetch(1)
    await first.ack_sync()
    await retention.purge_acknowledged(js)

    state = (await js.stream_info(streams.OUTCOMES)).state
    assert (state.first_seq, state.messages) == (3, 4)
    await client.close()


async def test_how_full_a_stream_is_can_be_read(nats_url: str):
    await migrate_bus(nats_url)
    client = await nats.connect(nats_url)
    js = client.jetstream()
    await js.publish("polls.requested", b"p" * 1_000)

    await retention.measure_streams(js)

    def of(name: str, stream: str) -> float | None:
        return REGISTRY.get_sample_value(f"sendonce_{name}", {"stream": stream})

    assert of("stream_messages", streams.POLLS) == 1
    assert 1_000 < (of("stream_bytes", streams.POLLS) or 0) < 2_000
    for stream in streams.STREAMS:
        assert of("stream_max_bytes", stream.name) == stream.max_bytes
    await client.close()


async def test_what_is_older_goes_when_it_is_acknowledged_and_events_in_any_case(nats_url: str):
    await migrate_bus(nats_url)
    client = await nats.connect(nats_url)
    js = client.jetstream()
    reports = [await js.publish("reports.received", b"r") for _ in range(5)]
    events = [await js.publish("jobs.created.shop", b"e") for _ in range(2)]
    await js.delete_msg(streams.REPORTS, reports[1].seq)
    readers = await js.pull_subscribe_bind("job-store-reports", streams.REPORTS)
    for message in await readers.fetch(2):
        await message.ack_sync()
    stored_at = {seq: (await js.get_msg(streams.REPORTS, seq)).time for seq in (1, 3, 5)}

    async def left(before: datetime | None, stream: str = streams.REPORTS) -> int:
        assert before is not None
        await retention.purge_aged(js, before=before)
        return (await js.stream_info(stream)).state.first_seq

    assert await left(stored_at[1]) == 1
    assert await left(stored_at[3]) == 3  # what stood between them is gone already
    assert await left(stored_at[5]) == 4  # older than that, but not acknowledged
    last = (await js.get_msg(streams.JOBS, events[1].seq)).time
    assert await left(last, streams.JOBS) == events[1].seq
    await client.close()
