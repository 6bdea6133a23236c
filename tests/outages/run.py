"""One outage: load, absence, return, and what was seen meanwhile against what was promised."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deployment import eventually
from ensemble import Ensemble, ensemble, errands, troubles
from job_store.migrate import migrate_bus, migrate_database
from outages.absences import Absence, Scene
from outages.watch import READY_WITHIN, Seen, watched
from testkit import proof
from testkit.processes.nursery import Nursery
from testkit.servers import Durability, NatsServer, PostgresServer

WARM: Final = 4.0  # seconds of load before: jobs are in every stage
EVERY: Final = 0.4  # seconds between two jobs
SHOWS_WITHIN: Final = 20.0  # seconds until /readyz may say that a dependency is away
READY_AGAIN: Final = 20.0  # seconds until it must say that it is back
CAUGHT_UP: Final = 90.0  # seconds; the longest waits between two tries are thirty
EXPIRES_LATER: Final = (
    60.0  # seconds a job that nobody can know about outlives the outage, at least
)
# A quarter of a job's life is kept for its task: what waits for KIE must still be submitted when it is back.
OUTLIVES: Final = 1.6
# Bounds of what a service may cost while something is away.
MORE_MEMORY: Final = 48.0  # MiB
LINES_A_SECOND: Final = 25.0  # of one service's log; half a second's looks at /readyz make four


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one outage came to."""

    absence: str
    seconds: float
    shown_after: float | None  # seconds until the last of those concerned was not ready
    ready_after: float  # seconds from the return until all were ready
    caught_up: float  # seconds from the return until nothing was left that can be done
    restarts: int  # services that were not the process any more that they had been
    not_live: int  # looks at /livez that were not answered 200
    memory: dict[str, float]  # MiB each service had at most above what it had before
    lines: dict[str, float]  # log lines a second while it lasted
    verdict: proof.Verdict
    wrong: dict[str, object]  # empty when every promise was kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when until when something was away, monotonic seconds."""

    left: float
    returning: float
    back: float  # when its return was done

    @property
    def ends(self) -> tuple[float, float]:
        """While it was away for certain."""
        return self.left, self.returning


@asynccontextmanager
async def scene(
    directory: Path, *, jobs: int, settings: dict[str, str], nursery: Nursery | None = None
) -> AsyncIterator[Scene]:
    """Start servers of their own, and five services on them."""
    async with (
        NatsServer(directory / "nats", durability=Durability.KILL) as nats,
        PostgresServer(directory / "postgres", durability=Durability.KILL) as postgres,
    ):
        await asyncio.gather(migrate_bus(nats.url), migrate_database(postgres.url))
        async with ensemble(
            nats_url=nats.url,
            database_url=postgres.url,
            directory=directory / "logs",
            errands=errands(jobs),
            settings=settings,
            nursery=nursery,
        ) as running:
            yield Scene(running=running, nats=nats, postgres=postgres)


async def outage(
    absence: Absence,
    directory: Path,
    *,
    seconds: float,
    nursery: Nursery | None = None,
    patience: float = CAUGHT_UP,
) -> Told:
    """Let something be away for so many seconds under load, and judge."""
    jobs = round((WARM + seconds) / EVERY)
    life = max(seconds + EXPIRES_LATER, OUTLIVES * seconds)
    settings = {"JOB_TTL_SECONDS": str(life)}
    async with scene(directory, jobs=jobs, settings=settings, nursery=nursery) as on:
        running = on.running
        async with watched(running.services) as seen, running.load(every=EVERY) as asking:
            await asyncio.sleep(WARM)  # noqa: TID251 - the load before
            before = {name: one.rss[-1] for name, one in seen.items()}
            span = await _away(absence, on, seconds)
            await asking
            await eventually(lambda: _caught_up(running), within=patience)
            caught_up = time.monotonic() - span.back
            await running.settled(within=life + patience)
            await eventually(lambda: _all_ready(seen, since=span.back), within=READY_AGAIN)
        verdict = await running.verdict()
        return Told(
            absence=absence.name,
            seconds=seconds,
            shown_after=_shown_after(absence, seen, span),
            ready_after=max(_ready_since(one, span.back) for one in seen.values()) - span.back,
            caught_up=caught_up,
            restarts=sum(one.ended for one in seen.values()),
            not_live=sum(one.dead for one in seen.values()),
            memory={name: one.rss_at_most() - before[name] for name, one in seen.items()},
            lines={name: one.lines_a_second(*span.ends) for name, one in seen.items()},
            verdict=verdict,
            wrong=troubles(verdict)
            | ({"refused": refused} if (refused := running.progress.refused) else {})
            | dict(_wrong(absence, seen, before, span)),
        )


async def _away(absence: Absence, on: Scene, seconds: float) -> Span:
    left = time.monotonic()
    await absence.leave(on)
    await asyncio.sleep(seconds)  # noqa: TID251 - the fault itself
    returning = time.monotonic()
    await absence.come_back(on)
    return Span(left=left, returning=returning, back=time.monotonic())


async def _caught_up(running: Ensemble) -> bool:
    """Nothing is left that can be done: what nobody can know about only waits for its deadline."""
    beat = await running.pulse.look()
    status = beat.status
    if status is None or not running.progress.is_over:
        return False
    unknowable = status.submissions_uncertain + status.parts_uncertain
    return beat.jobs - beat.ended <= unknowable and status.outbox_rows == 0


async def _all_ready(seen: dict[str, Seen], *, since: float) -> bool:
    return all(one.ready and one.ready[-1][0] > since and one.ready[-1][1] for one in seen.values())


def _ready_since(one: Seen, back: float) -> float:
    """When it was ready again, to stay so."""
    not_ready = [at for at, ready in one.ready if at >= back and not ready]
    return min(at for at, ready in one.ready if ready and at >= max([back, *not_ready]))


def _shown_after(absence: Absence, seen: dict[str, Seen], span: Span) -> float | None:
    firsts = [seen[name].unready_between(*span.ends)[:1] for name in sorted(absence.unready)]
    if not firsts or not all(firsts):
        return None
    return max(first for (first,) in firsts) - span.left


def _wrong(
    absence: Absence, seen: dict[str, Seen], before: dict[str, float], span: Span
) -> Iterator[tuple[str, object]]:
    for name, one in seen.items():
        if one.ended:
            yield f"{name} ended by itself", one.process.exit_code
        if one.dead:
            yield f"{name} looked dead", one.dead
        if (more := one.rss_at_most() - before[name]) > MORE_MEMORY:
            yield f"{name} grew", f"{more:.0f} MiB"
        if (lines := one.lines_a_second(*span.ends)) > LINES_A_SECOND:
            yield f"{name} stormed its log", f"{lines:.0f} lines a second"
        if said := _lied(one, span, needs_it=name in absence.unready):
            yield f"{name} was dishonest", said


def _lied(one: Seen, span: Span, *, needs_it: bool) -> str:
    """What /readyz said that was not so; empty when it was honest."""
    unready = one.unready_between(*span.ends)
    if not needs_it:
        return f"{len(unready)} times not ready, and needs nothing that was away" if unready else ""
    if not unready:
        return "always ready"
    # What was asked just before the return may be answered after it.
    late = one.ready_between(span.left + SHOWS_WITHIN, span.returning - READY_WITHIN)
    return f"{len(late)} times ready" if late else ""
