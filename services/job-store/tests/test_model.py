"""The store does what a simple model says, whatever happens in whatever order."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from driven_store import driven
from model_machine import StoreMachine

# Beyond its first ten examples Hypothesis mostly varies what it had: more rounds see more, `long` most.
ROUNDS = 1
STEPS = 40


@pytest.fixture
def new_machine(database_url: str) -> Iterator[Callable[[], StoreMachine]]:
    """Every example gets a machine of its own; all share one store and one loop."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        store = runner.run(stack.enter_async_context(driven(database_url)))
        try:
            yield lambda: StoreMachine(store, runner)
        finally:
            runner.run(stack.aclose())


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("no", range(ROUNDS))
def test_the_store_does_what_the_model_says(new_machine: Callable[[], StoreMachine], no: int):
    """`--hypothesis-profile=long` takes ten times as many examples."""
    sizes = settings(
        max_examples=settings().max_examples // 10,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(new_machine, settings=sizes)
