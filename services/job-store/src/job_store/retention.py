"""Keeps streams from filling up and from remembering for ever, and shows how full they are.

What every reader has acknowledged goes, no more.
"""

from datetime import datetime
from typing import Final

import structlog
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from chassis import bus
from chassis.metrics import gauge
from contracts import streams

log = structlog.get_logger()

# History is worth keeping while there is room: after a restore of Postgres it is applied again.
PURGE_ABOVE: Final = 0.25  # of a stream's max_bytes

_BYTES: Final = gauge("stream_bytes", "What a stream holds.", ["stream"])
_ROOM: Final = gauge("stream_max_bytes", "What it may hold.", ["stream"])
_MESSAGES: Final = gauge("stream_messages", "Messages a stream holds.", ["stream"])


async def measure_streams(js: JetStreamContext) -> bool:
    """Show how full every stream is. Returns that there is no more to do."""
    for stream in streams.STREAMS:
        info = await js.stream_info(stream.name)
        _BYTES.labels(stream.name).set(info.state.bytes)
        _ROOM.labels(stream.name).set(info.config.max_bytes or 0)
        _MESSAGES.labels(stream.name).set(info.state.messages)
    return False


async def purge_acknowledged(js: JetStreamContext) -> bool:
    """Purge the streams that grew, below the lowest acknowledged floor of their durables."""
    for stream in streams.STREAMS:
        # Before the consumers are asked: what arrives in between counts as unread.
        state = (await js.stream_info(stream.name)).state
        if state.bytes <= stream.max_bytes * PURGE_ABOVE:
            continue
        floor = await _acknowledged_by_all(js, stream.name, last_seq=state.last_seq)
        if floor is not None:
            await _purge(js, stream.name, state, upto=floor)
    return False


async def purge_aged(js: JetStreamContext, *, before: datetime) -> bool:
    """Purge what is older, as far as it is acknowledged, and of events all that is: Postgres keeps them for bots."""
    for stream in streams.STREAMS:
        state = (await js.stream_info(stream.name)).state
        upto = await _last_before(js, stream.name, state, before)
        floor = await _acknowledged_by_all(js, stream.name, last_seq=state.last_seq)
        await _purge(js, stream.name, state, upto=upto if floor is None else min(upto, floor))
    return False


async def _purge(js: JetStreamContext, stream: str, state: api.StreamState, *, upto: int) -> None:
    if upto >= state.first_seq:
        await bus.purge_below(js, stream, seq=upto + 1)
        log.info("stream.purged", stream=stream, below=upto + 1, bytes=state.bytes)


async def _acknowledged_by_all(js: JetStreamContext, stream: str, *, last_seq: int) -> int | None:
    """Return up to where no durable needs anything any more; None of a stream that has none."""
    durables = [row.durable for row in streams.CONSUMERS if row.stream == stream]
    infos = [await js.consumer_info(stream, durable) for durable in durables]
    return min((acknowledged(info, last_seq=last_seq) for info in infos), default=None)


async def _last_before(
    js: JetStreamContext, stream: str, state: api.StreamState, before: datetime
) -> int:
    """Find the last message that was stored before this moment, halving what is left with each look."""
    low, high = (
        state.first_seq - 1,
        state.last_seq,
    )  # the last that is surely older, and that may be
    first = await _stored_at(js, stream, seq=state.first_seq)
    if first is None or first >= before:
        return low
    while low < high:
        middle = (low + high + 1) // 2
        stored_at = await _stored_at(js, stream, seq=middle)
        if stored_at is None or stored_at >= before:
            high = middle - 1
        else:
            low = middle
    return low


async def _stored_at(js: JetStreamContext, stream: str, *, seq: int) -> datetime | None:
    """Return when this message, or the next there is, was stored; None when there is none."""
    try:
        return (await js.get_msg(stream, seq, subject=">", next=True)).time
    except NotFoundError:
        return None


def acknowledged(info: api.ConsumerInfo, *, last_seq: int) -> int:
    """Return up to where a durable needs nothing any more.

    Its own floor moves only with messages of its own subject: with nothing waiting it has read all.
    """
    if not info.num_pending and not info.num_ack_pending:
        return last_seq
    return info.ack_floor.stream_seq if info.ack_floor else 0
