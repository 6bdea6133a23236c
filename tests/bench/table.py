"""The figures on a terminal."""

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from bench.figures import Aim, Figure

WIDE: Final = 165  # columns; narrower terminals leave out the notes
VERDICT: Final = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print one table, a section for each scenario."""
    is_wide = console.width >= WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "figure"):
        table.add_column(heading, no_wrap=not heading)
    for heading in ("sendonce", "yardstick", "ratio", "target", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    scenario = ""
    for figure in figures:
        if scenario and figure.scenario != scenario:
            table.add_section()
        table.add_row(
            figure.scenario if figure.scenario != scenario else "",
            f"{figure.name}  [dim]{figure.note}[/]" if figure.note and is_wide else figure.name,
            with_unit(figure.value, figure.unit),
            "" if figure.yardstick is None else with_unit(figure.yardstick, figure.unit),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            aim_of(figure),
            VERDICT[figure.is_met],
        )
        scenario = figure.scenario
    console.print(table)


def aim_of(figure: Figure) -> str:
    """The target in words."""
    if figure.target is None:
        return ""
    sign = "≥" if figure.target.aim is Aim.AT_LEAST else "≤"
    if figure.target.of_ratio:
        return f"{sign} {figure.target.bound:g} ×"
    return f"{sign} {with_unit(figure.target.bound, figure.unit)}"


def with_unit(value: float, unit: str) -> str:
    """A number with as many digits as it deserves."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()
