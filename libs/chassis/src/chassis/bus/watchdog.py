"""Watches durables: brings a deleted one back at the acked floor, and reports how far acks went."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import nats.errors
import structlog
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from chassis import clock
from chassis.bus.streams import ConsumerSpec
from chassis.metrics import counter, gauge

log = structlog.get_logger()

INFO_TIMEOUT = 2.0  # seconds for one consumer_info
STALE_AFTER = 15.0  # seconds without an answer after which the check fails

Floor = Callable[[str], Awaitable[int | None]]
OnFloor = Callable[[str, int], Awaitable[None]]

_RECREATED = counter("consumers_recreated_total", "Durables found deleted.", ["durable"])
_PENDING = gauge("consumer_pending", "Messages not yet delivered.", ["durable"])
_UNACKED = gauge("consumer_unacked", "Messages delivered and not yet acked.", ["durable"])


class ConsumerWatchdog:
    """A part: asks for every durable about once a second.

    `floor(durable)` returns the acked floor the caller keeps (None: deliver everything), and
    `on_floor(durable, seq)` hands it the current one whenever it moved. Keep what was handed
    last even when it is lower: then the stream was made anew.
    """

    name = "consumer-watchdog"

    def __init__(
        self,
        js: JetStreamContext,
        consumers: Sequence[ConsumerSpec],
        *,
        floor: Floor,
        on_floor: OnFloor | None = None,
        every: timedelta = timedelta(seconds=1),
        floor_every: timedelta = timedelta(seconds=3),
    ) -> None:
        """Watch these durables; `every` bounds how long a deletion goes unnoticed."""
        self._js = js
        self._consumers = tuple(consumers)
        self._floor = floor
        self._on_floor = on_floor
        self._every = every.total_seconds()
        self._floor_every = floor_every.total_seconds()
        self._answered: dict[str, float] = {}
        self._told: dict[str, tuple[int, float]] = {}
        for spec in self._consumers:
            _RECREATED.labels(spec.durable)

    async def run(self, ready: asyncio.Event) -> None:
        """Look at every durable until cancelled; the first look comes before `ready`."""
        while True:
            clock.honour_cancellation()
            await asyncio.gather(*map(self._look, self._consumers))
            ready.set()
            await clock.SYSTEM.sleep(self._every)

    async def check(self) -> None:
        """Raise when a durable has not answered for a while; for readiness."""
        now = time.monotonic()
        for spec in self._consumers:
            age = now - self._answered.get(spec.durable, float("-inf"))
            if age > STALE_AFTER:
                raise TimeoutError(f"durable {spec.durable} has not answered for {age:.0f} s")

    async def _look(self, spec: ConsumerSpec) -> None:
        try:
            await self._look_closely(spec)
        except (nats.errors.Error, OSError, TimeoutError) as problem:
            log.debug("consumer.unseen", durable=spec.durable, problem=repr(problem))
        except Exception:
            # The caller's store may be away; watching goes on.
            log.exception("watchdog.failed", durable=spec.durable)

    async def _look_closely(self, spec: ConsumerSpec) -> None:
        try:
            info = await self._js.consumer_info(spec.stream, spec.durable, timeout=INFO_TIMEOUT)
        except NotFoundError:
            await self._recreate(spec)
            return
        self._answered[spec.durable] = time.monotonic()
        _PENDING.labels(spec.durable).set(info.num_pending or 0)
        _UNACKED.labels(spec.durable).set(info.num_ack_pending or 0)
        await self._tell_floor(spec.durable, info)

    async def _recreate(self, spec: ConsumerSpec) -> None:
        try:
            last = (await self._js.stream_info(spec.stream)).state.last_seq
        except NotFoundError:
            log.error("stream.missing", stream=spec.stream, durable=spec.durable)  # noqa: TRY400 - the traceback says nothing more
            return
        floor = await self._floor(spec.durable) or 0
        # A floor beyond the stream's end belongs to an earlier stream of the same name.
        after = floor if floor <= last else 0
        await self._js.add_consumer(spec.stream, spec.config(after=after))
        _RECREATED.labels(spec.durable).inc()
        log.error(
            "consumer.recreated",
            durable=spec.durable,
            stream=spec.stream,
            after_seq=after,
            kept_floor=floor,
            last_seq=last,
        )

    async def _tell_floor(self, durable: str, info: api.ConsumerInfo) -> None:
        if self._on_floor is None or info.ack_floor is None:
            return
        seq, now = info.ack_floor.stream_seq, time.monotonic()
        told, at = self._told.get(durable, (None, float("-inf")))
        if seq == told or now - at < self._floor_every:
            return
        await self._on_floor(durable, seq)
        self._told[durable] = (seq, now)
