"""A service that starts without its durable: who watches over durables brings it back, and the service waits."""

import asyncio
from types import ModuleType

import nats
import pytest

import deliverer.app
import reconciler.app
import submitter.app
from chassis import lifecycle
from contracts import streams
from job_store.migrate import migrate_bus


@pytest.mark.parametrize("service", [deliverer.app, reconciler.app, submitter.app])
async def test_fault_20_a_worker_that_starts_without_its_durable_serves_when_it_is_back(
    service: ModuleType, nats_url: str
) -> None:
    await migrate_bus(nats_url)
    client = await nats.connect(nats_url)
    durable = streams.CONSUMER[service.NAME]
    looks = await client.subscribe(f"$JS.API.CONSUMER.INFO.{durable.stream}.{durable.durable}")
    await client.jetstream().delete_consumer(durable.stream, durable.durable)
    began = asyncio.Event()

    async def serve() -> None:
        chosen = service.Settings(nats_url=nats_url)
        async with lifecycle.service(service.build, chosen, name=service.NAME):
            began.set()

    serving = asyncio.create_task(serve())
    for _ in ("the check", "the consumer"):
        await looks.next_msg(timeout=5)
    await migrate_bus(nats_url)  # as job-store's watchdog would
    await serving

    assert began.is_set()
    await client.close()
