"""The first line a nats-server says, read without a client."""

import asyncio

GREETING_WITHIN = 1.0


async def greets_with_jetstream(host: str, port: int) -> bool:
    """True once the server serves; it greets only after JetStream has recovered its streams."""
    try:
        async with asyncio.timeout(GREETING_WITHIN):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                greeting = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b'"jetstream":true' in greeting
