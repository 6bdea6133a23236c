"""The store does what a simple model says, whatever happens in whatever order."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from driven_journal import driven_journal
from driven_store import DrivenStore, driven
from model_machine import StoreMachine

# Beyond its first ten examples Hypothesis mostly varies what it had: more rounds see more, `long` most.
ROUNDS = 1
STEPS = 40


@contextmanager
def machines(
    opened: AbstractAsyncContextManager[DrivenStore],
) -> Iterator[Callable[[], StoreMachine]]:
    """Every example gets a machine of its own; all share one store and one loop."""
    with asyncio.Runner() as runner:
        store = runner.run(opened.__aenter__())
        try:
            yield lambda: StoreMachine(store, runner)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def compare(new_machine: Callable[[], StoreMachine]) -> None:
    sizes = settings(
        max_examples=settings().max_examples // 10,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(new_machine, settings=sizes)


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("no", range(ROUNDS))
def test_the_store_does_what_the_model_says(database_url: str, no: int):
    """`--hypothesis-profile=long` takes ten times as many examples."""
    with machines(driven(database_url)) as new_machine:
        compare(new_machine)


@pytest.mark.timeout(3_600)
def test_the_journal_does_what_the_model_says():
    """As above."""
    with machines(driven_journal()) as new_machine:
        compare(new_machine)
