"""repairs.sql: what an operator puts right."""

from collections.abc import Sequence
from uuid import UUID

from job_store.journal.statements.common import Rows, each, is_asked
from job_store.journal.tables import Tables


def job_of_part(t: Tables, part_id: UUID) -> Rows:
    return each(t.parts.those([part_id]), "job_id")


def uncertain_jobs(t: Tables, bot: str | None, limit: int) -> Rows:
    parts = [
        part
        for part in t.parts.by("state", "uncertain")
        if is_asked(bot, t.jobs.rows[part["job_id"]]["bot"])
    ]
    parts.sort(key=lambda part: (part["made_at"], part["id"]))
    return each(parts[:limit], "id job_id")


def jobs_by_keys(t: Tables, bots: Sequence[str], keys: Sequence[str]) -> Rows:
    return each(t.jobs.by("jobs_bot_key_key", *zip(bots, keys, strict=True)), "id bot key")


def expire_these(t: Tables, ids: Sequence[UUID]) -> Rows:
    waiting = [orphan for orphan in t.orphans.those(ids) if orphan["state"] == "waiting"]
    return [t.orphans.change(orphan, state="expired") for orphan in waiting]
