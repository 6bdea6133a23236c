"""`make chaos`: everything fails at once, by a seed; ends with the verdict of the one judge, as JSON."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from chaos.report import table
from chaos.run import Told, run
from chassis import logs


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long faults strike")
    parser.add_argument("--seed", type=int, default=1, help="draws jobs, faults and their moments")
    parser.add_argument("--runs", type=int, default=1, help="so many runs, with seeds that follow")
    parser.add_argument("--json", type=Path, help="where the report goes; else it is printed")
    return parser.parse_args(given)


def fought(chosen: argparse.Namespace, seed: int, console: Console) -> Told:
    """Run once; what a run left behind stays only when a promise was broken."""
    directory = Path(tempfile.mkdtemp(prefix="sendonce-chaos-"))
    # The embedded Postgres may run as a lesser account, which must reach its directory.
    directory.chmod(0o755)
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {text}", style="dim", soft_wrap=True)

    is_clean = False
    try:
        told = asyncio.run(run(directory, seconds=chosen.seconds, seed=seed, say=say))
        is_clean = told.is_clean
        return told
    finally:
        if is_clean:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            console.print(f"logs and data of this run: {directory}", soft_wrap=True)


def written(told: Sequence[Told]) -> str:
    """Return the report."""
    return json.dumps([one.as_json() for one in told], indent=1) + "\n"


def write(told: Sequence[Told], path: Path) -> None:
    """Put the report where it was asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(told), "utf-8")


def main() -> int:
    """Exit with 1 when a promise was broken."""
    chosen, console = arguments(sys.argv[1:]), Console(stderr=True)
    logs.configure(level="critical")  # clients of a server that is killed have much to say
    told: list[Told] = []
    for seed in range(chosen.seed, chosen.seed + chosen.runs):
        told.append(fought(chosen, seed, console))
        console.print(table(told))
        if chosen.json is not None:  # after each run: a long series may be cut short
            write(told, chosen.json)
    if chosen.json is None:
        sys.stdout.write(written(told))
    return 0 if all(one.is_clean for one in told) else 1


if __name__ == "__main__":
    sys.exit(main())
