"""The arithmetic and the picture; nothing is measured here."""

import xml.etree.ElementTree as ET

import pytest

from bench import chart
from bench.figures import Figure, Name, at_least, at_most, beside, percentile, ratio_at_least
from bench.table import aim_of, with_unit

RATE = Name("burst", "results delivered", "/s")


@pytest.mark.parametrize("share,expected", [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_a_value_that_was_measured(share, expected):
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_the_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_ratio_is_of_rounds_that_stood_side_by_side():
    """The machine was slow in the second round: both sides were, so the ratio does not move."""
    figure = beside(RATE, [100, 10, 100], [200, 20, 200], target=ratio_at_least(0.7))

    assert (figure.value, figure.yardstick, figure.ratio) == (100, 200, 0.5)
    assert figure.is_met is False


def test_rounds_without_a_counterpart_are_refused():
    with pytest.raises(ValueError, match="zip"):
        beside(RATE, [1, 2], [1])


@pytest.mark.parametrize(
    "target,value,met",
    [(at_least(95), 95, True), (at_least(95), 94.9, False), (at_most(0), 1, False)],
)
def test_a_target_is_met_at_its_bound(target, value, met):
    figure = Figure(scenario="s", name="n", unit="%", value=value, target=target)

    assert figure.is_met is met


def test_numbers_carry_their_unit_and_no_false_digits():
    assert [with_unit(value, "ms") for value in (1234.5, 12.345, 1.2345, 3.0)] == [
        "1,234 ms",
        "12.3 ms",
        "1.23 ms",
        "3 ms",
    ]
    figure = beside(RATE, [1], [1], target=ratio_at_least(0.7))
    assert aim_of(figure) == "≥ 0.7 ×"


def test_the_picture_is_well_formed_and_shows_every_compared_figure():
    figures = [
        beside(RATE, [300], [500], target=ratio_at_least(0.7)),
        Figure(scenario="a<b", name="calls refused", unit="", value=2, target=at_most(0)),
        Figure(scenario="start", name="not in the picture", unit="s", value=1),
    ]

    texts = [node.text for node in ET.fromstring(chart.drawn(figures)).iter() if node.text]

    assert "burst: results delivered" in texts
    assert "a<b: calls refused" in texts
    assert not any("not in the picture" in text for text in texts)
