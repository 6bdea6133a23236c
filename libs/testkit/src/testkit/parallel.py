"""Tests in many processes at once, for pytest-xdist; in one process nothing here has a say.

A test marked `alone` measures time: it waits until no other test of the run is under way, and
the others wait for it. They come last, so that the processes wait for each other only once.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest

from testkit.turns import Turns

ALONE = "alone"
PER_CORE = 2  # most tests wait: for a server, for a process, for a deadline
AT_MOST = 8  # every process collects all tests and starts a Postgres of its own
TURNS = "sendonce_turns"
RUN = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


class Worker(Protocol):
    """What pytest-xdist shows of a process it is about to start."""

    config: pytest.Config
    workerinput: dict[str, str]


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` means."""
    return min(PER_CORE * (os.cpu_count() or 1), AT_MOST)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Worker) -> None:
    """Tell each process where the run takes its turns."""
    stash = node.config.stash
    if RUN not in stash:
        stash[RUN] = tempfile.TemporaryDirectory(prefix="sendonce-turns-")
        node.config.add_cleanup(stash[RUN].cleanup)
    node.workerinput[TURNS] = stash[RUN].name


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", f"{ALONE}: measures time; runs while no other test does")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first, so that none is left over at the end; those who want to be alone last."""
    if turns_of(config) is not None:
        items.sort(key=place)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Take a turn; outside the test's timeout, which is for the test."""
    turns = turns_of(item.config)
    if turns is None:
        return (yield)
    with turn(turns, item):
        return (yield)


def turn(turns: Turns, item: pytest.Item) -> AbstractContextManager[None]:
    """The turn this test asks for."""
    return turns.alone() if marked(item, ALONE) else turns.together()


def turns_of(config: pytest.Config) -> Turns | None:
    """Where this process takes its turns, when there are others."""
    given: dict[str, str] = getattr(config, "workerinput", {})
    return Turns(Path(given[TURNS])) if TURNS in given else None


def place(item: pytest.Item) -> int:
    """Where in the run a test stands."""
    if marked(item, ALONE):
        return 2
    return 0 if marked(item, "e2e") else 1


def marked(item: pytest.Item, name: str) -> bool:
    """True when the test, its class or its file bears the mark."""
    return item.get_closest_marker(name) is not None
