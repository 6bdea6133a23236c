"""Where spans go: OTLP over HTTP, on a thread of its own, and never at the cost of the work they tell of."""

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.tracing.spans import record_with


@contextmanager
def exporting(endpoint: str | None, *, ratio: float, service: str) -> Iterator[None]:
    """Send the spans of this process to a collector while the block runs; without an endpoint, none.

    `endpoint` is the collector's address, `ratio` the share of all traces that is recorded. On
    leaving what is known gets a moment to be sent.
    """
    if endpoint is None:
        yield
        return
    # A quarter of a second, which who records nothing does not pay.
    from chassis.tracing.otlp import Exporter  # noqa: PLC0415

    exporter = Exporter(endpoint, ratio=ratio, service=service)
    record_with(exporter)
    try:
        yield
    finally:
        record_with(None)
        exporter.close()
