"""Every threat in docs/security.md names what shows it, and that exists."""

from functools import cache
from pathlib import Path
from re import compile as pattern
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "security.md"
HEADING: Final = "## Threat model"
THREATS: Final = (
    *("forged callback", "replayed callback", "result link", "captions", "bot token", "KIE key"),
    *("callback key", "NATS seed", "password", "one bot against another", "callback-gateway taken"),
    *("submitter or reconciler taken", "deliverer taken", "job-store taken"),
    *("answers of KIE", "answers of Telegram", "network"),
)
_NAMED: Final = pattern(r"`([^`]+)`")
_COLUMNS: Final = 4


@cache
def rows() -> dict[str, tuple[str, ...]]:
    """The last three columns of each threat."""
    section = PAGE.read_text("utf-8").partition(HEADING)[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:2] == "| "]
    assert all(len(each) == _COLUMNS for each in cells), "a row has another number of columns"
    return {threat: tuple(rest) for threat, *rest in cells[1:]}


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_of_ours_stands_there(threat: str) -> None:
    assert [row for row in rows() if threat in row]


@pytest.mark.parametrize("threat", rows())
def test_a_threat_says_what_stops_it_what_remains_and_what_shows_it(threat: str) -> None:
    stops, remains, shown = rows()[threat]
    named = _NAMED.findall(shown)

    assert stops
    assert remains
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
