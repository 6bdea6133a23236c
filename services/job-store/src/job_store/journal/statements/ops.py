"""ops.sql: one screen of status."""

from collections import Counter

from job_store.journal.statements.common import Rows, age, grouped, wait_for_owner
from job_store.journal.tables import Tables
from job_store.journal.values import Row


def status_counts(t: Tables) -> Rows:
    pending = t.effects.by("state", "pending")
    unclear = t.effects.by("state", "uncertain")
    return [
        {
            "effects_due": sum(effect["due_at"] <= t.now for effect in pending),
            "effects_acting": t.effects.count("state", "acting"),
            "parts_uncertain": t.parts.count("state", "uncertain"),
            "parts_parked": t.parts.count("state", "parked"),
            "submissions_uncertain": sum(
                effect["kind"] == "submit" and _state(t, effect) == "submitting"
                for effect in unclear
            ),
            "late_polls": sum(
                effect["kind"] == "poll" and _state(t, effect) == "expired" for effect in pending
            ),
            "orphans_waiting": t.orphans.count("state", "waiting"),
            "dead_letters": sum(row["settled_at"] is None for row in t.dead_letters.all()),
            "outbox_rows": len(t.outbox.rows),
            "outbox_oldest_seconds": age(t, (row["at"] for row in t.outbox.all())),
            "callbacks": t.reports.count("origin", "callback"),
            "polls": t.reports.count("origin", "poll"),
            "at": t.now,
        }
    ]


def _state(t: Tables, effect: Row) -> str:
    """Return the state of an effect's job."""
    state: str = t.jobs.rows[effect["job_id"]]["state"]
    return state


def status_bots(t: Tables) -> Rows:
    jobs_of = grouped(t.jobs.all(), "bot", "state")
    known = {bot for bot, _ in jobs_of}
    idle = [
        {"slug": slug, "state": None, "jobs": 0, "open": 0, "oldest": None}
        for slug in t.bots.rows
        if slug not in known
    ]
    busy = [
        {
            "slug": bot,
            "state": state,
            "jobs": len(jobs),
            "open": sum(job["ended_at"] is None for job in jobs),
            "oldest": age(t, (job["created_at"] for job in jobs if job["ended_at"] is None)),
        }
        for (bot, state), jobs in jobs_of.items()
    ]
    return sorted([*idle, *busy], key=lambda row: str(row["slug"]))


def status_pauses(t: Tables) -> Rows:
    return [
        {"slug": slug, "what": what, "why": why}
        for slug, bot in sorted(t.bots.rows.items(), key=lambda item: str(item[0]))
        for what, why in sorted(bot["pauses"].items())
    ]


def status_paused(t: Tables) -> Rows:
    return sorted(wait_for_owner(t, t.pacing.all()), key=lambda bucket: str(bucket["key"]))


def status_told_to_wait(t: Tables) -> Rows:
    waiting = Counter(
        str(bucket["key"]).split(":")[0]
        for bucket in t.pacing.all()
        if bucket["needs_owner"] is None
        and bucket["parked_until"]
        and bucket["parked_until"] > t.now
    )
    return [{"kind": kind, "waiting": count} for kind, count in sorted(waiting.items())]


def status_credits(t: Tables) -> Rows:
    return [
        {"account": str(key).removeprefix("creates:"), "credits": bucket["credits"]}
        for key, bucket in sorted(t.pacing.rows.items(), key=lambda item: str(item[0]))
        if str(key).startswith("creates:") and bucket["credits"] is not None
    ]
