"""How those stand who ask for jobs: rows locked for all replicas, what is open counted, what was let in written."""

from collections.abc import Iterable
from datetime import datetime

from chassis.queries import load
from job_store.domain.intake import Intake, Standing, bot_key, user_key
from job_store.store.unit import Transaction

sql = load("job_store.store", "intake.sql")


async def open_intake(tx: Transaction, askers: Iterable[tuple[str, int]], now: datetime) -> Intake:
    """Lock and count whoever is limited; without limits nothing is asked of Postgres."""
    quota = tx.rules.quota
    asking = sorted(set(askers))
    users = asking if quota.user.is_limited else []
    bots = sorted({bot for bot, _ in asking}) if quota.bot.is_limited else []
    keys = [user_key(*user) for user in users] + [bot_key(bot) for bot in bots]
    if not keys:
        return Intake(quota, {}, now)
    rows = await tx.connection.fetch(sql.lock_intake, keys)
    standings = {row["key"]: Standing(tat=row["tat"]) for row in rows}
    if quota.user.counts or quota.bot.counts:
        standings |= await _counted(
            tx, standings, users if quota.user.counts else [], bots if quota.bot.counts else []
        )
    return Intake(quota, standings, now)


async def _counted(
    tx: Transaction,
    standings: dict[str, Standing],
    users: list[tuple[str, int]],
    bots: list[str],
) -> dict[str, Standing]:
    named = [bot for bot, _ in users], [user_id for _, user_id in users]
    rows = await tx.connection.fetch(sql.open_jobs, *named, bots)
    return {
        row["key"]: Standing(
            tat=standings[row["key"]].tat,
            open_jobs=row["open_jobs"],
            open_holds=row["open_holds"],
            oldest_at=row["oldest_at"],
        )
        for row in rows
    }


async def save_intake(tx: Transaction, intake: Intake) -> None:
    """Write the buckets that moved."""
    moved = intake.moved
    if moved:
        await tx.connection.execute(sql.save_intake, list(moved), list(moved.values()))
