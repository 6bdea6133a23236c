"""standing.sql: how everything stands, for whoever scrapes."""

from job_store.journal.statements.common import OPEN, Rows, age, grouped
from job_store.journal.statements.common import is_held as _is_held
from job_store.journal.tables import Tables
from job_store.journal.values import Row


def open_jobs(t: Tables) -> Rows:
    undelivered = [job for job in t.jobs.by("state", "succeeded") if job["deliver"]]
    groups = grouped([*t.jobs.by("state", *OPEN), *undelivered], "bot", "state")
    return [
        {
            "bot": bot,
            "state": state,
            "jobs": len(jobs),
            "oldest": age(t, (job["created_at"] for job in jobs)),
        }
        for (bot, state), jobs in groups.items()
    ]


def due_effects(t: Tables) -> Rows:
    due = [effect for effect in t.effects.by("state", "pending") if effect["due_at"] <= t.now]
    return [
        {"kind": kind, "due": len(rows), "latest": age(t, (row["due_at"] for row in rows))}
        for (kind,), rows in grouped(due, "kind").items()
    ]


def acting_effects(t: Tables) -> Rows:
    groups = grouped(t.effects.by("state", "acting"), "kind")
    return [{"kind": kind, "acting": len(rows)} for (kind,), rows in groups.items()]


def unsettled_parts(t: Tables) -> Rows:
    groups = grouped(t.parts.by("state", "uncertain", "parked"), "state")
    return [
        {"state": state, "parts": len(rows), "oldest": age(t, (row["made_at"] for row in rows))}
        for (state,), rows in groups.items()
    ]


def waiting_orphans(t: Tables) -> Rows:
    waiting = t.orphans.by("state", "waiting")
    return [{"orphans": len(waiting), "oldest": age(t, (row["seen_at"] for row in waiting))}]


def open_dead_letters(t: Tables) -> Rows:
    return [{"count": sum(row["settled_at"] is None for row in t.dead_letters.all())}]


def stops(t: Tables) -> Rows:
    return [
        {"key": bucket["key"], "needs_owner": bucket["needs_owner"] is not None}
        for bucket in t.pacing.all()
        if _is_parked(t, bucket) and bucket["key"].startswith(("bot:", "creates:"))
    ]


def _is_parked(t: Tables, bucket: Row) -> bool:
    return bucket["parked_until"] is not None and bucket["parked_until"] > t.now


def paused_bots(t: Tables) -> Rows:
    return [{"slug": bot["slug"], "what": what} for bot in t.bots.all() for what in bot["pauses"]]


def is_held(t: Tables) -> Rows:
    return [{"exists": _is_held(t)}]
