"""`make crash`: kill every service at every point a life comes to; says what was kept and what broke."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chassis import logs
from crash import trials
from crash.bench import Bench
from crash.errands import ERRANDS
from crash.grounds import commands, deployment
from crash.lives import BY_NAME
from crash.nursery import nursery_under_orders
from crash.points import all_points
from crash.stage import Stage
from crash.trials import Told, Trial

OUT: Final = Path(".sendonce/crash/trials.json")
TELL_EVERY: Final = 100  # trials, where no bar can be drawn
STAGES: Final = 2  # deployments side by side; a trial mostly waits for leases


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument(
        "--only", metavar="TEXT", help="trials whose service or point has this in it"
    )
    parser.add_argument("--life", choices=(*BY_NAME, *ERRANDS), action="append",
                        help="trials of this life or command alone; may be repeated")  # fmt: skip
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
    """Find the trials in a deployment on each storage and among commands, then share them out."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        enter = stack.enter_async_context
        born = await enter(nursery_under_orders(directory))
        stages = [await enter(deployment(directory / str(number), born))
                  for number in range(chosen.stages)]  # fmt: skip
        on_journal = await enter(deployment(directory / "journal", born, storage=trials.JSON))
        found, journal = await asyncio.gather(
            trials.reached(stages[0], directory / "0"),
            trials.reached(on_journal, directory / "journal"),
        )
        on = await enter(commands(stages[0], directory / "bench", born))
        everything = [*found, *trials.beside(journal, found), *await trials.of_commands(on)]
        named, come_to = all_points(), {blow.point for each in everything for blow in each.blows}
        console.print(f"{len(named):,} points have a name, {len(come_to):,} are come to")
        grounds = {trials.POSTGRES: stages, trials.JSON: [on_journal], trials.BENCH: [on]}
        told = await shared_out(grounds, choose(everything, chosen), console)
        unlawful = {law for each in (*stages, on_journal) for law in await each.doctor()}
        return Run(told, sorted(unlawful), sorted(named.keys() - come_to))


def choose(found: Sequence[Trial], chosen: argparse.Namespace) -> list[Trial]:
    """Narrow the trials as the command line says; in an order drawn by the seed."""
    wanted = [each for each in found if not chosen.life or each.life in chosen.life]
    if chosen.pairs:
        wanted = trials.pairs(of_lives(wanted), chosen.pairs, seed=chosen.seed)
    if chosen.fault == "freeze":
        wanted = trials.frozen(of_lives(wanted))
    wanted = [each for each in wanted if (chosen.only or "") in str(each)]
    random.Random(chosen.seed).shuffle(wanted)
    # Commands that find the same come together: it is made once.
    return sorted(
        wanted[: chosen.sample], key=lambda each: each.life if each.ground == trials.BENCH else ""
    )


def of_lives(found: Sequence[Trial]) -> list[Trial]:
    """Return those in which services share the work: a journal has one job-store, a command is alone."""
    return [each for each in found if each.ground == trials.POSTGRES]


async def shared_out(
    grounds: Mapping[str, Sequence[Stage | Bench]], wanted: Sequence[Trial], console: Console
) -> list[Told]:
    """Let everybody take the next trial that is left for what they are."""
    told: list[Told] = []
    waiting = {name: iter([each for each in wanted if each.ground == name]) for name in grounds}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("trials", total=len(wanted))

        async def work(on: Stage | Bench, ground: str) -> None:
            for trial in waiting[ground]:
                async for one in trials.run(on, [trial]):
                    told.append(one)
                    if one.broken:
                        console.print(line(one), style="red")
                progress.advance(bar)
                if not console.is_terminal and len(told) % TELL_EVERY == 0:
                    console.print(f"{len(told):,} of {len(wanted):,} trials")

        await asyncio.gather(*(work(on, name) for name, all_of in grounds.items() for on in all_of))
    return told


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
