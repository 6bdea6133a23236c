"""The fake KIE: an HTTP server that behaves like kie.ai, and worse when asked to."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

import aiohttp
from aiohttp import web

from testkit.kie.accounts import KIE_CREATES, Account, Rate, RateWindow
from testkit.kie.api import KieApi
from testkit.kie.planner import Planner
from testkit.kie.plans import Plan
from testkit.kie.postman import KIE_RECEIVER_TIMEOUT, KIE_RETRIES, Habits, Postman
from testkit.kie.profiles import ODDS, Durations, Odds, Profile
from testkit.kie.sim import SimApi
from testkit.kie.switches import Switches
from testkit.kie.tasks import Task, TaskBook
from testkit.kie.truth import TaskTruth, truth_of
from testkit.kie.workshop import Workshop

SANDBOX_API_KEY = "sandbox-kie-key"
STOP_WITHIN = 0.5  # seconds for answers under way when the server stops
LARGEST_REQUEST = 4 * 1024 * 1024


@dataclass(kw_only=True, eq=False)
class FakeKie:
    """`async with FakeKie(seed=7) as kie:` serves until the block is left."""

    host: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None  # where media are reached from; None: this server's own URL
    api_key: str = SANDBOX_API_KEY
    more_api_keys: tuple[str, ...] = ()  # each one an account of its own
    seed: int = 0
    profile: str = Profile.NONE
    odds: Odds | None = None  # instead of a profile
    durations: Durations = field(default_factory=Durations)
    hmac_key: str | None = None
    receiver_timeout: float = KIE_RECEIVER_TIMEOUT
    retry_delays: tuple[float, ...] = (1.0,) * KIE_RETRIES
    calls_anew: bool = False  # each callback by a connection of its own, as from many machines
    create_rate: Rate | None = KIE_CREATES  # None: as many as come
    poll_rate: Rate | None = None
    media_life: float | None = None  # seconds until result URLs expire; None: never
    expired_status: int = 404  # how an expired URL answers; some CDNs say 403
    credits_at_start: float = 1_000_000.0
    keep_tasks: int = 20_000  # older settled ones are forgotten
    switches: Switches = field(default_factory=Switches)

    def __post_init__(self) -> None:
        odds = self.odds or ODDS[Profile(self.profile)]
        self._planner = Planner(seed=self.seed, odds=odds, durations=self.durations)
        self._book = TaskBook(keep=self.keep_tasks)
        self._workshop = Workshop(
            planner=self._planner,
            book=self._book,
            switches=self.switches,
            accounts=self._accounts(),
        )
        self._resources = AsyncExitStack()
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Bind the port and serve; `url` is known afterwards."""
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes([*KieApi(self._workshop).routes(), *SimApi(self._workshop).routes()])
        # Callers that give up must end the answer that was waiting for them.
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_WITHIN
        )
        await runner.setup()
        self._resources.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, self.host, self.port)
        await site.start()
        host, self.port = runner.addresses[0][:2]
        self.url = f"http://{host}:{self.port}"
        await self._open_workshop()

    async def stop(self) -> None:
        """Cancel what still runs and close the port; a second call does nothing."""
        await self._resources.aclose()

    # Plans.

    def plan_marked(self, marker: str, plan: Plan) -> None:
        """Requests whose text contains `plan:<marker>` get this plan."""
        self._planner.name(marker, plan)

    def plan_next(self, plan: Plan, *, count: int = 1) -> None:
        """The next `count` requests without a known marker get this plan."""
        self._planner.queue(plan, count=count)

    def finish(self, task_id: str) -> None:
        """End a generation whose plan is `held`."""
        self._found(task_id).released.set()

    async def call_back_again(self, task_id: str) -> bool:
        """Send the final callback once more; True if the receiver took it."""
        return await self._workshop.call_back_again(self._found(task_id))

    # The truth.

    def tasks(self) -> tuple[TaskTruth, ...]:
        """Every remembered task, oldest first."""
        return tuple(truth_of(task) for task in self._book)

    def task(self, task_id: str) -> TaskTruth:
        """One task; KeyError if it was never made or is forgotten."""
        return truth_of(self._found(task_id))

    def counts(self) -> Counter[str]:
        """Running totals by name: creates, tasks, polls, files, callbacks_sent and so on."""
        return self._book.counts.copy()

    def credits_left(self, api_key: str | None = None) -> float:
        """The balance of one account, by default the first."""
        return self._workshop.accounts[api_key or self.api_key].credits_left

    async def until(self, claim: Callable[[Self], bool], *, within: float = 10.0) -> None:
        """Wait for a fact about this KIE; TimeoutError if it does not come true."""
        async with asyncio.timeout(within):
            await self._workshop.until(lambda: claim(self))

    async def until_settled(self, *, tasks: int, within: float = 10.0) -> None:
        """Wait until so many tasks were made and none has anything left to send."""
        book = self._book

        def settled() -> bool:
            return book.counts["tasks"] >= tasks and all(task.settled for task in book)

        async with asyncio.timeout(within):
            await self._workshop.until(settled)

    def _accounts(self) -> dict[str, Account]:
        keys = (self.api_key, *self.more_api_keys)
        return {
            key: Account(
                name=f"account-{number}",  # the truth is shown to everyone, a key is not
                credits_left=self.credits_at_start,
                creates=RateWindow(self.create_rate),
                polls=RateWindow(self.poll_rate),
            )
            for number, key in enumerate(keys, start=1)
        }

    async def _open_workshop(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, force_close=self.calls_anew)
        session = aiohttp.ClientSession(connector=connector)
        self._resources.push_async_callback(session.close)
        habits = Habits(
            receiver_timeout=self.receiver_timeout,
            retry_delays=self.retry_delays,
            hmac_key=self.hmac_key,
        )
        postman = Postman(session=session, habits=habits, on_attempt=self._workshop.note_attempt)
        media_base = (self.public_url or self.url).rstrip("/")
        self._workshop.media_life = self.media_life
        self._workshop.expired_status = self.expired_status
        self._workshop.open(postman=postman, media_base=media_base)
        # Last in, first out: tasks end before the session they send through.
        self._resources.push_async_callback(self._workshop.close)

    def _found(self, task_id: str) -> Task:
        task = self._book.find(task_id)
        if task is None:
            raise KeyError(task_id)
        return task
