"""The one place where a run lets time pass: a fault lasts, a look is taken again."""

import asyncio


async def lasts(seconds: float) -> None:
    """Let a fault last, or the next look wait; never a wait for something to have happened."""
    await asyncio.sleep(seconds)  # noqa: TID251 - the fault itself, or the rate of a look
