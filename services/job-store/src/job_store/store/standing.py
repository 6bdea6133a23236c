"""How everything stands, for whoever scrapes: counted anew every few seconds, the same in every replica."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import Gauge

from chassis.clock import Clock
from chassis.metrics import gauge
from chassis.queries import load
from chassis.storage import Database
from job_store.store.counting import know
from job_store.store.rows import Row

sql = load("job_store.store", "standing.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """One column of one query as a gauge, a series for each row; a row without a value is 0."""

    gauge: Gauge
    query: str
    column: str
    labels: tuple[str, ...]

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows and no others: what is no more is not shown as it was."""
        if self.labels:
            self.gauge.clear()
        for row in rows:
            labels = [row[name] for name in self.labels]
            shown = self.gauge.labels(*labels) if labels else self.gauge
            shown.set(row[self.column] or 0)


def _shown(source: str, name: str, what: str, labels: tuple[str, ...] = ()) -> _Shown:
    """Make a gauge of `query.column`."""
    query, _, column = source.partition(".")
    return _Shown(gauge=gauge(name, what, labels), query=query, column=column, labels=labels)


_BOT_STATE: Final = ("bot", "state")
SHOWN: Final = (
    _shown("open_jobs.jobs", "jobs_open", "Jobs that have not ended.", _BOT_STATE),
    _shown(
        "open_jobs.oldest",
        "job_open_oldest_seconds",
        "Age of the oldest of them, from its creation.",
        _BOT_STATE,
    ),
    _shown("due_effects.due", "effects_due", "Effects due and not handed out.", ("kind",)),
    _shown(
        "due_effects.latest", "effect_due_oldest_seconds", "How long the first is due.", ("kind",)
    ),
    _shown("acting_effects.acting", "effects_acting", "Effects somebody works on.", ("kind",)),
    _shown(
        "unsettled_parts.parts",
        "parts_unsettled",
        "Results that wait for a person or a user.",
        ("state",),
    ),
    _shown(
        "unsettled_parts.oldest",
        "part_unsettled_oldest_seconds",
        "Age of the oldest, from when it was made.",
        ("state",),
    ),
    _shown(
        "undelivered_parts.parts",
        "parts_undelivered",
        "Results known and not yet in their chats, that wait for nobody but us.",
        ("bot",),
    ),
    _shown(
        "undelivered_parts.oldest",
        "part_undelivered_oldest_seconds",
        "Age of the oldest of them, from when it was made.",
        ("bot",),
    ),
    _shown(
        "uncertain_submissions.submissions",
        "submissions_uncertain",
        "Jobs whose createTask call may or may not have made a task.",
    ),
    _shown("open_holds.jobs", "holds_open", "Jobs whose price is held.", ("bot", "currency")),
    _shown(
        "open_holds.amount",
        "held_minor_units",
        "What is held for them, in the currency's minor units.",
        ("bot", "currency"),
    ),
    _shown(
        "open_holds.oldest",
        "hold_oldest_seconds",
        "Age of the oldest hold.",
        ("bot", "currency"),
    ),
    _shown("waiting_orphans.orphans", "orphans_waiting", "Reported tasks that no job owns."),
    _shown("waiting_orphans.oldest", "orphan_waiting_oldest_seconds", "Age of the oldest."),
    _shown(
        "open_dead_letters.letters",
        "dead_letters_open",
        "Messages nobody could read, and nobody has seen to.",
    ),
    _shown(
        "waiting_outbox.messages", "outbox_waiting", "Messages committed and not yet published."
    ),
    _shown("waiting_outbox.oldest", "outbox_oldest_seconds", "Age of the oldest of them."),
    _shown(
        "pacing_lines.lines",
        "pacing_lines",
        "Chats, groups, bots and KIE accounts in whose line somebody waits.",
        ("bucket",),
    ),
    _shown(
        "pacing_lines.longest",
        "pacing_line_longest_seconds",
        "How long the longest of these lines is.",
        ("bucket",),
    ),
    _shown(
        "pacing_lines.parked",
        "pacing_parked",
        "Those that the other side told to wait.",
        ("bucket",),
    ),
    _shown(
        "stops.stopped",
        "stopped",
        "Bots and KIE accounts that wait; needs_owner when a token, a key or credits are refused.",
        ("key", "needs_owner"),
    ),
    _shown("paused_bots.paused", "paused", "What an operator stopped.", ("bot", "what")),
    _shown("restores.held", "held_after_restore", "1 while nothing is handed out after a restore."),
)
_MEASURED: Final = gauge(
    "standing_timestamp_seconds", "When all of this was measured last, in Unix time."
)


class Standing:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def measure(self) -> bool:
        """Count, and show the counts at once: no scrape sees half of them. Returns that there is no more to do."""
        async with self._database.transaction() as connection:
            found = {name: await connection.fetch(sql[name]) for name in sql}
        for shown in SHOWN:
            shown.show(found[shown.query])
        know(row["slug"] for row in found["bots"])
        _MEASURED.set(self._clock.now().timestamp())
        return False
