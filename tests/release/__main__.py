"""`make release-check`: everything that must hold before this version is tagged, an item a line."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chassis import clock
from release import built, kept, tree, versions, written
from release.found import Found

ROOT: Final = Path(__file__).parents[2]
NAMED: Final = 6  # troubles of one item that the table names
WIDE: Final = 100  # columns where nobody says how wide the terminal is

ITEMS: Final[Mapping[str, Callable[[Path], Found]]] = {
    "versions": versions.versions_agree,
    "changelog": lambda root: versions.changelog_is_dated(root, today=clock.SYSTEM.now().date()),
    "migrations": kept.migrations_hold,
    "kept": kept.version_is_kept,
    "generated": written.generated_is_committed,
    "locks": written.locks_are_fresh,
    "wheels": built.wheels_are_whole,
    "sbom": built.bill_can_be_made,
    "advisories": built.no_known_holes,
    "tree": tree.tree_is_clean,
}


def main() -> int:
    """Exit with 1 when anything stands in the way; a warning does not, and is seen."""
    parser = argparse.ArgumentParser(prog="make release-check", description=__doc__)
    parser.add_argument("--only", choices=ITEMS, help="look at one item")
    parser.add_argument("--json", type=Path, help="where the report goes, besides the table")
    chosen, console = parser.parse_args(), Console(stderr=True)
    looked: dict[str, Found] = {}
    for name, look in ITEMS.items():
        if chosen.only in (None, name):
            console.print(f"{name} …", style="dim")
            looked[name] = look(ROOT)
    if chosen.json is not None:
        chosen.json.write_text(as_json(looked), "utf-8")
    out = Console()
    out.width = max(out.width, WIDE)
    out.print(table(looked))
    return 0 if all(each.holds for each in looked.values()) else 1


def table(looked: Mapping[str, Found]) -> Table:
    """Return a row an item, and what stands in the way below it."""
    rows = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, each in looked.items():
        verdict = Text("no", "bold red")
        if each.holds:
            verdict = Text("warning", "yellow") if each.warnings else Text("yes", "green")
        lines = [*each.troubles[:NAMED], *each.warnings] or [each.said]
        if len(each.troubles) > NAMED:
            lines.append(f"and {len(each.troubles) - NAMED} more")
        rows.add_row(name, verdict, "\n".join(lines))
    return rows


def as_json(looked: Mapping[str, Found]) -> str:
    """Return what a program reads."""
    figures = {
        name: {"holds": each.holds, "troubles": each.troubles, "warnings": each.warnings}
        for name, each in looked.items()
    }
    return json.dumps(figures, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
