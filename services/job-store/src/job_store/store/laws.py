"""The laws of `sendonce doctor`, counted every so often for whoever scrapes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from chassis.clock import Clock
from chassis.metrics import gauge
from chassis.queries import load
from chassis.storage import Database

LAWS: Final = load("job_store.store", "doctor.sql")

ORPHANS_MAY_BE_LATE: Final = timedelta(minutes=5)  # the clock looks every second
REST: Final = 100  # times as long as the look took: a large database is looked at more seldom
SHORTEST_REST: Final = 60.0  # seconds

_OFFENDERS: Final = gauge("law_offenders", "What breaks a law of `sendonce doctor`.", ["law"])
_CHECKED: Final = gauge(
    "laws_timestamp_seconds",
    "When all laws were last counted, in Unix time; before the first time when this process began.",
)
_TOOK: Final = gauge("laws_seconds", "How long counting them took.")


def arguments(orphan_ttl: timedelta) -> Mapping[str, tuple[Any, ...]]:
    """Return what the queries ask for, by law."""
    return {"orphans_overdue": (orphan_ttl + ORPHANS_MAY_BE_LATE,)}


class Laws:
    """Counts offenders; a look takes at most a hundredth of the time, however large the database."""

    def __init__(self, database: Database, clock: Clock, *, orphan_ttl: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._arguments = arguments(orphan_ttl)
        # Not at once: a service that starts has work to catch up with.
        self._not_before = clock.monotonic() + SHORTEST_REST
        _CHECKED.set(clock.now().timestamp())

    async def round(self) -> bool:
        """Count, unless the last time is too recent. Returns that there is no more to do."""
        began = self._clock.monotonic()
        if began < self._not_before:
            return False
        try:
            await self.count()
        finally:  # also after one that took too long for Postgres
            took = self._clock.monotonic() - began
            self._not_before = began + took + max(REST * took, SHORTEST_REST)
        _TOOK.set(took)
        return False

    async def count(self) -> None:
        """Count the offenders of every law, and show the counts at once."""
        async with self._database.transaction() as connection:
            counts = {
                law: len(await connection.fetch(LAWS[law], *self._arguments.get(law, ())))
                for law in LAWS
            }
        for law, offenders in counts.items():
            _OFFENDERS.labels(law).set(offenders)
        _CHECKED.set(self._clock.now().timestamp())
