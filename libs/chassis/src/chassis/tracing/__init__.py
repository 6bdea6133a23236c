"""Traces: which piece of work was caused by which, over every message, row and call between them."""

from chassis.tracing.context import TRACEPARENT, carried, read, trace_id
from chassis.tracing.export import exporting
from chassis.tracing.spans import Kind, Span, batch, current, headers, note, root, span, within

__all__ = [
    "TRACEPARENT",
    "Kind",
    "Span",
    "batch",
    "carried",
    "current",
    "exporting",
    "headers",
    "note",
    "read",
    "root",
    "span",
    "trace_id",
    "within",
]
