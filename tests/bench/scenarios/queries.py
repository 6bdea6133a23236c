"""The clocks' queries, and how things stand, while history grows a hundredfold and the work at hand stays the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Final
from uuid import UUID

import asyncpg

from bench.figures import Figure, at_most
from bench.run import Run
from chassis.queries import load
from job_store.clocks import CLAIM, SWEEP
from job_store.migrate import migrate_database
from testkit.servers import Durability, PostgresServer

SCENARIO: Final = "queries"
STORE: Final = "job_store.store"
OPEN: Final = 5_000  # jobs that run; the first ones are overdue
WORK: Final = 600  # of each kind of work at hand; more than one batch takes
PAGE: Final = 100  # of undelivered jobs
OUTBOX: Final = 500
REPEATS: Final = 5
FLAT: Final = at_most(1.2)  # times as many rows as with the smallest history
TABLES: Final = "jobs, parts, effects, orphans, outbox"

rows = load("bench", "rows.sql")


@dataclass(frozen=True, slots=True)
class Question:
    """One of the store's own queries, as its caller asks it."""

    file: str
    name: str
    arguments: tuple[object, ...]

    @property
    def sql(self) -> str:
        """The text the store uses."""
        return load(STORE, self.file)[self.name]


QUESTIONS: Final[Mapping[str, Question]] = {
    "due effects": Question("effects.sql", "lock_due", (CLAIM,)),
    "leases over": Question("effects.sql", "lock_leases_over", (SWEEP,)),
    "overdue jobs": Question("effects.sql", "lock_overdue", (SWEEP,)),
    "undelivered jobs": Question("requests.sql", "undelivered", ("default", UUID(int=0), PAGE)),
    "orphans": Question("orphans.sql", "expire_orphans", (timedelta(hours=1), SWEEP)),
    "standing: open jobs": Question("standing.sql", "open_jobs", ()),
    "standing: undelivered": Question("standing.sql", "undelivered_parts", ()),
    "standing: holds": Question("standing.sql", "open_holds", ()),
    "outbox": Question("outbox.sql", "claim_outbox", (OUTBOX,)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What one query cost once."""

    rows: float
    milliseconds: float


async def queries(run: Run) -> list[Figure]:
    """Load ever more history and ask the same questions."""
    sizes = run.either(quick=(10_000, 100_000), full=(10_000, 100_000, 1_000_000))
    # Loaded fast on a server of its own: plans are looked at, not disks.
    server = PostgresServer(run.workplace(SCENARIO) / "postgres", durability=Durability.KILL)
    found: dict[str, list[Asked]] = {name: [] for name in QUESTIONS}
    async with server:
        await migrate_database(server.url)
        connection = await asyncpg.connect(
            server.url, server_settings={"search_path": "sendonce", "jit": "off"}
        )
        await _add_work(connection)
        loaded = 0
        for size in sizes:
            run.say(f"{SCENARIO}: {size:,} jobs")
            await _add_history(connection, loaded, size)
            loaded = size
            for name, question in QUESTIONS.items():
                found[name].append(await _ask(connection, question))
        await connection.close()
    return [figure for name, asked in found.items() for figure in _figures(name, asked, sizes)]


def _figures(name: str, asked: Sequence[Asked], sizes: Sequence[int]) -> Iterator[Figure]:
    grown, most = sizes[-1] // sizes[0], f"{sizes[-1]:,}"
    yield Figure(
        scenario=SCENARIO,
        name=f"{name}: rows touched, {grown} × the jobs",
        unit="×",
        value=asked[-1].rows / asked[0].rows,
        target=FLAT,
        note=", ".join(f"{one.rows:,.0f}" for one in asked) + " rows",
    )
    yield Figure(
        scenario=SCENARIO,
        name=f"{name}: time at {most} jobs",
        unit="ms",
        value=asked[-1].milliseconds,
        note=", ".join(f"{one.milliseconds:.2f}" for one in asked),
    )


async def _add_work(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    # Foreign keys are not asked: the rows fit by construction.
    await connection.execute("SET session_replication_role = replica")
    half = WORK // 2
    for query, arguments in (
        (rows.add_open, (OPEN, WORK)),
        (rows.add_open_effects, (OPEN,)),
        (rows.add_undelivered, (WORK + half,)),
        (rows.add_undelivered_parts, (WORK + half,)),
        (rows.add_undelivered_effects, (WORK + half, half)),
        (rows.add_waiting_orphans, (WORK,)),
        (rows.add_outbox, (WORK,)),
    ):
        await connection.execute(query, *arguments)


async def _add_history(
    connection: "asyncpg.Connection[asyncpg.Record]", loaded: int, size: int
) -> None:
    for query in (
        rows.add_history,
        rows.add_history_parts,
        rows.add_history_effects,
        rows.add_history_orphans,
    ):
        await connection.execute(query, loaded + 1, size)
    await connection.execute(f"VACUUM ANALYZE {TABLES}")


async def _ask(connection: "asyncpg.Connection[asyncpg.Record]", question: Question) -> Asked:
    asked = [await _explained(connection, question) for _ in range(REPEATS)]
    return Asked(asked[-1].rows, median(one.milliseconds for one in asked))


async def _explained(connection: "asyncpg.Connection[asyncpg.Record]", question: Question) -> Asked:
    """Run it, and take back what it did."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        told = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {question.sql}", *question.arguments
        )
    finally:
        await transaction.rollback()
    [explained] = json.loads(told)
    return Asked(touched(explained["Plan"]), explained["Execution Time"])


def touched(plan: Mapping[str, Any]) -> float:
    """Rows that the plan's scans looked at, also those they threw away."""
    children = plan.get("Plans", ())
    below = sum(touched(child) for child in children)
    if children and "Scan" not in plan["Node Type"]:
        return below
    thrown = sum(count for name, count in plan.items() if name.startswith("Rows Removed"))
    return below + float(plan["Actual Loops"] * (plan["Actual Rows"] + thrown))
