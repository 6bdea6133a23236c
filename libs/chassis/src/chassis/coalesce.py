"""Callers that arrive together share one batch; no caller ever waits for a batch to fill."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Outage(Exception):
    """The far side is away: everyone in the batch hears it at once, nobody is tried one by one."""


@dataclass(slots=True, eq=False)
class _Entry(Generic[T, R]):
    item: T
    answer: asyncio.Future[R]
    key: Hashable


class Coalescer(Generic[T, R]):
    """`await coalescer(item)`: one batch in flight, the next fills meanwhile, no linger.

    When `apply` raises for more than one item, the items are applied one by one, so that a
    poison item costs only itself; an `Outage` goes to all of them at once. `apply` must answer
    in the order of its items. Items of equal `key` in one batch are applied once and share the
    answer. A cancelled waiter does not cancel the batch.
    """

    def __init__(
        self,
        apply: Callable[[list[T]], Awaitable[list[R]]],
        *,
        max_batch: int,
        key: Callable[[T], Hashable] | None = None,
        in_flight: int = 1,
        weight: Callable[[T], int] | None = None,
        max_weight: int | None = None,
    ) -> None:
        """Batches hold at most `max_batch` items and, past the first, at most `max_weight`."""
        self._apply = apply
        self._max_batch = max_batch
        self._key = key
        self._in_flight = in_flight
        self._weight = weight
        self._max_weight = max_weight
        self._queue: deque[_Entry[T, R]] = deque()
        self._queued_keys: dict[Hashable, _Entry[T, R]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Items that no batch has taken yet."""
        return len(self._queue)

    async def __call__(self, item: T) -> R:
        """Put the item into the next batch and wait for its own answer."""
        # Shielded: the answer may be shared, and the batch goes on without this caller.
        return await asyncio.shield(self.submit(item))

    def submit(self, item: T) -> asyncio.Future[R]:
        """Put the item into the next batch; the future holds its answer. Do not cancel it."""
        key = self._key(item) if self._key is not None else object()
        if (twin := self._queued_keys.get(key)) is not None:
            return twin.answer
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_mark_retrieved)
        entry = _Entry(item, answer, key)
        self._queue.append(entry)
        self._queued_keys[key] = entry
        if len(self._workers) < self._in_flight:
            self._start_worker()
        return answer

    def _start_worker(self) -> None:
        # An empty context: a batch belongs to many callers, so it carries nobody's log fields.
        worker = asyncio.create_task(self._work(), name="coalescer", context=Context())
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        batch: list[_Entry[T, R]] = []
        try:
            while self._queue:
                batch = self._take()
                await self._settle(batch)
            # Now, not in the done-callback a turn later: whoever submits in between must see that
            # nobody works any more.
            self._retire()
        except asyncio.CancelledError:
            for entry in (*batch, *self._queue):
                entry.answer.cancel()
            self._queue.clear()
            self._queued_keys.clear()
            raise

    def _retire(self) -> None:
        if (worker := asyncio.current_task()) is not None:
            self._workers.discard(worker)

    def _take(self) -> list[_Entry[T, R]]:
        batch: list[_Entry[T, R]] = []
        weight = 0
        while self._queue and len(batch) < self._max_batch:
            weight += self._weight(self._queue[0].item) if self._weight else 0
            if batch and self._max_weight is not None and weight > self._max_weight:
                break
            entry = self._queue.popleft()
            del self._queued_keys[entry.key]
            batch.append(entry)
        return batch

    async def _settle(self, batch: list[_Entry[T, R]]) -> None:
        try:
            await self._answer(batch)
        except Outage as outage:
            _fail(batch, outage)
        except Exception as problem:  # noqa: BLE001 - every exception belongs to a waiter
            if len(batch) == 1:
                _fail(batch, problem)
            else:
                await self._one_by_one(batch)

    async def _one_by_one(self, batch: list[_Entry[T, R]]) -> None:
        for position, entry in enumerate(batch):
            try:
                await self._answer([entry])
            except Outage as outage:
                _fail(batch[position:], outage)
                return
            except Exception as problem:  # noqa: BLE001 - every exception belongs to a waiter
                _fail([entry], problem)

    async def _answer(self, batch: list[_Entry[T, R]]) -> None:
        answers = await self._apply([entry.item for entry in batch])
        if len(answers) != len(batch):
            raise RuntimeError(f"{len(answers)} answers for {len(batch)} items")
        for entry, answer in zip(batch, answers, strict=True):
            if not entry.answer.done():
                entry.answer.set_result(answer)


def _fail(batch: list[_Entry[T, R]], problem: Exception) -> None:
    for entry in batch:
        if not entry.answer.done():
            entry.answer.set_exception(problem)


def _mark_retrieved(answer: asyncio.Future[R]) -> None:
    # A waiter that was cancelled never looks; its answer is not a lost error.
    if not answer.cancelled():
        answer.exception()
