"""`make outages`: each dependency away for longer than every lease and timeout, none of them shortened."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from chassis import logs
from outages.absences import ABSENCES, Absence
from outages.report import as_json, table
from outages.run import SHOWS_WITHIN, Told, outage

AWAY: Final = 150.0  # seconds; the longest lease and the longest ack_wait are two minutes
PATIENCE: Final = (
    300.0  # seconds to catch up: the last leases run out, and backlog keeps Telegram's pace
)
WIDE: Final = 110  # columns the table of all needs where nobody says how wide the terminal is
DEPENDENCIES: Final = ("nats", "postgres", "kie", "telegram")


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make outages", description=__doc__)
    parser.add_argument("--only", choices=DEPENDENCIES, help="let nothing else be away")
    parser.add_argument("--seconds", type=float, default=AWAY, help="for how long, each time")
    parser.add_argument("--json", type=Path, help="where the report goes, besides the table")
    chosen = parser.parse_args(given)
    if chosen.seconds <= SHOWS_WITHIN:
        parser.error(
            f"--seconds: /readyz may take {SHOWS_WITHIN:.0f} s to say that something is away"
        )
    return chosen


def suffered(absence: Absence, seconds: float, console: Console) -> Told:
    """Have one outage on servers of its own; logs and data stay only when a promise was broken."""
    directory = Path(tempfile.mkdtemp(prefix="sendonce-outage-"))
    # The embedded Postgres may run as a lesser account, which must reach its directory.
    directory.chmod(0o755)
    is_clean = False
    try:
        told = asyncio.run(outage(absence, directory, seconds=seconds, patience=PATIENCE))
        is_clean = not told.wrong
        return told
    finally:
        if is_clean:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            console.print(f"logs and data of this outage: {directory}", soft_wrap=True)


def main() -> int:
    """Exit with 1 when a promise was broken."""
    chosen, console = arguments(sys.argv[1:]), Console(stderr=True)
    logs.configure(level="critical")  # clients of a server that is away have much to say
    told = []
    for absence in ABSENCES:
        if chosen.only and not absence.name.startswith(chosen.only):
            continue
        console.print(f"{absence.name} for {chosen.seconds:.0f} s …", style="dim")
        told.append(suffered(absence, chosen.seconds, console))
        if chosen.json is not None:
            chosen.json.parent.mkdir(parents=True, exist_ok=True)
            chosen.json.write_text(as_json(told) + "\n", "utf-8")
    out = Console()
    out.width = max(out.width, WIDE)
    out.print(table(told))
    return 1 if any(one.wrong for one in told) else 0


if __name__ == "__main__":
    sys.exit(main())
