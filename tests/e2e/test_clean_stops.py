"""Every service, started as `python -m`, ends with 0 when it is asked to."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from deployment import HMAC_KEY, KEY, TOKEN
from ensemble import SERVICES
from job_store.migrate import migrate_bus
from testkit.kie import FakeKie
from testkit.ports import free_port
from testkit.processes import ServiceProcess, ServiceSpec, python_module
from testkit.telegram import FakeTelegram

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest_asyncio.fixture
async def processes(
    database_url: str, nats_url: str, tmp_path: Path
) -> AsyncIterator[dict[str, ServiceProcess]]:
    await migrate_bus(nats_url)
    async with AsyncExitStack() as stack:
        kie = await stack.enter_async_context(FakeKie(create_rate=None))
        telegram = await stack.enter_async_context(FakeTelegram())
        shared = {
            "NATS_URL": nats_url,
            "DATABASE_URL": database_url,
            "CALLBACK_KEYS": f"k1:{KEY}",
            "KIE_HMAC_KEYS": f"default:{HMAC_KEY}",
            "KIE_API_URL": kie.url,
            "KIE_API_KEY": kie.api_key,
            "TELEGRAM_API_URL": telegram.url,
            "BOT_TOKEN": TOKEN,
            "GATEWAY_PORT": str(free_port()),
        }
        running = {}
        for module in SERVICES:
            port = free_port()
            env = {f"SENDONCE_{name}": value for name, value in shared.items()}
            process = ServiceProcess(
                ServiceSpec(
                    name=module,
                    command=python_module(module),
                    log=tmp_path / f"{module}.log",
                    env=env | {"SENDONCE_HEALTH_PORT": str(port)},
                    ready_url=f"http://127.0.0.1:{port}/readyz",
                )
            )
            await process.start()
            stack.push_async_callback(process.stop)
            running[module] = process
        yield running


async def test_every_service_stops_cleanly_when_asked(processes: dict[str, ServiceProcess]):
    for process in processes.values():
        await process.stop()
    assert {name: process.exit_code for name, process in processes.items()} == dict.fromkeys(
        processes, 0
    )
