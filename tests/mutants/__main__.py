"""`make mutants`: take out one guard after the other, run who should notice, print who did."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from mutants.guards import GUARDS, Guard

ROOT: Final = Path(__file__).parents[2]
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
WITHIN: Final = 300.0  # seconds for the tests of one guard
TESTS_FAILED: Final = 1  # pytest's exit code


@dataclass(frozen=True, slots=True)
class Noticed:
    """Which tests failed without a guard, and how long that took."""

    guard: Guard
    by: tuple[str, ...]
    seconds: float


def notice(guard: Guard) -> Noticed:
    """Run the guard's tests on a copy of its package that lacks it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as room:
        failed = failing(guard.tests, before=overlaid(guard, Path(room)))
    return Noticed(guard, failed, time.monotonic() - began)


def failing(tests: Sequence[str], *, before: Path | None = None) -> tuple[str, ...]:
    """Run tests until one fails; code in `before` stands before the real one."""
    command = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)
    code = {"PYTHONPATH": str(before)} if before else {}
    env = os.environ | code  # noqa: TID251 - handed on to the tests
    ran = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=WITHIN, check=False
    )
    if ran.returncode not in (0, TESTS_FAILED):
        raise RuntimeError(f"pytest ended with {ran.returncode}\n{ran.stdout[-2_000:]}")
    return tuple(FAILED.findall(ran.stdout))


def overlaid(guard: Guard, room: Path) -> Path:
    """Copy the package a guard stands in, without it; returns what to put before the real one."""
    file = ROOT / guard.file
    text = file.read_text("utf-8")
    if text.count(guard.stands) != 1:
        raise LookupError(f"{guard.name}: stands {text.count(guard.stands)} times in {guard.file}")
    source = next(parent for parent in file.parents if parent.name == "src")
    copy = room / "src"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / file.relative_to(source)).write_text(text.replace(guard.stands, guard.without), "utf-8")
    return copy


def table(found: Sequence[Noticed]) -> Table:
    """One row a guard."""
    made = Table("without", "noticed by", "s", title="does the proof bite?")
    for each in found:
        by = each.by[0].rpartition("/")[2] if each.by else "nobody"
        made.add_row(each.guard.name, by, f"{each.seconds:.0f}", style=None if each.by else "red")
    return made


def main() -> int:
    """Exit with 1 when a guard is missed by nobody."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", help="guards whose name has this in it")
    chosen, console = parser.parse_args(), Console()
    guards = [guard for guard in GUARDS if chosen.only in guard.name]
    console.print("with every guard …", style="dim")
    broken = failing(sorted({test for guard in guards for test in guard.tests}))
    if broken:
        console.print(f"fails already with every guard in its place: {broken[0]}", style="red")
        return 1
    found = []
    for guard in guards:
        console.print(f"without {guard.name} …", style="dim")
        found.append(notice(guard))
    console.print(table(found))
    return 0 if all(each.by for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
