"""effects.sql: what is due, whose lease is over, who comes too late."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from job_store.journal.statements.common import OPEN, Rows, each, is_held, recordset
from job_store.journal.tables import Tables
from job_store.journal.values import Row


def lock_due(t: Tables, limit: int) -> Rows:
    return see_due(t, limit)


def see_due(t: Tables, limit: int) -> Rows:
    if is_held(t):
        return []
    due = [effect for effect in t.effects.by("state", "pending") if effect["due_at"] <= t.now]
    due.sort(key=lambda effect: (effect["due_at"], effect["id"]))
    return each(due[:limit], "id job_id")


def lock_leases_over(t: Tables, limit: int) -> Rows:
    if is_held(t):
        return []
    over = [effect for effect in t.effects.by("state", "acting") if effect["lease_until"] < t.now]
    over.sort(key=lambda effect: effect["lease_until"])
    return each(over[:limit], "id job_id")


def lock_overdue(t: Tables, limit: int, working_time: timedelta) -> Rows:
    if is_held(t):
        return []
    late = [job for job in t.jobs.by("state", *OPEN) if job["expires_at"] <= t.now + working_time]
    late = [job for job in late if job["expires_at"] <= t.now or _is_not_begun(t, job)]
    late.sort(key=lambda job: job["expires_at"])
    return each(late[:limit], "id")


def _is_not_begun(t: Tables, job: Row) -> bool:
    effect = t.effects.one("effects_one_submit", job["id"])
    return (
        job["state"] != "running"
        and effect is not None
        and effect["state"] in ("pending", "acting")
        and effect["holder"] is None
    )


def lock_parked(t: Tables, bot: str, chat_id: int) -> Rows:
    parked = {part["job_id"] for part in t.parts.by("state", "parked")}
    return [{"id": id_} for id_ in sorted(parked) if _is_of(t.jobs.rows[id_], bot, chat_id)]


def _is_of(job: Row, bot: str, chat_id: int) -> bool:
    return (job["bot"], job["chat_id"]) == (bot, chat_id)


def attempts_by_id(t: Tables, ids: Sequence[UUID]) -> Rows:
    return each(t.attempts.those(ids), "id effect_id job_id")


def known_evidence(t: Tables, ids: Sequence[str]) -> Rows:
    return each(t.evidence.those(ids), "id")


def insert_evidence(t: Tables, written: str) -> None:
    for row in recordset(written):
        if t.evidence.get(row["id"]) is None:
            t.evidence.add(row)
