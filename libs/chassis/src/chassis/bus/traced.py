"""Messages in traces: each carries its cause in a header; in OpenTelemetry's words for messaging."""

from collections.abc import Mapping
from dataclasses import replace

from chassis import tracing
from chassis.bus.wire import Outgoing


def sending(outgoing: Outgoing) -> tuple[tracing.Span, Outgoing]:
    """Begin to send a message; returns it with the header that makes this the cause of its handling.

    What caused the message itself stands in its headers, if it waited, or is being done now.
    """
    span = tracing.span(
        f"send {outgoing.subject}",
        tracing.Kind.PRODUCER,
        parent=tracing.carried(outgoing.headers),
        facts={
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.destination.name": outgoing.subject,
            "messaging.message.id": outgoing.msg_id,
        },
    )
    return span, replace(outgoing, headers={**outgoing.headers, tracing.TRACEPARENT: span.context})


def handling(subject: str, headers: Mapping[str, str], *, durable: str) -> tracing.Span:
    """Begin to handle a message; a block."""
    return tracing.span(
        f"process {subject}",
        tracing.Kind.CONSUMER,
        parent=tracing.carried(headers),
        facts={
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.destination.name": subject,
            "messaging.consumer.group.name": durable,
        },
    )
