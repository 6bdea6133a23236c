"""`make upgrade FROM=<git ref>`: that version and this one side by side under load, forward, back and forward again."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from chassis import logs
from upgrade.report import as_json, table
from upgrade.run import Told, run
from upgrade.versions import NoSuchVersion, Version, another, this

WIDE: Final = 100  # columns the table needs where nobody says how wide the terminal is


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make upgrade", description=__doc__)
    parser.add_argument("--from", dest="ref", required=True, help="git ref of the older version")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each phase lasts")
    parser.add_argument("--every", type=float, default=0.4, help="seconds between two jobs")
    parser.add_argument("--seed", type=int, default=1, help="draws jobs and the order of services")
    parser.add_argument("--json", type=Path, help="where the report goes, besides the table")
    return parser.parse_args(given)


def upgraded(chosen: argparse.Namespace, old: Version, console: Console) -> Told:
    """Upgrade once; what the run left behind stays only when a promise was broken."""
    directory = Path(tempfile.mkdtemp(prefix="sendonce-upgrade-"))
    # The embedded Postgres may run as a lesser account, which must reach its directory.
    directory.chmod(0o755)
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {text}", style="dim", soft_wrap=True)

    pace = {"seconds": chosen.seconds, "every": chosen.every, "seed": chosen.seed}
    is_clean = False
    try:
        told = asyncio.run(run(directory, old=old, new=this(), say=say, **pace))
        is_clean = not told.wrong
        return told
    finally:
        if is_clean:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            console.print(f"logs and data of this run: {directory}", soft_wrap=True)


def main() -> int:
    """Exit with 1 when a promise was broken, with 2 when there is no such version."""
    chosen, console = arguments(sys.argv[1:]), Console(stderr=True)
    logs.configure(level="critical")  # clients of what is replaced have much to say
    try:
        old = another(chosen.ref, lambda text: console.print(text, style="dim", soft_wrap=True))
    except NoSuchVersion as trouble:
        console.print(str(trouble), style="red", soft_wrap=True)
        return 2
    told = upgraded(chosen, old, console)
    if chosen.json is not None:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(as_json(told), indent=1) + "\n", "utf-8")
    out = Console()
    out.width = max(out.width, WIDE)
    out.print(table(told))
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
