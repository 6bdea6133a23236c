"""`make sabotage`: gut one capability after the other; check and smoke must fail, each for the right reason."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from chassis import logs
from job_store.migrate import migrate_database
from sabotage.builds import BUILDS, SMOKED, Build
from sabotage.ground import SHORT, Ground, failing, ground, judged
from sabotage.nursery import nursery_of_saboteurs
from sendonce_cli.probes.items import Verdict
from testkit.servers import NatsServer, PostgresServer
from testkit.servers.durability import Durability

LONG: Final = 30.0  # seconds
WIDE: Final = 130  # columns the table needs where nobody says how wide the terminal is


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What check and smoke said of a build."""

    build: Build
    checked: Verdict | None
    smoked: Verdict | None
    seconds: float

    @property
    def wrong(self) -> Sequence[str]:
        return judged(self.build, self.checked, self.smoked)


async def tell(made: Ground, build: Build) -> Told:
    """Run a build through both commands, as far as they have to notice."""
    began = time.monotonic()
    async with made.sabotaged(build):
        checked = await _checked(made, build) if build.phase else None
        smoked = await made.smoke(patience=SHORT) if build.smoke else None
    return Told(build=build, checked=checked, smoked=smoked, seconds=time.monotonic() - began)


async def _checked(made: Ground, build: Build) -> Verdict:
    """Nothing else may fail where one thing is missing, so what is there is given its time."""
    if build.is_alone:
        return await made.check(patience=LONG)
    return await made.check(build.phase, patience=SHORT)


def table(told: Sequence[Told]) -> Table:
    """One row a build."""
    made = Table(title="can the checks pass on a broken build?")
    for column in ("sabotaged build", "check said", "smoke said", "s"):
        made.add_column(column, overflow="fold")
    for one in told:
        checked = _said(one.checked, build=one.build)
        smoked = next(iter(failing(one.smoked)), "nothing") if one.smoked else ""
        style = "red" if one.wrong else None
        made.add_row(one.build.name, checked, smoked, f"{one.seconds:.0f}", style=style)
    return made


def _said(verdict: Verdict | None, *, build: Build) -> str:
    if verdict is None:
        return ""
    items = [
        f"{phase.name} · {item.name}: {item.seen}"
        for phase in verdict.phases
        for item in phase.items
        if (phase.name, item.name) == (build.phase, build.item) and item.seen
    ]
    return "; ".join(items) or "nothing"


async def all_of(builds: Sequence[Build], directory: Path, console: Console) -> list[Told]:
    """Run every build on one ground; first nothing may be wrong with what lacks nothing."""
    told = []
    async with (
        PostgresServer(directory / "postgres", durability=Durability.KILL) as postgres,
        NatsServer(directory / "nats", durability=Durability.KILL) as nats,
        nursery_of_saboteurs(directory) as nursery,
    ):
        await migrate_database(postgres.url)
        async with ground(
            nats_url=nats.url, database_url=postgres.url, directory=directory, nursery=nursery
        ) as made:
            console.print("with nothing missing …", style="dim")
            for verdict in (await made.check(), await made.smoke()):
                if verdict.exit_code:
                    raise RuntimeError(f"fails with nothing missing: {failing(verdict)}")
            for build in builds:
                console.print(f"{build.name} …", style="dim")
                told.append(await tell(made, build))
                for line in told[-1].wrong:
                    console.print(f"  {line}", style="red")
    return told


def main() -> int:
    """Exit with 1 when a build passed, or failed for another reason."""
    parser = argparse.ArgumentParser(prog="make sabotage", description=__doc__)
    parser.add_argument("--only", default="", help="builds whose name has this in it")
    chosen, console = parser.parse_args(), Console(stderr=True)
    logs.configure(level="critical")
    builds = [build for build in (*BUILDS, *SMOKED) if chosen.only in build.name]
    if not builds:
        parser.error(f"--only {chosen.only}: no build has this in its name")
    directory = Path(tempfile.mkdtemp(prefix="sendonce-sabotage-"))
    # The embedded Postgres may run as a lesser account, which must reach its directory.
    directory.chmod(0o755)
    told = asyncio.run(all_of(builds, directory, console))
    out = Console()
    out.width = max(out.width, WIDE)
    out.print(table(told))
    wrong = [one for one in told if one.wrong]
    if wrong:
        console.print(f"logs: {directory}", soft_wrap=True)
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
