"""standing.sql: how everything stands, for whoever scrapes."""

from datetime import datetime

from job_store.journal.statements.common import OPEN, Rows, age, each, grouped
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
    return [{"letters": sum(row["settled_at"] is None for row in t.dead_letters.all())}]


def undelivered_parts(t: Tables) -> Rows:
    waiting = [
        {"bot": job["bot"], "made_at": part["made_at"]}
        for job in t.jobs.by("state", "succeeded")
        if job["deliver"]
        for part in _waiting_for_us(t.parts.by("job_id", job["id"]))
    ]
    return [
        {"bot": bot, "parts": len(rows), "oldest": age(t, (row["made_at"] for row in rows))}
        for (bot,), rows in grouped(waiting, "bot").items()
    ]


def _waiting_for_us(parts: Rows) -> Rows:
    """Return the parts of a job that wait neither for a user who is away, nor for a person who must look."""
    if any(part["state"] in ("parked", "uncertain") for part in parts):
        return []
    return [part for part in parts if part["state"] in ("pending", "carried")]


def uncertain_submissions(t: Tables) -> Rows:
    unclear = [
        effect for effect in t.effects.by("state", "uncertain") if effect["kind"] == "submit"
    ]
    states = [t.jobs.rows[effect["job_id"]]["state"] for effect in unclear]
    return [{"submissions": states.count("submitting")}]


def open_holds(t: Tables) -> Rows:
    held = [job for job in t.jobs.by("state", *OPEN) if job["money"] == "held"]
    return [
        {
            "bot": bot,
            "currency": currency,
            "jobs": len(jobs),
            "amount": float(sum(job["price"] for job in jobs)),
            "oldest": age(t, (job["created_at"] for job in jobs)),
        }
        for (bot, currency), jobs in grouped(held, "bot", "currency").items()
    ]


def waiting_outbox(t: Tables) -> Rows:
    waiting = t.outbox.all()
    return [{"messages": len(waiting), "oldest": age(t, (row["at"] for row in waiting))}]


def pacing_lines(t: Tables) -> Rows:
    groups: dict[str, Rows] = {}
    for bucket in t.pacing.all():
        groups.setdefault(bucket["key"].partition(":")[0], []).append(bucket)
    return [_line(t, name, buckets) for name, buckets in groups.items()]


def _line(t: Tables, name: str, buckets: Rows) -> Row:
    tails = [bucket["tail"] for bucket in buckets if _is_ahead(t, bucket["tail"])]
    return {
        "bucket": name,
        "lines": len(tails),
        "longest": max(((tail - t.now).total_seconds() for tail in tails), default=0.0),
        "parked": sum(_is_ahead(t, bucket["parked_until"]) for bucket in buckets),
    }


def stops(t: Tables) -> Rows:
    return [
        {
            "key": bucket["key"],
            "needs_owner": "true" if bucket["needs_owner"] is not None else "false",
            "stopped": 1,
        }
        for bucket in t.pacing.all()
        if _is_ahead(t, bucket["parked_until"]) and bucket["key"].startswith(("bot:", "creates:"))
    ]


def _is_ahead(t: Tables, moment: datetime | None) -> bool:
    return moment is not None and moment > t.now


def paused_bots(t: Tables) -> Rows:
    return [
        {"bot": bot["slug"], "what": what, "paused": 1}
        for bot in t.bots.all()
        for what in bot["pauses"]
    ]


def restores(t: Tables) -> Rows:
    return [{"held": t.restores.count("restores_open", ())}]


def bots(t: Tables) -> Rows:
    return each(t.bots.all(), "slug")
