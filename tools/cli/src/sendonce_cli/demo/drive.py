"""Asks for every errand, at a bot's pace; for some it plays the bot that calls KIE itself."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from contracts.api import JobView
from sendonce import SendOnceError
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.errands import Door, Errand, User, users_of
from sendonce_cli.demo.outside import Outside
from sendonce_cli.probes.kie import own_task

AT_ONCE: Final = 24  # conversations of the bot side by side
ORPHAN_WAITS: Final = 30.0  # seconds for the callback that must come before the attach
SLOWNESS: Final = (
    1.0  # seconds this bot takes to tell of its task; the callback is applied long before
)
KIE_ANSWERS: Final = aiohttp.ClientTimeout(total=5.0)
AGAIN: Final = 0.5  # seconds before a bot asks KIE again
POT: Final = 100_000  # minor units every user has on top of what the errands cost


@dataclass(slots=True)
class Progress:
    """What the bot has done so far."""

    wanted: int
    asked: int = 0
    kie_faults: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Claim that every errand was asked for."""
        return self.asked >= self.wanted


async def top_up(bot: Bot, errands: tuple[Errand, ...]) -> dict[User, int]:
    """Fill the wallets; returns what each user paid in."""
    paid = {user: cost + POT for user, cost in users_of(errands).items()}
    async with asyncio.TaskGroup() as group:
        for user, amount in paid.items():
            group.create_task(bot.top_up(user, amount))
    return paid


class Driver:
    """Runs the errands of one demo."""

    def __init__(
        self,
        bot: Bot,
        progress: Progress,
        *,
        outside: Outside,
        gateway_url: str,
        every: float = 0.0,  # seconds between two errands; 0: as fast as they are answered
        at_once: int = AT_ONCE,
    ) -> None:
        self._bot = bot
        self._progress = progress
        self._outside = outside
        self._gateway_url = gateway_url
        self._every = every
        self._tasks: dict[str, str] = {}  # of KIE, by the key of the errand
        self._slots = asyncio.Semaphore(at_once)

    async def run(self, errands: Iterable[Errand]) -> None:
        """Ask for all, drawing the next when its turn has come; returns when the last one was answered."""
        async with aiohttp.ClientSession(timeout=KIE_ANSWERS) as kie, asyncio.TaskGroup() as group:
            for errand in errands:
                await self._slots.acquire()
                group.create_task(self._one(errand, kie))
                await asyncio.sleep(self._every)

    async def again(self, errands: tuple[Errand, ...]) -> set[str]:
        """Ask once more for what a restored database forgot; returns the keys whose job was gone."""
        gone: set[str] = set()
        async with aiohttp.ClientSession(timeout=KIE_ANSWERS) as kie:
            for errand in errands:
                job, task_id = await self._bot.get(errand.key), self._tasks.get(errand.key)
                if job is None:
                    gone.add(errand.key)
                    await self._go(errand, kie)
                elif task_id is not None and task_id not in job.task_ids:
                    await self._bot.attach(job, task_id)
        return gone

    async def _one(self, errand: Errand, kie: aiohttp.ClientSession) -> None:
        try:
            await self._go(errand, kie)
        except SendOnceError as refused:
            self._progress.refused.append(f"{errand.key}: {refused}")
        finally:
            self._progress.asked += 1
            self._progress.kie_faults += errand.faults
            self._slots.release()

    async def _go(self, errand: Errand, kie: aiohttp.ClientSession) -> None:
        match errand.door:
            case Door.CREATE:
                await self._bot.create(errand)
            case Door.EXPECT:
                job = await self._bot.expect(errand)
                url = job.callback_url or f"{self._gateway_url}/callbacks/kie"
                task_id = await self._create_task(errand, kie, callback_url=url)
                await self._bot.attach(job, task_id)
            case Door.ORPHAN:
                await self._be_late(errand, kie)

    async def _be_late(self, errand: Errand, kie: aiohttp.ClientSession) -> None:
        """Attach only after KIE has called back: the callback waits as an orphan."""
        plain = f"{self._gateway_url}/callbacks/kie"
        task_id = await self._create_task(errand, kie, callback_url=plain)
        # A gateway that was killed for too long took none; the job is polled then.
        with contextlib.suppress(TimeoutError):
            await self._outside.until_acknowledged(task_id, within=ORPHAN_WAITS)
        await asyncio.sleep(SLOWNESS)
        job: JobView = await self._bot.expect(errand)
        await self._bot.attach(job, task_id)

    async def _create_task(
        self, errand: Errand, kie: aiohttp.ClientSession, *, callback_url: str
    ) -> str:
        while True:
            # Only an outage answers nothing or without a task: then none was made.
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, LookupError):
                self._tasks[errand.key] = await own_task(
                    kie,
                    self._outside.kie_url,
                    family=errand.ware.family,
                    model=errand.ware.model,
                    given=dict(errand.input),
                    callback_url=callback_url,
                )
                return self._tasks[errand.key]
            await asyncio.sleep(AGAIN)
