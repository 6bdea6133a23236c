"""The sandboxes of a deployment, told what to do wrong and asked what they saw, over HTTP."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

import aiohttp
from pydantic import BaseModel, Field, TypeAdapter

from sendonce_cli.demo.errands import Errand
from sendonce_cli.demo.options import Faults
from sendonce_cli.demo.outside import Remembered, Seen
from testkit.kie import Plan, TaskTruth, read_truth
from testkit.telegram import LogEntry, Recollection, read_entry

AT_ONCE: Final = 16
LOOK_EVERY: Final = 0.5  # seconds
PLAN: Final = TypeAdapter(Plan)


class _Kie(BaseModel):
    counts: dict[str, int]
    unsettled: int


class _Tasks(BaseModel):
    tasks: list[dict[str, Any]]


class _Telegram(BaseModel):
    calls: int
    last_seq: int
    pending_late: int
    faults_fired: dict[str, int]


class _Page(BaseModel):
    entries: list[dict[str, Any]]


class _Attempt(BaseModel):
    accepted: bool


class _Task(BaseModel):
    callbacks: list[_Attempt] = Field(default_factory=list)


class Sandboxes:
    """A sandbox KIE and a sandbox Telegram at their addresses; both may have seen other runs."""

    def __init__(self, http: aiohttp.ClientSession, *, kie_url: str, telegram_url: str) -> None:
        self._http = http
        self._kie = kie_url.rstrip("/")
        self._telegram = telegram_url.rstrip("/")
        self._marks = ""  # what stands in every request of the run
        self._log_before = 0  # entries of Telegram's log
        self._before = Seen()

    @property
    def kie_url(self) -> str:
        return self._kie

    @property
    def chat_page(self) -> str:
        return self._telegram

    @asynccontextmanager
    async def told(
        self, errands: tuple[Errand, ...], *, faults: Faults, seed: int
    ) -> AsyncIterator[None]:
        """Have them do to these errands what is drawn, and to nobody else's once the block is left."""
        self._marks = f"plan:{errands[0].series}-"
        self._log_before = (await self._telegram_now()).last_seq
        self._before = await self.look()
        await self._each(self._know(errand) for errand in errands)
        try:
            await self._post(
                f"{self._telegram}/sim/faults", {"profile": faults.value, "seed": seed}
            )
            yield
        finally:
            async with self._http.delete(f"{self._telegram}/sim/faults") as answer:
                answer.raise_for_status()

    async def look(self) -> Seen:
        kie = _Kie.model_validate_json(await self._get(f"{self._kie}/sim"))
        telegram, before = await self._telegram_now(), self._before
        counts = Counter(kie.counts)
        return Seen(
            kie_tasks=counts["tasks"] - before.kie_tasks,
            callbacks=counts["callbacks_sent"] - before.callbacks,
            callbacks_accepted=counts["callbacks_accepted"] - before.callbacks_accepted,
            polls=counts["polls"] - before.polls,
            calls=telegram.calls - before.calls,
            telegram_faults=sum(telegram.faults_fired.values()) - before.telegram_faults,
            is_quiet=kie.unsettled == 0 and telegram.pending_late == 0,
        )

    async def settle(self) -> None:
        while True:
            if (await self._telegram_now()).pending_late == 0:
                return
            await asyncio.sleep(LOOK_EVERY)

    async def until_acknowledged(self, task_id: str, *, within: float) -> None:
        deadline = monotonic() + within
        while not await self._is_acknowledged(task_id):
            if monotonic() > deadline:
                raise TimeoutError
            await asyncio.sleep(LOOK_EVERY)

    async def remembered(self) -> Remembered:
        return Remembered(tasks=await self._tasks(), telegram=Recollection(await self._log()))

    async def _know(self, errand: Errand) -> None:
        plan = PLAN.dump_python(errand.plan, mode="json")
        await self._post(f"{self._kie}/sim/plans", {"marker": errand.marker, "plan": plan})
        chat = {"id": errand.chat_id, "kind": "private", "title": errand.user.name}
        await self._post(f"{self._telegram}/sim/chats", chat)

    async def _is_acknowledged(self, task_id: str) -> bool:
        task = _Task.model_validate_json(await self._get(f"{self._kie}/sim/tasks/{task_id}"))
        return any(attempt.accepted for attempt in task.callbacks)

    async def _tasks(self) -> list[TaskTruth]:
        told = await self._get(f"{self._kie}/sim/tasks", text=self._marks)
        return [read_truth(task) for task in _Tasks.model_validate_json(told).tasks]

    async def _log(self) -> list[LogEntry]:
        found: list[LogEntry] = []
        after = self._log_before
        while page := await self._page(after):
            found += page
            after = page[-1].seq
        return found

    async def _page(self, after: int) -> list[LogEntry]:
        told = await self._get(f"{self._telegram}/sim/log", after=str(after))
        return [read_entry(entry) for entry in _Page.model_validate_json(told).entries]

    async def _telegram_now(self) -> _Telegram:
        return _Telegram.model_validate_json(await self._get(f"{self._telegram}/sim"))

    async def _get(self, url: str, **params: str) -> bytes:
        async with self._http.get(url, params=params) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _post(self, url: str, order: dict[str, object]) -> None:
        async with self._http.post(url, json=order) as answer:
            answer.raise_for_status()

    async def _each(self, orders: Iterable[Awaitable[None]]) -> None:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(order: Awaitable[None]) -> None:
            async with slots:
                await order

        async with asyncio.TaskGroup() as group:
            for order in orders:
                group.create_task(one(order))
