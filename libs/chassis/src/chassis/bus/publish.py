"""Publishing with PubAck: concurrent publishes to one stream share one atomic batch."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import structlog
from nats.aio.client import Client

from chassis.bus import wire
from chassis.bus.traced import sending
from chassis.bus.wire import BatchRefused, NotStored, Outgoing, Stored, TooLarge
from chassis.coalesce import Coalescer
from chassis.metrics import counter, histogram

__all__ = ["NotStored", "Outgoing", "Publisher", "Stored", "TooLarge"]

log = structlog.get_logger()

# Leader loss takes 5-10 s; a shorter wait only turns stored messages into unknown ones.
TIMEOUT = timedelta(seconds=5)
MAX_BATCH = 500  # twice the throughput of 100; the server takes at most 1,000
MAX_BATCH_BYTES = 4 * 1024 * 1024  # the server stages a batch in memory until its commit

_PUBLISHED = counter(
    "published_total", "Messages by outcome of their publish.", ["stream", "outcome"]
)
_BATCH_SIZE = histogram(
    "publish_batch_size",
    "Messages that shared one publish.",
    ["stream"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
_SECONDS = histogram("publish_seconds", "From sending a batch to its PubAck.", ["stream"])


class Publisher:
    """Stores messages in JetStream; one batch in flight per stream, the next fills meanwhile.

    A message is identified by its `msg_id`: every retry must carry the same one, and the same id
    twice in one batch is published once. Nothing ever waits in a reconnect buffer.
    """

    def __init__(
        self,
        client: Client,
        *,
        stream_of: Callable[[str], str],
        timeout: timedelta = TIMEOUT,
        max_batch: int = MAX_BATCH,
    ) -> None:
        """`stream_of` names the stream a subject belongs to; batches never cross streams."""
        self._client = client
        self._stream_of = stream_of
        self._timeout = timeout.total_seconds()
        self._max_batch = max_batch
        self._streams: dict[str, Coalescer[Outgoing, Stored | NotStored]] = {}

    async def publish(self, outgoing: Outgoing) -> Stored:
        """Return after the PubAck; raise `NotStored` (retry with the same id) or `TooLarge`."""
        span, caused = sending(outgoing)
        with span:
            answer = await asyncio.shield(self._submit(caused))
            if isinstance(answer, NotStored):
                raise answer
            return answer

    async def publish_many(
        self, outgoing: Sequence[Outgoing]
    ) -> list[Stored | NotStored | TooLarge]:
        """Publish all, sharing batches; one answer per message, in order, never an exception."""
        begun = [sending(each) for each in outgoing]
        submitted = [self._submit_or_refuse(caused) for _, caused in begun]
        pending = [each for each in submitted if isinstance(each, asyncio.Future)]
        if pending:
            await asyncio.wait(pending)
        answers = [
            _answer_of(each) if isinstance(each, asyncio.Future) else each for each in submitted
        ]
        for (span, _), answer in zip(begun, answers, strict=True):
            span.end(type(answer).__name__ if isinstance(answer, Exception) else None)
        return answers

    def _submit_or_refuse(
        self, outgoing: Outgoing
    ) -> asyncio.Future[Stored | NotStored] | NotStored | TooLarge:
        try:
            return self._submit(outgoing)
        except (NotStored, TooLarge) as refusal:
            return refusal

    def _submit(self, outgoing: Outgoing) -> asyncio.Future[Stored | NotStored]:
        stream = self._stream_of(outgoing.subject)
        if outgoing.size > self._client.max_payload:
            raise TooLarge(outgoing.subject, size=outgoing.size, limit=self._client.max_payload)
        if not self._client.is_connected:
            _PUBLISHED.labels(stream, "not_stored").inc()
            raise NotStored("disconnected")
        return self._coalescer(stream).submit(outgoing)

    def _coalescer(self, stream: str) -> Coalescer[Outgoing, Stored | NotStored]:
        if stream not in self._streams:
            self._streams[stream] = Coalescer(
                partial(self._store, stream),
                max_batch=self._max_batch,
                key=lambda outgoing: outgoing.msg_id,
                weight=lambda outgoing: outgoing.size,
                max_weight=MAX_BATCH_BYTES,
            )
        return self._streams[stream]

    async def _store(self, stream: str, batch: list[Outgoing]) -> list[Stored | NotStored]:
        _BATCH_SIZE.labels(stream).observe(len(batch))
        with _SECONDS.labels(stream).time():
            answers = await self._send(batch)
        for answer in answers:
            _PUBLISHED.labels(stream, _outcome(answer)).inc()
        return answers

    async def _send(self, batch: list[Outgoing]) -> list[Stored | NotStored]:
        if len(batch) == 1:
            return [await self._send_single(batch[0])]
        try:
            return list(await wire.publish_batch(self._client, batch, timeout=self._timeout))
        except NotStored as outage:
            return [outage] * len(batch)
        except BatchRefused as refusal:
            # Usually one id is stored already; alone, each message gets its own answer.
            log.info("publish.batch_refused", reason=str(refusal), size=len(batch))
            return list(await asyncio.gather(*map(self._send_single, batch)))

    async def _send_single(self, outgoing: Outgoing) -> Stored | NotStored:
        try:
            return await wire.publish_single(self._client, outgoing, timeout=self._timeout)
        except NotStored as refusal:
            return refusal


def _answer_of(future: asyncio.Future[Stored | NotStored]) -> Stored | NotStored:
    if future.cancelled():
        return NotStored("the publisher was stopped")
    if isinstance(problem := future.exception(), NotStored):
        return problem
    return future.result()


def _outcome(answer: Stored | NotStored) -> str:
    if isinstance(answer, NotStored):
        return "not_stored"
    return "duplicate" if answer.duplicate else "stored"
