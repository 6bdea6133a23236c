"""Orphans that nobody claimed in time; still matchable afterwards."""

from datetime import timedelta

from contracts.events import OrphanEvent, OrphanEventName
from contracts.subjects import orphan_event
from job_store.store.unit import Units, sql


class Orphans:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def expire(self, *, older_than: timedelta, limit: int) -> int:
        async with self._units.begin() as tx:
            rows = await tx.connection.fetch(sql.expire_orphans, older_than, limit)
            at = await tx.connection.fetchval("SELECT now()")
            for row in rows:
                event = OrphanEvent(
                    id=f"orphan:{row['id']}:expired:{at.timestamp():.3f}",
                    at=at,
                    event=OrphanEventName.EXPIRED,
                    orphan_id=row["id"],
                    task_id=row["task_id"],
                )
                tx.outgoing.append((orphan_event(event.event), event))
            return len(rows)
