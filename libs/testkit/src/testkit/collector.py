"""An OpenTelemetry collector over HTTP: reads what services send it, and may be slow, failing or away."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from testkit.ports import LOOPBACK, free_port

PATH: Final = "/v1/traces"
PROTOBUF: Final = "application/x-protobuf"
LOOK_EVERY: Final = 0.02  # seconds
LARGEST: Final = 64 * 1024 * 1024  # bytes of a request
STOP_WITHIN: Final = 1.0  # seconds for answers under way

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSpan:
    """A span as it arrived; ids in hexadecimal digits, moments in Unix nanoseconds."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    service: str
    began: int
    ended: int
    attributes: dict[str, Value] = field(hash=False)
    links: tuple[tuple[str, str], ...] = ()  # trace and span
    is_error: bool = False


class Collector:
    """`spans` are those of requests that were answered 200."""

    def __init__(self) -> None:
        """Choose a port; nothing listens before the block."""
        self.port = free_port()
        self.spans: list[SeenSpan] = []
        self.raw: list[bytes] = []  # whole requests, whatever they were answered
        self.status = 200
        self.hangs = False  # requests are read and not answered
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address that services are given."""
        return f"http://{LOOPBACK}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post(PATH, self._take)
        self._released.clear()
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_WITHIN
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()

    async def close(self) -> None:
        """Be away: connections are refused."""
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def until(self, claim: Callable[[Self], bool], *, within: float = 15.0) -> None:
        """Wait for a fact about what has arrived; `TimeoutError` if it does not come true."""
        async with asyncio.timeout(within):
            while not claim(self):
                await asyncio.sleep(LOOK_EVERY)

    def of_trace(self, trace_id: str) -> list[SeenSpan]:
        """All spans of one trace, in the order in which they began."""
        found = [span for span in self.spans if span.trace_id == trace_id]
        return sorted(found, key=lambda span: span.began)

    def is_whole(self, trace_id: str) -> bool:
        """Claim that no span of a trace has a parent that has not arrived."""
        spans = self.of_trace(trace_id)
        return {span.parent_id for span in spans} - {None} <= {span.span_id for span in spans}

    def ancestry(self, span: SeenSpan) -> list[SeenSpan]:
        """The span, its parent, and so on up to one that has none or whose parent is not here."""
        here = {one.span_id: one for one in self.of_trace(span.trace_id)}
        chain = [span]
        while (parent := here.get(chain[-1].parent_id or "")) is not None and parent not in chain:
            chain.append(parent)
        return chain

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.raw.append(body)
        if self.hangs:
            await self._released.wait()
        if self.status != web.HTTPOk.status_code:
            return web.Response(status=self.status)
        if request.content_type != PROTOBUF:
            return web.Response(status=web.HTTPUnsupportedMediaType.status_code)
        self.spans += seen(body)
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type=PROTOBUF)


def seen(body: bytes) -> Iterator[SeenSpan]:
    """Read an export request."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = {each.key: _value(each.value) for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _seen(span, service=str(about.get("service.name")))


def _seen(span: trace_pb2.Span, *, service: str) -> SeenSpan:
    return SeenSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        service=service,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        attributes={each.key: _value(each.value) for each in span.attributes},
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        is_error=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
    )


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    found: Value = getattr(value, kind) if kind is not None else None
    return found
