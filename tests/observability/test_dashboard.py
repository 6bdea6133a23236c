"""The dashboard asks for what the code counts, and shows it in order."""

from typing import Any

import pytest

from observability.promql import read
from observability.shipped import DASHBOARD, dashboard, dashboard_queries, panels
from observability.unknown import unknown_in
from observability.write_dashboard import WIDE, written


def test_the_dashboard_is_written_from_its_panels() -> None:
    assert written() == DASHBOARD.read_text("utf-8"), "run `make dashboard`"


@pytest.mark.parametrize("query", dashboard_queries())
def test_a_query_asks_for_what_the_code_counts(query: str) -> None:
    assert unknown_in(read(query)) == set()


def test_every_panel_says_what_it_shows_and_in_what() -> None:
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]


def test_no_panel_lies_on_another_or_beyond_the_edge() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        squares = squares_of(panel["gridPos"])
        assert not taken & squares, panel["title"]
        assert all(0 <= x < WIDE for x, _ in squares)
        taken |= squares


def squares_of(place: dict[str, Any]) -> set[tuple[int, int]]:
    across = range(place["x"], place["x"] + place["w"])
    return {(x, y) for x in across for y in range(place["y"], place["y"] + place["h"])}


def test_panels_are_told_apart_by_number_and_queries_by_letter() -> None:
    numbers = [panel["id"] for panel in dashboard()["panels"]]
    letters = [[target["refId"] for target in panel["targets"]] for panel in panels()]

    assert len(numbers) == len(set(numbers))
    assert all(len(each) == len(set(each)) for each in letters)
