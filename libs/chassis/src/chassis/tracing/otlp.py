"""The recorder that speaks OpenTelemetry; the only module that knows its SDK."""

import logging
import os
import socket
import threading
from collections import deque
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode

from chassis.logs import redact
from chassis.metrics import counter
from chassis.tracing.context import share, span_id, trace_id, written
from chassis.tracing.spans import Draft, Fact, Facts

log = structlog.get_logger()

PATH: Final = "/v1/traces"
TIMEOUT: Final = 5.0  # seconds for one request and its repetitions
EVERY: Final = 1.0  # seconds a span waits at most while the collector keeps up
BATCH: Final = 256  # spans a request: encoding them holds the interpreter for some milliseconds
HELD: Final = 4_096  # spans that wait while it does not; about 10 MB
LAST: Final = 1.5  # seconds for what is left when the process ends
LIMITS: Final = SpanLimits(max_links=128, max_span_attributes=32, max_span_attribute_length=256)

_SPANS = counter("trace_spans_total", "Spans by what became of them.", ["outcome"])


class Exporter:
    """Records the spans of one process and sends them off; see `chassis.tracing.spans.Recorder`."""

    def __init__(self, endpoint: str, *, ratio: float, service: str) -> None:
        """Start the thread that sends; nothing is sent before there is a span."""
        # Its failures are ours to tell: counted, and said once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._ratio = ratio
        self._outlet = Outlet(OTLPSpanExporter(endpoint.rstrip("/") + PATH, timeout=TIMEOUT))
        self._ids = _Ids()
        provider = TracerProvider(
            sampler=ALWAYS_ON,  # who is recorded is decided before, by `keeps`
            resource=Resource.create(
                {
                    "service.namespace": "sendonce",
                    "service.name": service,
                    "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
                }
            ),
            id_generator=self._ids,
            span_limits=LIMITS,
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._outlet)
        self._tracer = provider.get_tracer("chassis")

    def keeps(self, context: str) -> bool:
        """Decide by the trace id alone: all services with one ratio decide alike, unasked."""
        return share(context) < self._ratio

    def begin(self, draft: Draft) -> "_Recorded":
        """Begin a span of a trace that is kept."""
        self._ids.given = _ids(draft.own) if draft.own is not None else None
        span = self._tracer.start_span(
            draft.name,
            context=_remote(draft.parent),
            kind=SpanKind[draft.kind],
            attributes=_told(draft.facts),
            links=[Link(_span_context(link)) for link in draft.links],
            start_time=draft.began,
            record_exception=False,
            set_status_on_exception=False,
        )
        return _Recorded(span)

    def close(self) -> None:
        """Send what is left, for a moment."""
        self._outlet.close()


class _Recorded:
    __slots__ = ("_span", "context")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        own = span.get_span_context()
        self.context = written(f"{own.trace_id:032x}", f"{own.span_id:016x}", kept=True)

    def tell(self, facts: Facts) -> None:
        self._span.set_attributes(_told(facts))

    def end(self, problem: str | None) -> None:
        if problem is not None:
            self._span.set_attribute("error.type", problem)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class Outlet(SpanProcessor):
    """Hands spans to a thread that sends them. Nobody waits for it: what does not fit is counted and lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Start the thread."""
        self._exporter = exporter
        self._waiting: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._failing = False
        # A daemon: a collector that does not answer never keeps the process.
        self._thread = threading.Thread(target=self._run, name="trace-exporter", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that is over; called on the event loop."""
        if len(self._waiting) >= HELD:
            _SPANS.labels("dropped").inc()
            return
        self._waiting.append(span)
        if len(self._waiting) >= BATCH:
            self._wake.set()

    def close(self) -> None:
        """Stop the thread once it has sent what waits, or after `LAST` seconds."""
        self._closing = True
        self._wake.set()
        self._thread.join(LAST)
        self._exporter.shutdown()

    def _run(self) -> None:
        while not (self._closing and not self._waiting):
            self._wake.wait(EVERY)
            self._wake.clear()
            # What comes meanwhile waits for the next time: few and large requests.
            left = len(self._waiting)
            while left > 0:
                self._send([self._waiting.popleft() for _ in range(min(BATCH, left))])
                left -= BATCH

    def _send(self, spans: list[ReadableSpan]) -> None:
        try:
            sent = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception as bug:  # noqa: BLE001 - the thread must outlive whatever this is
            log.warning("traces.export_broke", problem=type(bug).__name__)
            sent = False
        _SPANS.labels("exported" if sent else "failed").inc(len(spans))
        if sent == self._failing:
            self._failing = not sent
            if sent:
                log.info("traces.exported_again")
            else:
                log.warning("traces.not_exported", spans=len(spans))


class _Ids(RandomIdGenerator):
    """Random ids, but for a span whose context was known before it began."""

    given: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        return self.given[0] if self.given is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self.given[1] if self.given is not None else super().generate_span_id()


def _ids(context: str) -> tuple[int, int]:
    return int(trace_id(context), 16), int(span_id(context), 16)


def _span_context(context: str) -> SpanContext:
    trace_of, span_of = _ids(context)
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    return SpanContext(trace_of, span_of, is_remote=True, trace_flags=flags)


def _remote(parent: str | None) -> Context:
    # Never the SDK's own current context: nobody sets it, and looking for it costs.
    if parent is None:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(_span_context(parent)), Context())


def _told(facts: Facts) -> dict[str, Fact]:
    return {
        name: redact(fact) if isinstance(fact, str) else fact
        for name, fact in facts.items()
        if fact is not None
    }
