"""The table of the sixty faults in docs/reliability.md says what the code says: where each is tried."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reliability.md"
HEADING: Final = "## Sixty faults"
COUNT: Final = 60
FOLDERS: Final = ("services", "libs", "tools", "tests")
CHAOS: Final = "tests/chaos/schedule.py"

_NUMBERS: Final = re.compile(r"fault((?:_\d{1,2})+)(?![0-9])")
_NAMED: Final = re.compile(r"`([^`]+)`")
_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One fault as the page has it."""

    number: int
    fault: str
    tried: str
    ends: str

    @property
    def places(self) -> set[str]:
        """The files and kinds of chaos it names."""
        return set(_NAMED.findall(self.tried))


@cache
def rows() -> tuple[Row, ...]:
    """Read the table."""
    section = PAGE.read_text("utf-8").partition(HEADING)[2].partition("\n## ")[0]
    cells = (line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] != "|--")
    return tuple(
        Row(int(number), *rest)
        for number, *rest in (each for each in cells if len(each) == _COLUMNS)
        if number.isdecimal()
    )


def numbers_in(name: str) -> set[int]:
    return {int(one) for found in _NUMBERS.findall(name) for one in found.strip("_").split("_")}


def numbered_tests() -> Iterator[tuple[str, str]]:
    """Every numbered test of the repository: its file and its name."""
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and node.name.startswith("test_"):
                yield path.relative_to(ROOT).as_posix(), node.name


def kinds() -> Iterator[tuple[str, str]]:
    """Every kind of chaos that has numbers: its name and they."""
    for node in ast.walk(ast.parse((ROOT / CHAOS).read_bytes())):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == "FAULTS"
            and node.value is not None
        ):
            yield from ast.literal_eval(node.value).items()


@cache
def places() -> dict[int, frozenset[str]]:
    """Where the code tries each fault: files of tests, and kinds of chaos."""
    found: dict[int, set[str]] = {}
    for place, name in (*numbered_tests(), *kinds()):
        for number in numbers_in(name):
            found.setdefault(number, set()).add(place)
    return {number: frozenset(names) for number, names in found.items()}


def test_the_table_has_every_fault_once_in_order() -> None:
    assert [row.number for row in rows()] == list(range(1, COUNT + 1))
    assert all(row.fault and row.ends for row in rows())


def test_no_test_and_no_kind_has_a_number_that_the_table_lacks() -> None:
    assert places().keys() <= {row.number for row in rows()}


@pytest.mark.parametrize("number", range(1, COUNT + 1))
def test_a_row_names_exactly_where_its_fault_is_tried(number: int) -> None:
    (row,) = [row for row in rows() if row.number == number]
    tried = places().get(number, frozenset())

    assert row.places == tried
    assert tried or row.tried.startswith("not tried: "), "no test, and no reason why not"


def test_the_number_stands_at_the_head_of_a_name() -> None:
    late = [name for _, name in numbered_tests() if numbers_in(name) and name[:11] != "test_fault_"]
    assert late == []


def test_a_name_may_carry_several_numbers() -> None:
    assert numbers_in("test_fault_04_28_an_outage_of_9_seconds") == {4, 28}
    assert numbers_in("test_a_default_of_3") == set()
