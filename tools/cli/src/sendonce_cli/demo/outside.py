"""KIE and Telegram of a run, as who drives and judges it sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from testkit.kie import FakeKie, TaskTruth
from testkit.proof import Witness
from testkit.telegram import FakeTelegram


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What they did so far, and whether they still have something to do."""

    kie_tasks: int = 0
    callbacks: int = 0
    callbacks_accepted: int = 0
    polls: int = 0
    calls: int = 0
    telegram_faults: int = 0
    is_quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What both remember at the end."""

    tasks: Sequence[TaskTruth]
    telegram: Witness


class Outside(Protocol):
    """A sandbox KIE and a sandbox Telegram."""

    @property
    def kie_url(self) -> str:
        """Where a bot that calls KIE by itself does so."""

    @property
    def chat_page(self) -> str:
        """Where the chats are."""

    async def look(self) -> Seen:
        """Count what happened."""

    async def settle(self) -> None:
        """Wait until Telegram has committed all it ever will of what it was asked for."""

    async def until_acknowledged(self, task_id: str, *, within: float) -> None:
        """Wait until a callback of the task was answered 200; `TimeoutError` if none is."""

    async def remembered(self) -> Remembered:
        """Return what a judge needs."""


class InProcess:
    """Sandboxes that run in this process."""

    def __init__(self, kie: FakeKie, telegram: FakeTelegram) -> None:
        self._kie = kie
        self._telegram = telegram

    @property
    def kie_url(self) -> str:
        return self._kie.url

    @property
    def chat_page(self) -> str:
        return self._telegram.url

    async def look(self) -> Seen:
        counts = self._kie.counts()
        return Seen(
            kie_tasks=counts["tasks"],
            callbacks=counts["callbacks_sent"],
            callbacks_accepted=counts["callbacks_accepted"],
            polls=counts["polls"],
            calls=self._telegram.calls,
            telegram_faults=self._telegram.faults.fired.total(),
            is_quiet=self._telegram.pending_late == 0
            and all(task.settled for task in self._kie.tasks()),
        )

    async def settle(self) -> None:
        await self._telegram.settle()

    async def until_acknowledged(self, task_id: str, *, within: float) -> None:
        await self._kie.until(lambda it: it.task(task_id).acknowledged, within=within)

    async def remembered(self) -> Remembered:
        return Remembered(tasks=self._kie.tasks(), telegram=self._telegram)
