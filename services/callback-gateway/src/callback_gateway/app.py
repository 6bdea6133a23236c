"""Wiring of the callback gateway: the public port on one side, the stream REPORTS on the other."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from callback_gateway import http
from callback_gateway.domain.judgement import Keys
from callback_gateway.handlers import Handlers, Patience
from callback_gateway.settings import Settings
from chassis import bus, clock, health, lifecycle
from contracts import streams

NAME: Final = "callback-gateway"
# KIE hangs up after 15 s (kie.md section 4): a slow body leaves less time for the bus.
WHOLE_REQUEST: Final = timedelta(seconds=14)


async def build(settings: Settings, stack: AsyncExitStack) -> Sequence[lifecycle.Part]:
    """Wire the service: POST /callbacks/kie[/{token}] → `reports.received`."""
    broker = await stack.enter_async_context(
        bus.connected(settings.nats_url, name=NAME, creds=settings.nats_creds)
    )
    client = broker.connection
    reports = await bus.checked(
        client.jetstream(), bus.StreamSpec.among(streams.STREAMS, streams.REPORTS)
    )

    handlers = Handlers(
        bus.Publisher(client, stream_of=streams.stream_of),
        keys=Keys(tokens=settings.token_keys(), hmac=settings.hmac_keys()),
        patience=Patience(publishing=settings.publish_patience, whole_request=WHOLE_REQUEST),
        unvouched=settings.unvouched,
        clock=clock.SYSTEM,
    )
    limits = http.Limits(
        body_deadline=settings.body_deadline,
        body_bytes=settings.gateway_body_bytes,
        open_requests=settings.gateway_requests,
    )
    door = http.Door(handlers.on_callback, limits=limits, clock=clock.SYSTEM)
    public = health.serve(
        door,
        name="callbacks",
        host=settings.gateway_host,
        port=settings.gateway_port,
        limit_concurrency=settings.gateway_connections,
    )

    async def reports_answers() -> None:
        await reports.stream_info(streams.REPORTS)

    return (*health.health_parts(settings, {"reports": reports_answers}), public)


def main() -> int:
    """Run the gateway as this process."""
    return lifecycle.run(build, Settings, name=NAME)
