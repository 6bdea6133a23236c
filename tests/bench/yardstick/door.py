"""The yardstick's door: a callback is published, and answered after its PubAck."""

import argparse
from typing import Final

import uvicorn
from faststream.asgi import AsgiFastStream, AsgiResponse, Request, post
from faststream.nats import NatsBroker

from bench.yardstick.names import STREAM, SUBJECT

PUBLISH_WITHIN: Final = 5.0  # seconds; FastStream's own 0.5 would fail under load


def application(nats_url: str) -> AsgiFastStream:
    """Wire the one address."""
    broker = NatsBroker(nats_url, logger=None)

    @post
    async def on_callback(request: Request) -> AsgiResponse:
        body = await request.body()
        await broker.publish(body, SUBJECT, stream=STREAM, timeout=PUBLISH_WITHIN)
        return AsgiResponse(b'{"stored":true}', 200, {"content-type": "application/json"})

    return AsgiFastStream(broker, asgi_routes=[("/callbacks", on_callback)], logger=None)


def main() -> None:
    """Serve with the ASGI server our gateway uses, set up as it sets it up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nats-url", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    uvicorn.run(
        application(arguments.nats_url),
        port=arguments.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        ws="none",
    )


if __name__ == "__main__":
    main()
