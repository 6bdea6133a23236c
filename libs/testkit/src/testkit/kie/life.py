"""The life of one task: progress, an end, and the callbacks its plan asks for."""

import asyncio
import time
from collections.abc import Callable, Coroutine

from testkit.kie.accounts import PRICES, Account
from testkit.kie.plans import Garbage
from testkit.kie.postman import Postman
from testkit.kie.switches import Switches
from testkit.kie.tasks import CallbackKind, State, Task
from testkit.kie.wire import JsonObject, compact

Spawn = Callable[[Coroutine[None, None, None]], None]

GENERATING_FROM = 0.6  # the share of its time after which a task says "generating"


class Lives:
    """Lives tasks. Callbacks of progress do not hold up the generation."""

    def __init__(
        self, *, postman: Postman, switches: Switches, spawn: Spawn, on_change: Callable[[], None]
    ) -> None:
        self._postman = postman
        self._switches = switches
        self._spawn = spawn
        self._on_change = on_change

    async def live(self, task: Task, account: Account) -> None:
        """From WAITING to the last callback."""
        await self._generate(task)
        self._end(task, account)
        await self._announce(task)
        task.settled = True
        task.called_back.set()
        self._on_change()

    async def call_back_again(self, task: Task) -> bool:
        """The final callback once more, whatever the plan and the switches say."""
        return await self._postman.deliver(
            task, kind=CallbackKind.FINAL, body=_encoded(task.family.final(task))
        )

    async def _generate(self, task: Task) -> None:
        stages = task.family.stages if task.plan.stages else ()
        pause = task.seconds / (len(stages) + 1)
        if not stages:
            await asyncio.sleep(task.seconds * GENERATING_FROM)
            pause = task.seconds * (1 - GENERATING_FROM)
        task.state = State.GENERATING
        for number, stage in enumerate(stages, start=1):
            await asyncio.sleep(pause)
            task.stage = number
            if not task.plan.out_of_order:
                self._spawn(self._tell_progress(task, stage(task)))
        await asyncio.sleep(pause)
        if task.plan.held:
            await task.released.wait()

    def _end(self, task: Task, account: Account) -> None:
        task.ended_at = time.time()
        if task.plan.fails:
            task.state = State.FAILED
        else:
            task.state = State.SUCCEEDED
            task.credits_consumed = PRICES[task.medium] * task.outputs
            account.credits_left -= task.credits_consumed
        self._on_change()

    async def _announce(self, task: Task) -> None:
        await asyncio.sleep(task.plan.callback_delay)
        if task.plan.garbage is not None and self._may_call(task):
            garbage = _garbage(task.plan.garbage, task)
            await self._postman.drop_once(task, kind=CallbackKind.GARBAGE, body=garbage)
        if self._may_call(task):
            await self._tell_end(task)
        if task.plan.out_of_order:
            for body in _afterthoughts(task):
                await self._tell_progress(task, body)

    async def _tell_end(self, task: Task) -> None:
        body = _encoded(task.family.final(task))

        async def one_copy() -> bool:
            accepted = await self._postman.deliver(task, kind=CallbackKind.FINAL, body=body)
            task.called_back.set()
            return accepted

        copies = max(task.plan.copies, self._switches.copies)
        if task.plan.parallel or self._switches.parallel:
            accepted = await asyncio.gather(*(one_copy() for _ in range(copies)))
        else:
            accepted = [await one_copy() for _ in range(copies)]
        task.callback_failed = not any(accepted)

    async def _tell_progress(self, task: Task, body: JsonObject) -> None:
        if self._may_call(task):
            await self._postman.deliver(task, kind=CallbackKind.PROGRESS, body=_encoded(body))

    def _may_call(self, task: Task) -> bool:
        return (
            task.callback_url is not None
            and task.plan.calls_back
            and not self._switches.suppress_all_callbacks
        )


def _afterthoughts(task: Task) -> list[JsonObject]:
    stages = task.family.stages if task.plan.stages else ()
    if task.family.afterthought is not None:
        return [task.family.afterthought(task)]
    return [stage(task) for stage in reversed(stages)]


def _encoded(body: JsonObject) -> bytes:
    return compact(body).encode()


def _garbage(kind: Garbage, task: Task) -> bytes:
    match kind:
        case Garbage.INVALID_JSON:
            return _encoded(task.family.final(task))[:-7]
        case Garbage.WRONG_TYPES:
            return _encoded({"code": {"is": [1]}, "msg": 7, "data": [task.task_id, None]})
        case Garbage.NULL_BYTES:
            return _encoded({"code": "\x00", "msg": "a\x00b", "data": {"taskId": "\x00"}})
        case Garbage.EMPTY:
            return b""
        case Garbage.TWO_TASK_IDS:
            return _encoded({**task.family.final(task), "task_id": "0" * 32, "taskId": "1" * 32})
