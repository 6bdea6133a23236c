"""What the bus remembers of job-store's own acknowledgements, and how they are taken back."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import nats.errors
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from chassis.bus import ConsumerSpec
from job_store.store.lineage import Acked, Testimony

MSG_ID: Final = "Nats-Msg-Id"
ENOUGH: Final = 5  # messages: one that is unknown is proof, so the newest few will do
LOOKS: Final = 50  # sequences, for a stream carries other durables' messages too


class Acknowledged:
    """Asks the bus; an absent one is a ``ConnectionError``, so that whoever waits tries again."""

    def __init__(self, js: JetStreamContext, consumers: Sequence[ConsumerSpec]) -> None:
        self._js = js
        self._specs: Mapping[str, ConsumerSpec] = {spec.durable: spec for spec in consumers}

    async def newest(self, durable: str, after: int) -> Testimony:
        """Return some of the newest messages this durable has acknowledged above a sequence."""
        try:
            return await self._newest(self._specs[durable], after)
        except (nats.errors.Error, TimeoutError) as away:
            msg = f"the bus cannot be asked what was acknowledged: {away!r}"
            raise ConnectionError(msg) from away

    async def _newest(self, spec: ConsumerSpec, after: int) -> Testimony:
        try:
            info = await self._js.consumer_info(spec.stream, spec.durable)
        except NotFoundError:
            return Testimony()
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        handed = info.delivered.stream_seq if info.delivered else 0
        return Testimony(
            acked=await self._messages(spec, down_from=floor, above=after, at_most=ENOUGH),
            handed=await self._messages(
                spec, down_from=handed, above=max(floor, after), at_most=LOOKS
            ),
            pending=info.num_ack_pending or 0,
        )

    async def _messages(
        self, spec: ConsumerSpec, *, down_from: int, above: int, at_most: int
    ) -> tuple[Acked, ...]:
        found: list[Acked] = []
        for seq in range(down_from, max(above, down_from - LOOKS), -1):
            message = await self._message(spec.stream, seq)
            if message is None or message.subject not in spec.filter_subjects:
                continue
            found.append(Acked(seq=seq, id=(message.headers or {}).get(MSG_ID, "")))
            if len(found) == at_most:
                break
        return tuple(found)

    async def _message(self, stream: str, seq: int) -> api.RawStreamMsg | None:
        try:
            return await self._js.get_msg(stream, seq)
        except NotFoundError:  # purged
            return None

    async def pending(self, durable: str) -> int:
        """Count what this durable has still to apply."""
        spec = self._specs[durable]
        info = await self._js.consumer_info(spec.stream, durable)
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def begin_again(self, durable: str, *, after: int) -> int:
        """Have everything above a sequence delivered anew; returns how much of it is gone."""
        spec = self._specs[durable]
        state = (await self._js.stream_info(spec.stream)).state
        with suppress(NotFoundError):
            await self._js.delete_consumer(spec.stream, durable)
        # A floor beyond the stream's end belongs to an earlier stream of the same name.
        start = after if after <= state.last_seq else 0
        await self._js.add_consumer(spec.stream, spec.config(after=start))
        return max(state.first_seq - start - 1, 0)
