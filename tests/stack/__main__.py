"""`make stack`: the compose files on a real Docker engine; prints what was seen, as JSON."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from chassis import logs
from stack.load import Broken, Figures
from stack.run import run
from stack.scenes import SCENES
from testkit.servers.sources import docker_engine_answers


def main() -> int:
    """Exit with 1 when a promise was broken, with 2 when there is no engine."""
    parser = argparse.ArgumentParser(prog="make stack", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], choices=[name for name in SCENES if name != "up"]
    )
    parser.add_argument(
        "--built", action="store_true", help="the images are there: sendonce/*:0.1.0 and 0.1.1"
    )
    parser.add_argument("--json", type=Path, help="where the report goes; else it is printed")
    chosen, console, began = parser.parse_args(), Console(stderr=True), time.monotonic()
    logs.configure(level="critical")  # clients of a server that is killed have much to say
    if not docker_engine_answers():
        console.print("no Docker engine answers here")
        return 2

    def say(text: str) -> None:
        console.print(
            f"{time.monotonic() - began:6.1f} s  {text}", style="dim", markup=False, soft_wrap=True
        )

    told: dict[str, Figures] = {}
    directory, code = Path(tempfile.mkdtemp(prefix="sendonce-stack-")), 0
    try:
        asyncio.run(run(directory, told, say=say, only=chosen.only, built=chosen.built))
    except* Broken as broken:
        for each in broken.exceptions:
            console.print(f"broken: {each}", markup=False, soft_wrap=True)
        code = 1
    report = json.dumps(told, indent=1) + "\n"
    if chosen.json is None:
        sys.stdout.write(report)
    else:
        chosen.json.write_text(report, "utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
