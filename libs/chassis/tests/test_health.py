"""Health: liveness knows only the loop, readiness names what fails."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from chassis import clock, health, lifecycle
from chassis.settings import ServiceSettings


class Far:
    """A far side that can be away or hang."""

    def __init__(self) -> None:
        self.away = False
        self.hangs = False

    async def check(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise ConnectionError("postgresql://me:hunter2@db")


@pytest.fixture
async def far() -> Far:
    return Far()


@pytest.fixture
async def page(far: Far, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    parts = health.health_parts(ServiceSettings(), {"postgres": far.check})
    running = lifecycle.Running("test")
    for part in parts:
        await running.start(part)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{parts[1].port}") as client:
        yield client
    await running.stop()


async def test_ready_when_every_check_passes(page: httpx.AsyncClient) -> None:
    answer = await page.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "checks": ["postgres"], "failures": {}}
    assert "server" not in answer.headers


async def test_a_failing_check_is_named_and_live_stays_live(
    page: httpx.AsyncClient, far: Far
) -> None:
    far.away = True

    answer = await page.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["failures"] == {"postgres": "ConnectionError"}
    assert "hunter2" not in answer.text
    assert (await page.get("/livez")).status_code == 200


async def test_a_check_that_hangs_fails_in_time(far: Far) -> None:
    far.hangs = True

    assert await health.failing({"x": far.check}, seconds=0.01) == {"x": "TimeoutError"}


async def test_a_stalled_loop_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "STALLED_AFTER", -1.0)
    app = health.health_app(health.LoopTick(), {})

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/livez")).status_code == 503


async def test_metrics_are_exposed(page: httpx.AsyncClient) -> None:
    answer = await page.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert "# HELP sendonce_" in answer.text


async def test_a_running_request_finishes_while_its_server_stops() -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> PlainTextResponse:
        begun.set()
        await release.wait()
        return PlainTextResponse("done")

    server = health.serve(Starlette(routes=[Route("/", slow)]), host="127.0.0.1", port=0)
    running = lifecycle.Running("test")
    await running.start(server)
    async with httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.get(f"http://127.0.0.1:{server.port}/"))
        await begun.wait()
        stopping = asyncio.create_task(running.stop())
        await clock.SYSTEM.sleep(0)
        release.set()

        assert (await asking).text == "done"
    await stopping


async def test_a_port_that_is_taken_is_a_crash_at_start() -> None:
    running = lifecycle.Running("test")
    first = health.serve(Starlette(), host="127.0.0.1", port=0)
    await running.start(first)

    with pytest.raises(lifecycle.PartCrashed):
        await running.start(health.serve(Starlette(), host="127.0.0.1", port=first.port))
    await running.stop()
