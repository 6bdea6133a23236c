"""The words of JetStream publishing: one message with its PubAck, and atomic batches (NATS' ADR-50)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from chassis.coalesce import Outage

MSG_ID = "Nats-Msg-Id"
BATCH_ID = "Nats-Batch-Id"
BATCH_SEQUENCE = "Nats-Batch-Sequence"
BATCH_COMMIT = "Nats-Batch-Commit"

HEADER_ALLOWANCE = 256  # bytes of headers that publishing adds to our own


class NotStored(Outage):
    """No PubAck: the message may or may not be stored; publish it again with the same id."""

    def __init__(self, reason: str) -> None:
        """Say what was missing."""
        super().__init__(reason)
        self.reason = reason


class TooLarge(Exception):
    """The message exceeds what the server takes; sending it would cost the connection."""

    def __init__(self, subject: str, *, size: int, limit: int) -> None:
        """Name the subject and both sizes in bytes."""
        super().__init__(f"{size} bytes for {subject}, the server takes {limit}")
        self.size = size
        self.limit = limit


class BatchRefused(Exception):
    """The server took none of the batch; its messages may be published one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to store; `msg_id` is the stable id of the fact it carries."""

    subject: str
    data: bytes
    msg_id: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes on the wire, payload and headers, as the server counts them."""
        own = sum(len(name) + len(value) + 4 for name, value in self.headers.items())
        return len(self.data) + own + len(self.msg_id) + HEADER_ALLOWANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a PubAck says: the message is durable; `duplicate` when its id was stored before."""

    stream: str
    seq: int
    duplicate: bool


class _ApiError(BaseModel):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _PubAck(BaseModel):
    stream: str = ""
    seq: int = 0
    duplicate: bool = False
    error: _ApiError | None = None


async def publish_single(client: Client, outgoing: Outgoing, *, timeout: float) -> Stored:
    """Publish one message and wait for its PubAck; anything else is `NotStored`."""
    reply = await _request(client, outgoing, {}, timeout)
    ack = _pub_ack(reply)
    if ack.error is not None:
        raise NotStored(_readable(ack.error))
    return Stored(stream=ack.stream, seq=ack.seq, duplicate=ack.duplicate)


async def publish_batch(
    client: Client,
    batch: Sequence[Outgoing],
    *,
    timeout: float,
) -> list[Stored]:
    """Publish two or more messages of one stream as one atomic batch: all or none."""
    batch_id = uuid.uuid4().hex
    *before, last = batch
    # In one go: what the server has against the first message it says to the last one too.
    for number, outgoing in enumerate(before, start=1):
        await _publish(client, outgoing, _batch_headers(batch_id, number))
    commit = _batch_headers(batch_id, len(batch)) | {BATCH_COMMIT: "1"}
    ack = _pub_ack(await _request(client, last, commit, timeout))
    if ack.error is not None or ack.seq == 0:
        _refuse(ack)
    begin = ack.seq - len(batch) + 1
    return [
        Stored(stream=ack.stream, seq=begin + place, duplicate=False) for place in range(len(batch))
    ]


def _batch_headers(batch_id: str, number: int) -> dict[str, str]:
    return {BATCH_ID: batch_id, BATCH_SEQUENCE: str(number)}


def _headers(outgoing: Outgoing, extra: Mapping[str, str]) -> dict[str, str]:
    return {**outgoing.headers, MSG_ID: outgoing.msg_id, **extra}


async def _request(
    client: Client, outgoing: Outgoing, extra: Mapping[str, str], seconds: float
) -> Msg:
    try:
        return await client.request(
            outgoing.subject, outgoing.data, timeout=seconds, headers=_headers(outgoing, extra)
        )
    except nats.errors.NoRespondersError as problem:
        raise NotStored("no stream answers for this subject now") from problem
    except (nats.errors.Error, OSError, TimeoutError) as problem:
        raise NotStored(repr(problem)) from problem


async def _publish(client: Client, outgoing: Outgoing, extra: Mapping[str, str]) -> None:
    try:
        await client.publish(outgoing.subject, outgoing.data, headers=_headers(outgoing, extra))
    except (nats.errors.Error, OSError) as problem:
        raise NotStored(repr(problem)) from problem


def _pub_ack(reply: Msg) -> _PubAck:
    try:
        return _PubAck.model_validate_json(reply.data)
    except ValidationError as problem:
        raise NotStored("the answer is no PubAck") from problem


def _refuse(ack: _PubAck) -> None:
    raise BatchRefused(
        _readable(ack.error) if ack.error is not None else "no sequence in the PubAck"
    )


def _readable(error: _ApiError) -> str:
    return f"{error.description} (code {error.code}, err_code {error.err_code})"
