"""A message comes until it is handled; a durable that would give it up is drift."""

from datetime import timedelta

from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from chassis import bus, lifecycle
from chassis.verdicts import TryLater
from chassis_servers import DURABLE, STREAM, until

OFTEN = 30
GIVES_UP = 2


class Patient:
    """Handles the message at its n-th coming."""

    def __init__(self, broker: NatsBroker, *, after: int) -> None:
        self._after = after
        self.came = 0
        self.part = bus.consume(
            broker, stream="WORK", durable="worker", subject="work.done", handler=self.handle
        )

    async def handle(self, _delivered: bus.Delivered) -> None:
        self.came += 1
        if self.came < self._after:
            raise TryLater("not yet", after=timedelta(seconds=0.01))


async def all_is_settled(js: JetStreamContext) -> None:
    """An acknowledgement is not answered: the server hears it a moment later."""

    async def nothing_is_left() -> bool:
        info = await js.consumer_info("WORK", "worker")
        return not info.num_pending and not info.num_ack_pending

    await until(nothing_is_left)


async def test_fault_23_there_is_no_last_delivery(js: JetStreamContext, broker: NatsBroker) -> None:
    patient, service = Patient(broker, after=OFTEN), lifecycle.Running("test")
    await js.publish("work.done", b"one")

    await service.start(patient.part)
    await until(lambda: patient.came == OFTEN, within=20)
    await service.stop()

    await all_is_settled(js)


async def test_fault_23_a_durable_that_would_give_up_is_drift_and_gives_up_no_more_once_mended(
    js: JetStreamContext, broker: NatsBroker
) -> None:
    """What it gave up before stays in its stream; jobs are found by their polls and their leases."""
    await js.add_consumer("WORK", DURABLE.config().evolve(max_deliver=GIVES_UP))
    drift = await bus.check_streams(js, [STREAM], [DURABLE])
    await bus.ensure_streams(js, [STREAM], [DURABLE])
    patient, service = Patient(broker, after=3 * GIVES_UP), lifecycle.Running("test")
    await js.publish("work.done", b"one")

    await service.start(patient.part)
    await until(lambda: patient.came == 3 * GIVES_UP, within=10)
    await service.stop()

    assert drift == ["durable worker on WORK: max_deliver is 2, should be -1"]
    await all_is_settled(js)
