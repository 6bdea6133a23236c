"""Periodic loops: woken or due, and never dead."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from chassis import loops
from chassis.loops import Periodic
from chassis_servers import until

HOUR = timedelta(hours=1)


async def running(loop: Periodic, law: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.create_task(loop.run(asyncio.Event()))
    try:
        await law()
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):  # asked for in the line above
            await task


class Rounds:
    """Counts rounds; says more work `more` times; fails `bad` times."""

    def __init__(self, *, more: int = 0, bad: int = 0) -> None:
        self.count = 0
        self.more = more
        self.bad = bad

    async def __call__(self) -> bool:
        self.count += 1
        if self.count <= self.bad:
            raise RuntimeError("away")
        return self.count <= self.more


async def test_the_first_round_is_at_once_and_the_next_when_woken() -> None:
    rounds = Rounds()
    loop = Periodic("test", rounds, every=HOUR)

    async def law() -> None:
        await until(lambda: rounds.count == 1)
        loop.wake()
        await until(lambda: rounds.count == 2)

    await running(loop, law)


async def test_more_work_is_done_without_waiting() -> None:
    rounds = Rounds(more=20)

    async def law() -> None:
        await until(lambda: rounds.count == 21)

    await running(Periodic("test", rounds, every=HOUR), law)


async def test_a_due_round_comes_without_a_wake() -> None:
    rounds = Rounds()

    async def law() -> None:
        await until(lambda: rounds.count >= 3)

    await running(Periodic("test", rounds, every=timedelta(seconds=0.02)), law)


async def test_errors_do_not_end_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", timedelta(seconds=0.01))
    rounds = Rounds(bad=3)

    async def law() -> None:
        await until(lambda: rounds.count >= 4)

    await running(Periodic("test", rounds, every=HOUR), law)


@pytest.mark.parametrize(
    "problem, traces", [(ConnectionRefusedError(111, "refused"), 0), (RuntimeError("a bug"), 1)]
)
async def test_an_absent_server_is_told_in_a_line_and_a_bug_with_its_trace(
    problem: Exception, traces: int
) -> None:
    async def fails() -> bool:
        raise problem

    async def law() -> None:
        await until(lambda: any(each["event"] == "loop.paused" for each in told))

    with capture_logs() as told:
        await running(Periodic("test", fails, every=HOUR), law)

    assert [each["event"] for each in told].count("loop.failed") == traces


async def test_a_cancellation_that_a_round_swallowed_still_ends_the_loop() -> None:
    begun = asyncio.Event()

    async def swallow() -> bool:
        begun.set()
        with suppress(asyncio.CancelledError):  # as wait_for does in Python 3.11
            await asyncio.Event().wait()
        return True

    task = asyncio.create_task(Periodic("test", swallow, every=HOUR).run(asyncio.Event()))
    await begun.wait()
    task.cancel()

    await asyncio.wait_for(asyncio.wait({task}), 2)
    assert task.cancelled()


async def test_a_wake_during_a_round_is_not_lost() -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    count = 0

    async def slow() -> bool:
        nonlocal count
        count += 1
        begun.set()
        await go.wait()
        return False

    loop = Periodic("test", slow, every=HOUR)

    async def law() -> None:
        await begun.wait()
        loop.wake()
        go.set()
        await until(lambda: count == 2)

    await running(loop, law)
