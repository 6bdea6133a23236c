"""`make bench`: measure, print a table, write the figures and a chart."""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from bench import chart, table
from bench.figures import Figure
from bench.ground import ground
from bench.run import Run
from bench.scenarios import SCENARIOS
from chassis import logs

OUT: Final = Path(".sendonce/bench")


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes instead of eight")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), metavar="NAME",
                        help=f"one of {', '.join(SCENARIOS)}; may be repeated")  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="DIR",
                        help="an empty directory that keeps data and logs")  # fmt: skip
    parser.add_argument("--json", type=Path, default=OUT / "figures.json")
    parser.add_argument("--svg", type=Path, default=OUT / "figures.svg")
    return parser.parse_args(given)


async def measure(
    chosen: argparse.Namespace, directory: Path, console: Console
) -> tuple[list[Figure], list[str]]:
    """Run the scenarios on the same servers; returns the figures and the scenarios that failed."""
    figures: list[Figure] = []
    failed: list[str] = []
    async with ground(directory) as standing:
        run = Run(ground=standing, quick=chosen.quick, say=lambda said: _say(console, said))
        for name in chosen.only or SCENARIOS:
            began = time.monotonic()
            try:
                figures += await SCENARIOS[name](run)
            except Exception:  # noqa: BLE001 - the others are still worth measuring
                console.print_exception(max_frames=4)
                failed.append(name)
            _say(console, f"{name}: {time.monotonic() - began:.0f} s")
    return figures, failed


@contextmanager
def _directory(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="sendonce-bench-") as directory:
        # Postgres may have to run as another account.
        Path(directory).chmod(0o755)
        yield Path(directory)


def _say(console: Console, said: str) -> None:
    console.print(f"[dim]{said}[/]", highlight=False)


def main() -> int:
    """Measure and tell; a missed target is told, not punished."""
    chosen = arguments(sys.argv[1:])
    logs.configure(output="console", level="warning", service="bench")
    console = Console()
    began = time.monotonic()
    with (
        _directory(chosen.keep) as directory,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        figures, failed = runner.run(measure(chosen, directory, console))
    seconds = time.monotonic() - began
    table.show(figures, console)
    written = {
        "machine": machine(),
        "mode": "quick" if chosen.quick else "full",
        "seconds": round(seconds),
        "failed": failed,
        "figures": [asdict(figure) | {"is_met": figure.is_met} for figure in figures],
    }
    for path, text in (
        (chosen.json, json.dumps(written, indent=1) + "\n"),
        (chosen.svg, chart.drawn(figures)),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}[/]")
    console.print(f"{seconds:.0f} s · {chosen.json} · {chosen.svg}", highlight=False)
    return 1 if failed else 0


def machine() -> dict[str, str | int | None]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
