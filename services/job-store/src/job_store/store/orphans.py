"""Orphans that nobody claimed in time; still matchable afterwards."""

from datetime import timedelta

from contracts.events import OrphanEventName
from job_store.store.news import orphan_news
from job_store.store.unit import Units, sql


class Orphans:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def expire(self, *, older_than: timedelta, limit: int) -> int:
        async with self._units.begin() as tx:
            rows = await tx.connection.fetch(sql.expire_orphans, older_than, limit)
            at = await tx.connection.fetchval("SELECT now()")
            for row in rows:
                mark = f"{at.timestamp():.3f}"
                tx.outgoing.append(orphan_news(OrphanEventName.EXPIRED, row, at=at, mark=mark))
            return len(rows)
