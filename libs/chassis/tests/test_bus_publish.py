"""Publishing: a PubAck or a typed refusal, in atomic batches, with stable ids."""

import asyncio

import pytest
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from chassis import bus, metrics
from chassis.bus import wire
from chassis_servers import NatsServer, until


def publisher(broker: NatsBroker) -> bus.Publisher:
    return bus.Publisher(broker.connection, stream_of=lambda _subject: "WORK")


def message(number: int, *, data: bytes = b"x", msg_id: str | None = None) -> bus.Outgoing:
    return bus.Outgoing(subject="work.done", data=data, msg_id=msg_id or f"m-{number}")


async def stored(js: JetStreamContext) -> int:
    return (await js.stream_info("WORK")).state.messages


async def test_a_lone_message_is_a_plain_publish(js: JetStreamContext, broker: NatsBroker) -> None:
    answer = await publisher(broker).publish(message(1))

    assert answer == bus.Stored(stream="WORK", seq=1, duplicate=False)
    kept = await js.get_msg("WORK", 1)
    assert kept.headers is not None
    assert kept.headers.keys() == {"Nats-Msg-Id", "traceparent"}


async def test_concurrent_publishes_share_a_batch_and_get_their_own_sequence(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    out = publisher(broker)

    answers = await asyncio.gather(
        *(out.publish(message(n, data=str(n).encode())) for n in range(200))
    )

    assert await stored(js) == 200
    for number in (0, 1, 150, 199):
        kept = await js.get_msg("WORK", answers[number].seq)
        assert kept.data == str(number).encode()
        assert kept.headers is not None
        assert wire.BATCH_ID in kept.headers


async def test_fault_40_a_known_id_in_a_batch_makes_its_messages_go_alone(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    out = publisher(broker)
    first = await out.publish(message(3))

    answers = await asyncio.gather(*(out.publish(message(n)) for n in range(10)))

    assert [answer.duplicate for answer in answers] == [n == 3 for n in range(10)]
    assert answers[3].seq == first.seq
    assert await stored(js) == 10


async def test_the_same_id_twice_in_one_batch_is_published_once(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    out = publisher(broker)

    answers = await asyncio.gather(*(out.publish(message(n % 5)) for n in range(20)))

    assert await stored(js) == 5
    assert len({answer.seq for answer in answers}) == 5


async def test_publish_many_answers_each_message_for_itself(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    too_large = message(2, data=b"x" * (broker.connection.max_payload + 1))

    answers = await publisher(broker).publish_many([message(1), too_large, message(3)])

    assert isinstance(answers[0], bus.Stored)
    assert isinstance(answers[1], bus.TooLarge)
    assert isinstance(answers[2], bus.Stored)
    assert broker.connection.is_connected


async def test_batches_keep_below_the_bytes_the_server_stages(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    out = publisher(broker)
    large = b"x" * 900_000

    answers = await asyncio.gather(*(out.publish(message(n, data=large)) for n in range(12)))

    assert len({answer.seq for answer in answers}) == 12


async def test_a_subject_no_stream_takes_is_not_stored(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    out = publisher(broker)

    with pytest.raises(bus.NotStored, match="no stream"):
        await out.publish(bus.Outgoing(subject="nowhere", data=b"", msg_id="m"))


async def test_a_server_that_is_away_is_said_at_once_and_nothing_waits_in_a_buffer(
    js: JetStreamContext, broker: NatsBroker, nats_server: NatsServer
) -> None:
    out = publisher(broker)
    nats_server.kill()
    await until(lambda: not broker.connection.is_connected)

    with pytest.raises(bus.NotStored, match="disconnected"):
        await asyncio.wait_for(out.publish(message(1)), 0.5)

    nats_server.start()
    await until(lambda: broker.connection.is_connected, within=10)
    assert await stored(js) == 0
    assert not (await out.publish(message(1))).duplicate


async def test_outcomes_are_counted_without_ids(js: JetStreamContext, broker: NatsBroker) -> None:
    await publisher(broker).publish(message(1))

    text = metrics.exposition().decode()
    assert 'sendonce_published_total{outcome="stored",stream="WORK"}' in text
    assert "m-1" not in text
