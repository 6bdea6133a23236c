"""Every clock of the system: what is due, which leases are over, what comes too late."""

import asyncio
from datetime import timedelta
from typing import Final

from chassis.loops import Periodic
from job_store.domain.rules import Rules
from job_store.store.durations import Durations
from job_store.store.effects import Effects
from job_store.store.orphans import Orphans

CLAIM: Final = 300  # effects a transaction
SWEEP: Final = 200
TICK: Final = timedelta(
    milliseconds=250
)  # the net under the wake-ups: another replica may have made it due
SLOW: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
RARE: Final = timedelta(minutes=5)


def clocks(
    effects: Effects, orphans: Orphans, durations: Durations, rules: Rules, *, due: asyncio.Event
) -> list[Periodic]:
    """Return the loops; each works off a full batch at once and rests when there is less."""

    async def claim() -> bool:
        return await effects.claim_due(CLAIM) >= CLAIM

    async def end_leases() -> bool:
        return await effects.end_leases(SWEEP) >= SWEEP

    async def expire_jobs() -> bool:
        return await effects.expire_jobs(SWEEP) >= SWEEP

    async def expire_orphans() -> bool:
        return await orphans.expire(older_than=rules.orphan_ttl, limit=SWEEP) >= SWEEP

    async def forget_buckets() -> bool:
        await effects.forget_buckets()
        return False

    async def learn() -> bool:
        await durations.learn()
        return False

    return [
        Periodic("due-effects", claim, every=TICK, wake=due),
        Periodic("leases", end_leases, every=SLOW),
        Periodic("overdue-jobs", expire_jobs, every=SLOW),
        Periodic("orphans", expire_orphans, every=SLOW),
        Periodic("pacing-rows", forget_buckets, every=RARE),
        Periodic("durations", learn, every=MINUTE),
    ]
