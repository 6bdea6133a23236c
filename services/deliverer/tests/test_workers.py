"""Several workers at one request, and a process that is told to end while it sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from chassis import bus, lifecycle
from contracts import streams
from contracts.effects import Begin, Go, Stop
from deliverer import app
from deliverer.settings import Settings
from slow_telegram import MESSAGE_ID, SlowTelegram, serving
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec, environment, python_module
from testkit.processes.waiting import holds

ACK_WAIT = 0.3  # seconds; the call takes longer, and which worker gets the copy is chance
SOON = 15.0  # seconds a fact may take to become true


@pytest.fixture
async def slow() -> AsyncIterator[SlowTelegram]:
    async with serving() as made:
        yield made
        made.answer.set()


async def test_fault_48_a_second_worker_that_gets_the_request_meanwhile_does_not_send(
    ends, slow, nats_url, token, ask, make
):
    """The first one's call outlasts ack_wait, so its request comes to somebody else as well."""
    holders: dict[UUID, UUID] = {}

    def first_come(asked: Begin) -> Go | Stop:
        is_holder = holders.setdefault(asked.attempt_id, asked.holder) == asked.holder
        return Go(lease=90) if is_holder else Stop(reason="held_by_another")

    ends.begin_answerer = first_come
    request = ask(make.send(make.text()))
    chosen = Settings(nats_url=nats_url, bot_token=SecretStr(token), telegram_api_url=slow.url)
    async with AsyncExitStack() as two:
        for _ in range(2):
            await two.enter_async_context(lifecycle.service(app.build, chosen, name="deliverer"))
        js = ends.client.jetstream()
        spec = bus.ConsumerSpec.of(streams.CONSUMER["deliverer"])
        await js.add_consumer(streams.DELIVERIES, spec.config().evolve(ack_wait=ACK_WAIT))
        await ends.ask(request)
        await ends.until(lambda: len({asked.holder for asked in ends.begun}) == 2)
        slow.answer.set()
        await ends.until(lambda: any(one.result.kind == "sent" for one in ends.outcomes))
        await acked(js)

    told = {one.result.kind: one for one in ends.outcomes}
    assert slow.calls == 1
    assert told["sent"].holder == holders[request.attempt.id]
    assert told.keys() <= {"sent", "not_sent"}
    assert "not_sent" not in told or told["not_sent"].holder != told["sent"].holder


async def acked(js) -> None:
    """Wait until nobody has the request any more."""
    async with asyncio.timeout(SOON):
        while (await js.consumer_info(streams.DELIVERIES, "deliverer")).num_ack_pending:
            pass


@pytest.fixture
async def process(
    ends, slow: SlowTelegram, nats_url: str, token: str, tmp_path: Path
) -> AsyncIterator[ServiceProcess]:
    """A deliverer as it is deployed."""
    health = free_port()
    settings = {
        "NATS_URL": nats_url,
        "BOT_TOKEN": token,
        "TELEGRAM_API_URL": slow.url,
        "HEALTH_PORT": str(health),
    }
    spec = ServiceSpec(
        name="deliverer",
        command=python_module("deliverer"),
        log=tmp_path / "deliverer.log",
        env=environment({f"SENDONCE_{name}": value for name, value in settings.items()}),
        ready_url=f"http://{LOOPBACK}:{health}/readyz",
    )
    async with ServiceProcess(spec) as running:
        yield running


async def test_fault_49_a_process_told_to_end_in_mid_send_tells_what_came_of_it(
    ends, slow, process, ask, make
):
    request = ask(make.send(make.text()))
    await ends.ask(request)
    await slow.asked.wait()
    stopping = asyncio.create_task(process.stop(within=60))
    assert await holds(lambda: "service.stopping" in process.log_tail(), within=SOON)
    slow.answer.set()
    await stopping

    outcome = await ends.told(request)
    assert process.exit_code == 0
    assert (slow.calls, outcome.result.kind) == (1, "sent")
    assert outcome.result.parts[0].message_id == MESSAGE_ID
