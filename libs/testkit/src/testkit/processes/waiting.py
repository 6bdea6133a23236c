"""Waiting for a fact with a deadline: the one place where tests and servers let time pass."""

import asyncio
from collections.abc import Callable
from time import monotonic

POLL = 0.01


async def holds(fact: Callable[[], bool], *, within: float) -> bool:
    """True as soon as the fact holds, false when it still does not at the deadline."""
    deadline = monotonic() + within
    while not fact():
        if monotonic() > deadline:
            return False
        await asyncio.sleep(POLL)
    return True
