"""standing.sql: how everything stands, for whoever scrapes."""

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
        if job["deliver"] and not _waits_for_somebody(t, job)
        for part in t.parts.by("job_id", job["id"])
        if part["state"] in ("pending", "carried")
    ]
    return [
        {"bot": bot, "parts": len(rows), "oldest": age(t, (row["made_at"] for row in rows))}
        for (bot,), rows in grouped(waiting, "bot").items()
    ]


def _waits_for_somebody(t: Tables, job: Row) -> bool:
    parts = t.parts.by("job_id", job["id"])
    return any(part["state"] in ("parked", "uncertain") for part in parts)


def uncertain_submissions(t: Tables) -> Rows:
    jobs = t.jobs.by("state", "submitting")
    effects = [t.effects.one("effects_one_submit", job["id"]) for job in jobs]
    return [{"submissions": sum(it is not None and it["state"] == "uncertain" for it in effects)}]


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
    rows = t.outbox.all()
    return [{"messages": len(rows), "oldest": age(t, (row["at"] for row in rows))}]


def pacing_lines(t: Tables) -> Rows:
    named = [bucket | {"bucket": bucket["key"].partition(":")[0]} for bucket in t.pacing.all()]
    return [
        {
            "bucket": name,
            "lines": sum(row["tail"] is not None and row["tail"] > t.now for row in rows),
            "longest": _longest(t, rows),
            "parked": sum(_is_parked(t, row) for row in rows),
        }
        for (name,), rows in grouped(named, "bucket").items()
    ]


def _longest(t: Tables, buckets: Rows) -> float:
    tails = [row["tail"] for row in buckets if row["tail"] is not None]
    return max(0.0, *(float((tail - t.now).total_seconds()) for tail in tails), 0.0)


def stops(t: Tables) -> Rows:
    return [
        {"key": row["key"], "needs_owner": _word(row["needs_owner"]), "stopped": 1}
        for row in t.pacing.all()
        if _is_parked(t, row) and row["key"].startswith(("bot:", "creates:"))
    ]


def _word(reason: str | None) -> str:
    return "false" if reason is None else "true"


def _is_parked(t: Tables, bucket: Row) -> bool:
    return bucket["parked_until"] is not None and bucket["parked_until"] > t.now


def paused_bots(t: Tables) -> Rows:
    return [
        {"bot": bot["slug"], "what": what, "paused": 1}
        for bot in t.bots.all()
        for what in bot["pauses"]
    ]


def restores(t: Tables) -> Rows:
    return [{"held": len(t.restores.by("restores_open", ()))}]


def bots(t: Tables) -> Rows:
    return each(t.bots.all(), "slug")
