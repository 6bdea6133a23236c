"""What a bot hears of a job when it asks what happened."""

from datetime import datetime, timedelta
from typing import Final

from contracts.api import JobView
from sendonce import SendOnce
from sendonce_cli.probes.tenant import MANY

EARLIER: Final = timedelta(seconds=10)  # transactions that began before may commit after


async def heard_of(bot: SendOnce, job: JobView) -> list[str]:
    """Name the events of a job, in the order its bot hears them."""
    after, events = await _before(bot, job.created_at - EARLIER), []
    while (page := await bot.changes(after, MANY)).events:
        after = page.next
        events += [str(one.event) for one in page.events if one.job_id == job.id]
    return events


async def _before(bot: SendOnce, moment: datetime) -> int:
    """Find a cursor before a moment by halving: nobody reads the events of years for one job."""
    low, high = 0, 1
    while await _is_before(bot, high, moment):
        low, high = high, 2 * high
    while high - low > MANY:
        middle = (low + high) // 2
        if await _is_before(bot, middle, moment):
            low = middle
        else:
            high = middle
    return low


async def _is_before(bot: SendOnce, after: int, moment: datetime) -> bool:
    page = await bot.changes(after, 1)
    return bool(page.events) and page.events[0].at < moment
