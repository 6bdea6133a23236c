"""Coalescing: callers share batches, and a poison item costs only itself."""

import asyncio

import pytest

from chassis import clock
from chassis.coalesce import Coalescer, Outage


class Recorder:
    """Notes its batches; can be held, refuse an item, or be away."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.poison: set[int] = set()
        self.away = False

    async def apply(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.gate.wait()
        if self.away:
            raise Outage("away")
        if bad := self.poison.intersection(items):
            raise ValueError(bad)
        return [item * 10 for item in items]


async def test_the_first_goes_at_once_and_the_next_batch_fills_meanwhile() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    coalescer = Coalescer(recorder.apply, max_batch=100)

    first = coalescer.submit(1)
    await clock.SYSTEM.sleep(0)
    rest = [coalescer.submit(n) for n in range(2, 6)]
    recorder.gate.set()

    assert await asyncio.gather(first, *rest) == [10, 20, 30, 40, 50]
    assert recorder.batches == [[1], [2, 3, 4, 5]]


async def test_batches_keep_their_bounds() -> None:
    recorder = Recorder()
    coalescer = Coalescer(recorder.apply, max_batch=3, weight=lambda item: item, max_weight=10)

    await asyncio.gather(*(coalescer(n) for n in (1, 2, 3, 4, 9, 50, 1)))

    assert recorder.batches == [[1, 2, 3], [4], [9], [50], [1]]


async def test_a_poison_item_costs_only_itself() -> None:
    recorder = Recorder()
    recorder.poison = {3}
    coalescer = Coalescer(recorder.apply, max_batch=10)

    answers = await asyncio.gather(*(coalescer(n) for n in range(5)), return_exceptions=True)

    assert [answers[n] for n in (0, 1, 2, 4)] == [0, 10, 20, 40]
    assert isinstance(answers[3], ValueError)


async def test_an_outage_is_told_to_all_without_trying_each() -> None:
    recorder = Recorder()
    recorder.away = True
    coalescer = Coalescer(recorder.apply, max_batch=10)

    answers = await asyncio.gather(*(coalescer(n) for n in range(5)), return_exceptions=True)

    assert all(isinstance(answer, Outage) for answer in answers)
    assert len(recorder.batches) == 1


async def test_a_cancelled_waiter_does_not_cancel_the_batch() -> None:
    recorder = Recorder()
    recorder.gate.clear()
    coalescer = Coalescer(recorder.apply, max_batch=10)
    leaving, staying = (asyncio.create_task(coalescer(n)) for n in (1, 2))
    while not recorder.batches:
        await clock.SYSTEM.sleep(0)

    leaving.cancel()
    recorder.gate.set()

    assert await staying == 20
    assert leaving.cancelled()


async def test_equal_keys_in_one_batch_share_the_answer() -> None:
    recorder = Recorder()
    coalescer = Coalescer(recorder.apply, max_batch=10, key=lambda item: item)

    assert await asyncio.gather(*(coalescer(n % 2) for n in range(6))) == [0, 10, 0, 10, 0, 10]
    assert recorder.batches == [[0, 1]]


async def test_a_wrong_number_of_answers_is_an_error_for_each() -> None:
    async def forgetful(items: list[int]) -> list[int]:
        return items[1:]

    with pytest.raises(RuntimeError, match="0 answers for 1"):
        await Coalescer(forgetful, max_batch=10)(1)


async def test_an_item_that_arrives_as_the_worker_ends_is_not_forgotten():
    async def apply(items: list[int]) -> list[int]:
        return items

    coalescer = Coalescer(apply, max_batch=10)
    second: list[asyncio.Future[int]] = []
    first = coalescer.submit(1)
    first.add_done_callback(lambda _done: second.append(coalescer.submit(2)))

    await first
    await first  # its callbacks have run by now
    async with asyncio.timeout(5):
        assert await second[0] == 2
