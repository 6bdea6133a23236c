"""How everything stands, for whoever scrapes: counted anew every few seconds, the same in every replica."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Gauge

from chassis.metrics import gauge
from chassis.queries import load
from chassis.storage import Database
from job_store.store.rows import Row

sql = load("job_store.store", "standing.sql")

_JOBS: Final = gauge("jobs_open", "Jobs that have not ended.", ["bot", "state"])
_OLDEST_JOB: Final = gauge(
    "job_open_oldest_seconds", "Age of the oldest of them, from its creation.", ["bot", "state"]
)
_DUE: Final = gauge("effects_due", "Effects that are due and not handed out.", ["kind"])
_LATEST: Final = gauge("effect_due_oldest_seconds", "How long the first is due.", ["kind"])
_ACTING: Final = gauge("effects_acting", "Effects somebody is at work on.", ["kind"])
_PARTS: Final = gauge("parts_unsettled", "Results that wait for a person or a user.", ["state"])
_OLDEST_PART: Final = gauge(
    "part_unsettled_oldest_seconds", "Age of the oldest, from when it was made.", ["state"]
)
_ORPHANS: Final = gauge("orphans_waiting", "Tasks somebody reported that no job owns.")
_OLDEST_ORPHAN: Final = gauge("orphan_waiting_oldest_seconds", "Age of the oldest.")
_DEAD: Final = gauge("dead_letters_open", "Messages nobody could read, and nobody has seen to.")
_STOPPED: Final = gauge(
    "stopped",
    "Bots and KIE accounts that wait; needs_owner when a token, a key or credits are refused.",
    ["key", "needs_owner"],
)
_PAUSED: Final = gauge("paused", "What an operator stopped.", ["bot", "what"])
_HELD: Final = gauge("held_after_restore", "1 while nothing is handed out after a restore.")


class Standing:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def measure(self) -> bool:
        """Count, and show the counts at once: no scrape sees half of them. Returns that there is no more to do."""
        async with self._database.transaction() as connection:
            jobs = await connection.fetch(sql.open_jobs)
            due = await connection.fetch(sql.due_effects)
            acting = await connection.fetch(sql.acting_effects)
            parts = await connection.fetch(sql.unsettled_parts)
            orphans = await connection.fetch(sql.waiting_orphans)
            dead = await connection.fetchval(sql.open_dead_letters)
            stops = await connection.fetch(sql.stops)
            paused = await connection.fetch(sql.paused_bots)
            is_held = await connection.fetchval(sql.is_held)
        _show(_JOBS, jobs, ("bot", "state"), "jobs")
        _show(_OLDEST_JOB, jobs, ("bot", "state"), "oldest")
        _show(_DUE, due, ("kind",), "due")
        _show(_LATEST, due, ("kind",), "latest")
        _show(_ACTING, acting, ("kind",), "acting")
        _show(_PARTS, parts, ("state",), "parts")
        _show(_OLDEST_PART, parts, ("state",), "oldest")
        _ORPHANS.set(orphans[0]["orphans"])
        _OLDEST_ORPHAN.set(orphans[0]["oldest"] or 0)
        _DEAD.set(dead)
        _show_each(_STOPPED, ((row["key"], _word(row["needs_owner"])) for row in stops))
        _show_each(_PAUSED, ((row["slug"], row["what"]) for row in paused))
        _HELD.set(is_held)
        return False


def _show(shown: Gauge, rows: Iterable[Row], labels: tuple[str, ...], value: str) -> None:
    """Show these rows and no others: what is no more is not shown as it was."""
    shown.clear()
    for row in rows:
        shown.labels(*(row[name] for name in labels)).set(row[value])


def _show_each(shown: Gauge, found: Iterable[tuple[str, str]]) -> None:
    shown.clear()
    for labels in found:
        shown.labels(*labels).set(1)


def _word(holds: object) -> str:
    return "true" if holds else "false"
