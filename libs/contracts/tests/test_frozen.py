"""The contracts against what was frozen: nothing that somebody still says or reads has become unreadable."""

from compatibility import Verdict
from contracts.message import SCHEMA_VERSION
from frozen import (
    CURRENT,
    current,
    digests,
    digests_today,
    edited,
    freeze,
    incompatible,
    versions,
)

FREEZE = "freeze it: python libs/contracts/tests/frozen.py"


def test_fault_35_60_nothing_incompatible_has_happened() -> None:
    assert incompatible(current()) == []


def test_every_change_is_frozen_with_the_commit_that_makes_it() -> None:
    assert versions()[SCHEMA_VERSION] == current(), FREEZE


def test_every_schema_version_is_frozen() -> None:
    assert sorted(versions()) == list(range(1, SCHEMA_VERSION + 1))


def test_no_frozen_sample_was_edited() -> None:
    assert edited() == []


def test_every_sample_is_frozen() -> None:
    assert digests_today().keys() == digests().keys(), FREEZE


def test_an_incompatible_change_is_seen() -> None:
    today = current()
    without = {name: schema for name, schema in today.items() if name != "ReportReceived"}

    assert [(one.name, one.at) for one in incompatible(without)] == [
        ("class_removed", "ReportReceived")
    ]
    assert all(one.verdict is Verdict.REFUSED for one in incompatible(without))


def test_what_is_incompatible_cannot_be_frozen() -> None:
    before = CURRENT.read_bytes()
    without = {name: schema for name, schema in current().items() if name != "ReportReceived"}

    assert list(freeze(without)) == ["class_removed at ReportReceived (refused)"]
    assert CURRENT.read_bytes() == before
