"""A port whose every TLS handshake is reset: what a bad path to api.telegram.org looks like."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from testkit.telegram.line import reset

HELLO_BYTES = 5  # the head of a TLS record: by then the client has begun its handshake


@asynccontextmanager
async def resetting_handshakes(host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve an https URL no client ever gets through to; nothing of a request is sent."""

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(HELLO_BYTES)
        transport = writer.transport
        reset(transport) if isinstance(transport, asyncio.Transport) else writer.close()

    server = await asyncio.start_server(on_connect, host, 0)
    try:
        yield f"https://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
