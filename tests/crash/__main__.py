"""`make crash`: kill every service at every point a life comes to; says what was kept and what broke."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chassis import logs
from crash import trials
from crash.lives import BY_NAME
from crash.nursery import nursery_under_orders
from crash.points import all_points
from crash.stage import Stage, stage
from crash.trials import Told, Trial
from job_store.migrate import migrate_database
from testkit.processes.nursery import Nursery
from testkit.servers import Durability, NatsServer, PostgresServer

OUT: Final = Path(".sendonce/crash/trials.json")
TELL_EVERY: Final = 100  # trials, where no bar can be drawn
STAGES: Final = 2  # deployments side by side; a trial mostly waits for leases


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument(
        "--only", metavar="TEXT", help="trials whose service or point has this in it"
    )
    parser.add_argument("--life", choices=BY_NAME, action="append",
                        help="trials of this life alone; may be repeated")  # fmt: skip
    parser.add_argument("--pairs", type=int, metavar="N",
                        help="strike two services in one life: so many pairs, drawn by the seed")  # fmt: skip
    parser.add_argument("--sample", type=int, metavar="N", help="so many trials, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", choices=("kill", "freeze"), default="kill",
                        help="end the process, or stop it for longer than its leases")  # fmt: skip
    parser.add_argument("--stages", type=int, default=STAGES, help="deployments side by side")
    parser.add_argument("--json", type=Path, default=OUT)
    return parser.parse_args(given)


@dataclass(frozen=True, slots=True)
class Run:
    """All trials of a run, the laws that did not hold, and the points nobody came to."""

    told: list[Told]
    unlawful: list[str]
    unreached: list[str]

    @property
    def broken(self) -> list[Told]:
        """The trials that broke a promise."""
        return [each for each in self.told if each.broken]


async def attack(chosen: argparse.Namespace, console: Console) -> Run:
    """Find the trials in one deployment, then share them among all."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        born = await stack.enter_async_context(nursery_under_orders(directory))
        stages = [
            await stack.enter_async_context(deployment(directory / str(number), born))
            for number in range(chosen.stages)
        ]
        found = await trials.reached(stages[0], directory)
        named, come_to = all_points(), {blow.point for each in found for blow in each.blows}
        console.print(f"{len(named):,} points have a name, these lives come to {len(come_to):,}")
        told = await shared_out(stages, choose(found, chosen), console)
        unlawful = {law for each in stages for law in await each.doctor()}
        return Run(told, sorted(unlawful), sorted(named.keys() - come_to))


def choose(found: Sequence[Trial], chosen: argparse.Namespace) -> list[Trial]:
    """Narrow the trials as the command line says; in an order drawn by the seed."""
    wanted = [each for each in found if not chosen.life or each.life in chosen.life]
    if chosen.pairs:
        wanted = trials.pairs(wanted, chosen.pairs, seed=chosen.seed)
    if chosen.fault == "freeze":
        wanted = trials.frozen(wanted)
    wanted = [each for each in wanted if (chosen.only or "") in str(each)]
    random.Random(chosen.seed).shuffle(wanted)
    return wanted[: chosen.sample]


async def shared_out(
    stages: Sequence[Stage], wanted: Sequence[Trial], console: Console
) -> list[Told]:
    """Let every deployment take the next trial that is left."""
    waiting, told = iter(wanted), []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("trials", total=len(wanted))

        async def work(running: Stage) -> None:
            for trial in waiting:
                async for one in trials.run(running, [trial]):
                    told.append(one)
                    if one.broken:
                        console.print(line(one), style="red")
                progress.advance(bar)
                if not console.is_terminal and len(told) % TELL_EVERY == 0:
                    console.print(f"{len(told):,} of {len(wanted):,} trials")

        await asyncio.gather(*map(work, stages))
    return told


@asynccontextmanager
async def deployment(directory: Path, nursery: Nursery) -> AsyncIterator[Stage]:
    """One deployment with servers of its own."""
    directory.mkdir()
    async with (
        PostgresServer(directory / "postgres", durability=Durability.KILL) as postgres,
        NatsServer(directory / "nats", durability=Durability.KILL) as nats,
    ):
        await migrate_database(postgres.url)
        async with stage(
            database_url=postgres.url, nats_url=nats.url, directory=directory, nursery=nursery
        ) as running:
            yield running


def line(told: Told) -> str:
    """Write a broken trial so that it can be asked for again."""
    return f"{told.trial}: {'; '.join(told.broken)}"


def table(told: Sequence[Told]) -> Table:
    """Count the trials by the service that is struck first."""
    made = Table("service", "trials", "reached", "kept", "expired", "uncertain", "broken")
    for service in sorted({each.trial.blows[0].service for each in told}):
        of_it = [each for each in told if each.trial.blows[0].service == service]
        reached = [each for each in of_it if each.reached]
        counts = Counter(
            kept=sum(not each.broken for each in reached),
            expired=sum(each.expired for each in reached),
            uncertain=sum(each.uncertain > 0 for each in reached),
            broken=sum(bool(each.broken) for each in reached),
        )
        numbers = (len(of_it), len(reached), *counts.values())
        made.add_row(service, *map(str, numbers))
    return made


def main() -> int:
    """Exit with 1 when a promise was broken."""
    chosen, console = arguments(sys.argv[1:]), Console()
    logs.configure(level="error")
    began = time.monotonic()
    run = asyncio.run(attack(chosen, console))
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(asdict(run), indent=1), "utf-8")
    console.print(table(run.told))
    for each in run.broken:
        console.print(line(each), style="red")
    for law in run.unlawful:
        console.print(f"doctor: {law} does not hold", style="red")
    console.print(f"{time.monotonic() - began:.0f} s · seed {chosen.seed} · {chosen.json}")
    return 1 if run.broken or run.unlawful else 0


if __name__ == "__main__":
    sys.exit(main())
