"""Keeps streams from filling up, and shows how full they are: what every reader has acknowledged goes, no more."""

from typing import Final

import structlog
from nats.js import JetStreamContext, api

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
        durables = [row.durable for row in streams.CONSUMERS if row.stream == stream.name]
        if not durables:
            continue
        # Before the consumers are asked: what arrives in between counts as unread.
        state = (await js.stream_info(stream.name)).state
        if state.bytes <= stream.max_bytes * PURGE_ABOVE:
            continue
        infos = [await js.consumer_info(stream.name, durable) for durable in durables]
        floor = min(acknowledged(info, last_seq=state.last_seq) for info in infos)
        if floor >= state.first_seq:
            await bus.purge_below(js, stream.name, seq=floor + 1)
            log.info("stream.purged", stream=stream.name, below=floor + 1, bytes=state.bytes)
    return False


def acknowledged(info: api.ConsumerInfo, *, last_seq: int) -> int:
    """Return up to where a durable needs nothing any more.

    Its own floor moves only with messages of its own subject: with nothing waiting it has read all.
    """
    if not info.num_pending and not info.num_ack_pending:
        return last_seq
    return info.ack_floor.stream_seq if info.ack_floor else 0
