"""Every guard `make mutants` takes out stands where it says, once, and its tests exist."""

from pathlib import Path

import pytest

from mutants.guards import GUARDS, Guard

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_where_it_is_taken_out(guard: Guard) -> None:
    assert (ROOT / guard.file).read_text("utf-8").count(guard.stands) == 1
    assert guard.without != guard.stands
    assert [node for node in guard.tests if not (ROOT / node.partition("::")[0]).exists()] == []
