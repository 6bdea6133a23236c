"""Waiting for a fact, with a bound: the one place where the SDK lets time pass."""

import asyncio


async def happens(fact: asyncio.Event, *, within: float) -> bool:
    """True as soon as the fact is set, False when it is still not after so many seconds."""
    try:
        async with asyncio.timeout(within):
            await fact.wait()
    except TimeoutError:
        return False
    return True
