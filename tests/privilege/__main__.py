"""`make privilege`: take away one right after the other, run who needs it, print what failed."""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from rich.console import Console
from rich.table import Table

from chassis import logs
from contracts.permissions import permissions
from grants_kit import Grant, grants
from job_store.migrate import migrate_bus, migrate_database
from job_store.privileges import READER_ROLE
from mutants.__main__ import failing, notice
from mutants.guards import STORE, STORE_TESTS, Guard
from privilege.ground import EVERYBODY, Ground, ground
from privilege.playing import breaks, play
from privilege.scenes import SCENES
from testkit.servers import Durability, PostgresServer

CONSOLE: Final = Console()
# The verbs of the store, those that need most first; the reader has no verbs of its own.
VERBS: Final = tuple(
    f"{STORE_TESTS}/test_{name}.py"
    for name in (
        "quiet_verbs",
        "lifecycle",
        "task_laws",
        "repairs",
        "standing",
        "lineage",
        "store_delivery",
        "retention",
        "forgetting",
        "users",
        "schema",
    )
)
LOOKS: Final = (f"{STORE_TESTS}/test_privileges.py::test_a_role_can_run_all_it_needs",)
LAST_GRANT: Final = "GRANT SELECT ON sendonce.pacing TO sendonce_reader;\n"


@dataclass(frozen=True, slots=True)
class Broke:
    """What failed without a right; nothing is the answer nobody wants."""

    right: str
    by: str | None
    seconds: float


async def of_nats(only: str) -> list[Broke]:
    """Take away NATS' rights on a running server."""
    found = []
    async with standing() as on:
        CONSOLE.print("every scene, with all rights …", style="dim")
        played = {scene.__name__: await play(scene, on) for scene in SCENES}
        for name, one in played.items():
            if one.problem is not None or one.refused:
                raise SystemExit(f"{name} fails already with all rights: {one.problem!r}")
        for row in (row for user in EVERYBODY for row in permissions(user)):
            right = f"{row.user} {row.right} {row.subject}"
            if only in right:
                CONSOLE.print(f"without {right} …", style="dim")
                began = monotonic()
                found.append(Broke(right, await breaks(row, on, played), monotonic() - began))
    return found


@asynccontextmanager
async def standing() -> AsyncIterator[Ground]:
    """Start the servers, with everything made."""
    with tempfile.TemporaryDirectory(prefix="privilege-", ignore_cleanup_errors=True) as room:
        directory = Path(room)
        directory.chmod(0o755)  # the embedded Postgres may run as a lesser account
        async with PostgresServer(directory / "postgres", durability=Durability.KILL) as postgres:
            await migrate_database(postgres.url)
            async with ground(directory, database_url=postgres.url) as on:
                await migrate_bus(on.nats.url, creds=on.creds("migrate"))
                yield on


def of_postgres(only: str) -> list[Broke]:
    """Take away Postgres' rights, one run of tests for each."""
    chosen = [grant for grant in grants() if only in str(grant)]
    if chosen and (broken := failing((*VERBS, *LOOKS))):
        raise SystemExit(f"{broken[0]} fails already with all rights")
    found = []
    for grant in chosen:
        CONSOLE.print(f"without {grant} …", style="dim")
        noticed = notice(_without(grant))
        by = noticed.by[0].rpartition("/")[2] if noticed.by else None
        found.append(Broke(str(grant), by, noticed.seconds))
    return found


def _without(grant: Grant) -> Guard:
    return Guard(
        name=str(grant),
        file=f"{STORE}/grants.sql",
        stands=LAST_GRANT,
        without=f"{LAST_GRANT}REVOKE {grant.phrase} FROM {grant.role};\n",
        tests=LOOKS if grant.role == READER_ROLE else VERBS,
    )


def table(found: Sequence[Broke]) -> Table:
    """One row a right."""
    made = Table("without", "fails", "s", title="is every right needed?")
    for each in found:
        style = None if each.by else "red"
        made.add_row(each.right, each.by or "nothing", f"{each.seconds:.0f}", style=style)
    return made


def main() -> int:
    """Exit with 1 when a right is spare."""
    parser = argparse.ArgumentParser(prog="make privilege", description=__doc__)
    parser.add_argument("--only", default="", help="rights whose text has this in it")
    parser.add_argument("--of", choices=("nats", "postgres"), help="of this server alone")
    chosen = parser.parse_args()
    logs.configure(level="critical")
    logging.disable(logging.CRITICAL)
    found = [] if chosen.of == "postgres" else asyncio.run(of_nats(chosen.only))
    if chosen.of != "nats":
        found += of_postgres(chosen.only)
    CONSOLE.print(table(found))
    return 0 if all(each.by for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
