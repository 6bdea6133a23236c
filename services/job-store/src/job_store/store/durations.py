"""How long each kind of generation usually takes: learned from the latest, told to whoever waits."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chassis.queries import load
from chassis.storage import Database
from job_store.domain.case import Case
from job_store.domain.rules import LATE_AT_LEAST, Usual, nothing_learned

sql = load("job_store.store", "durations.sql")

SINCE: Final = timedelta(days=7)
LEAST: Final = 5  # fewer say nothing
NEWEST: Final = 500  # of each kind are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """A row: how long one job took from its creation to its result."""

    family: str
    operation: str
    model: str
    seconds: float

    @classmethod
    def of(cls, case: Case) -> "Took":
        """Name the kind of a job that has just succeeded."""
        job, took = case.job, case.took or timedelta(0)
        return cls(
            family=job.family,
            operation=job.operation,
            model=job.model,
            seconds=max(took.total_seconds(), 0),
        )


class Durations:
    """What was learned, in memory; a restart learns it again from the table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._usual: dict[tuple[str, str, str], Usual] = {}

    def usual(self, family: str, operation: str, model: str) -> Usual:
        return self._usual.get((family, operation, model)) or nothing_learned(
            family, operation, model
        )

    async def learn(self) -> None:
        """Read what is usual, and drop the rows that are too many."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(sql.usual, SINCE, LEAST)
            await connection.execute(sql.trim_durations, NEWEST)
        self._usual = {
            (row["family"], row["operation"], row["model"]): Usual(
                expected=timedelta(seconds=row["expected"]),
                late=max(timedelta(seconds=row["late"]), LATE_AT_LEAST),
            )
            for row in rows
        }
