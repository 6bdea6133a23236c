"""Liveness, readiness and metrics over HTTP, and the part that serves any ASGI application."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from chassis import clock, metrics
from chassis.heads import BoundedHeads
from chassis.settings import ServiceSettings

log = structlog.get_logger()

Check = Callable[[], Awaitable[object]]

CHECK_TIMEOUT = 2.0  # seconds for one readiness check
TICK = 0.5  # seconds between turns of the event loop that we count
STALLED_AFTER = 10.0  # seconds; a turn that late is a stuck loop, not a busy one
KEEP_ALIVE = 30  # seconds an idle connection is kept
GRACE = 10  # seconds running requests get on leaving


class LoopTick:
    """A part: notes that the event loop still turns."""

    name = "loop-tick"

    def __init__(self) -> None:
        """Begin now."""
        self._at = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the last turn."""
        return time.monotonic() - self._at

    async def run(self, ready: asyncio.Event) -> None:
        """Tick until cancelled."""
        while True:
            self._at = time.monotonic()
            ready.set()
            await clock.SYSTEM.sleep(TICK)


class HttpServer:
    """A part: serves an ASGI application with uvicorn; `port` is the bound one once it runs."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        name: str,
        host: str,
        port: int,
        limit_concurrency: int | None = None,
        heads: type[BoundedHeads] = BoundedHeads,
    ) -> None:
        """Port 0 takes a free one; beyond `limit_concurrency` requests get 503."""
        self.name = name
        self.host = host
        self.port = port
        self._server = _QuietServer(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=heads,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=limit_concurrency,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
                ws="none",
                lifespan="off",
            )
        )

    async def run(self, ready: asyncio.Event) -> None:
        """Serve until cancelled, then let running requests finish."""
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        started = asyncio.create_task(self._server.serving.wait())
        try:
            await asyncio.wait({serving, started}, return_when=asyncio.FIRST_COMPLETED)
            log.info("http.listening", part=self.name, host=self.host, port=self.port)
            ready.set()
            await asyncio.shield(serving)
        finally:
            started.cancel()
            self._server.should_exit = True
            await asyncio.wait({serving})
            listener.close()


class _QuietServer(uvicorn.Server):
    """Leaves signals to the lifecycle, and says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    name: str = "http",
    limit_concurrency: int | None = None,
) -> HttpServer:
    """Return the part that serves a service's own application on its own port."""
    return HttpServer(app, name=name, host=host, port=port, limit_concurrency=limit_concurrency)


def health_parts(
    settings: ServiceSettings, checks: Mapping[str, Check]
) -> tuple[LoopTick, HttpServer]:
    """Return the two parts every service starts first: the loop tick and the health server."""
    tick = LoopTick()
    app = health_app(tick, checks)
    server = HttpServer(app, name="health", host=settings.health_host, port=settings.health_port)
    return tick, server


def health_app(tick: LoopTick, checks: Mapping[str, Check]) -> Starlette:
    """Build /livez (the event loop only), /readyz (the named checks) and /metrics."""

    async def livez(_request: Request) -> Response:
        stalled = tick.age > STALLED_AFTER
        body = {"alive": not stalled, "loop_tick_age": round(tick.age, 3)}
        return JSONResponse(body, status_code=503 if stalled else 200)

    async def readyz(_request: Request) -> Response:
        failures = await failing(checks)
        body = {"ready": not failures, "checks": sorted(checks), "failures": failures}
        return JSONResponse(body, status_code=503 if failures else 200)

    async def exposition(_request: Request) -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    return Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", exposition),
        ]
    )


async def failing(checks: Mapping[str, Check], *, seconds: float = CHECK_TIMEOUT) -> dict[str, str]:
    """Run all checks side by side; return why by name for those that raised or took too long."""
    answers = await asyncio.gather(*(_try(check, seconds) for check in checks.values()))
    return {name: why for name, why in zip(checks, answers, strict=True) if why is not None}


async def _try(check: Check, seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            await check()
    except Exception as problem:  # noqa: BLE001 - whatever it raises is the answer
        log.warning("readiness.failed", problem=repr(problem))
        # The type only: exception texts may hold addresses, and this page is open.
        return type(problem).__name__
    return None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
    except OSError:
        listener.close()
        raise
    return listener
