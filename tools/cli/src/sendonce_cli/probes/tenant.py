"""What every probe has in hand: a bot of its own, an operator's desk, the gateway's door, chats."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Final, TypeVar, Unpack
from uuid import UUID, uuid4

import aiohttp

from contracts.api import JobView, LedgerLine, MatchOrphan, OrphansView, OrphanView, WalletView
from contracts.ops import JobStory, ListOrphans, ShowJob
from contracts.repairs import PauseView, SetPause
from contracts.reports import ReportedMedia
from contracts.values import JobState
from sendonce import JobOptions, SendOnce
from sendonce_cli.asking import Desk
from sendonce_cli.probes import speech
from sendonce_cli.probes.chats import Chats
from sendonce_cli.probes.door import CALLBACKS, Door
from sendonce_cli.probes.items import Unmet, Unshown
from testkit.kie.wire import JsonObject

CURRENCY: Final = "XTS"  # ISO 4217's own code for tests: no shop's money
NOWHERE: Final = 1  # a chat id for jobs that show nothing
USERS: Final = 2**52  # above every id that Telegram gives out
MOST_NAMES: Final = 10_000  # of one run
LOOK_EVERY: Final = 0.05  # seconds
MANY: Final = 500  # what job-store lists at once
ENDED: Final = frozenset(
    {
        JobState.DELIVERED,
        JobState.FAILED,
        JobState.UNDELIVERABLE,
        JobState.EXPIRED,
        JobState.CANCELLED,
    }
)

T = TypeVar("T")


@dataclass(kw_only=True)
class Tenant:
    """One run of probes in a deployment."""

    bot: SendOnce
    desk: Desk
    http: aiohttp.ClientSession
    door: Door
    chats: Chats | None
    by: dict[str, str]  # who asks and why, of every change
    patience: float  # seconds for anything that is waited for
    replicas: int = 1  # copies NATS keeps of each stream
    run: str = field(default_factory=lambda: uuid4().hex[:8])
    jobs: list[JobView] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)  # whose callbacks may wait as orphans
    _count: "count[int]" = field(default_factory=lambda: count(1))

    # -- names, none used twice ------------------------------------------------------------------

    def key(self) -> str:
        """Return an idempotency key of this run."""
        return f"check-{self.run}-{next(self._count)}"

    def mark(self) -> str:
        """Return a word that stands in one content only."""
        return f"{self.run}{next(self._count):04x}"

    def task_id(self) -> str:
        """Return the id of a task that KIE never made."""
        self.tasks.append(f"{self.run}{next(self._count):08x}{uuid4().hex[:16]}")
        return self.tasks[-1]

    def user(self) -> int:
        """Return a user nobody is, whose wallet is empty."""
        return USERS + int(self.run, 16) * MOST_NAMES + next(self._count)

    # -- jobs --------------------------------------------------------------------------------------

    async def expect(self, **options: Unpack[JobOptions]) -> JobView:
        """Make a job whose task the bot submits itself; it shows nothing unless that is asked for."""
        return self.made(await self.bot.expect(**self.options(options)))

    async def deliver(self, *media: ReportedMedia, **options: Unpack[JobOptions]) -> JobView:
        """Have a finished result shown."""
        given: JobOptions = {"deliver": True, **options}
        return self.made(await self.bot.deliver(media=media, **self.options(given)))

    def options(self, given: JobOptions) -> JobOptions:
        """Return what every job of this run is asked for with, unless it says otherwise."""
        usual: JobOptions = {
            "key": self.key(),
            "chat_id": NOWHERE,
            "user_id": given.get("user_id") or self.user(),
            "currency": CURRENCY,
            "status": "none",
            "deliver": False,
        }
        return {**usual, **given}

    def made(self, job: JobView) -> JobView:
        """Remember a job, to be tidied up."""
        self.jobs.append(job)
        return job

    async def look(self, job: JobView) -> JobView:
        """Look at a job as its bot sees it."""
        return await self.bot.get(job.id)

    async def until_state(self, job: JobView, *states: JobState) -> JobView:
        """Wait until the job is in one of these states."""

        async def reached() -> JobView | None:
            found = await self.look(job)
            return found if found.state in states else None

        async def instead() -> str:
            found = await self.look(job)
            return f"the job is {found.state}" + (f" ({found.error})" if found.error else "")

        return await self.until(reached, instead=instead)

    async def story(self, job: JobView) -> JobStory:
        """Read everything that happened to a job."""
        return await self.desk.ops("jobs.show", ShowJob, JobStory, job_id=job.id)

    async def until(
        self, fact: Callable[[], Awaitable[T | None]], *, instead: Callable[[], Awaitable[str]]
    ) -> T:
        """Wait for a fact; `Unmet` with what was seen instead."""
        deadline = monotonic() + self.patience
        while True:
            found = await fact()
            if found:
                return found
            if monotonic() > deadline:
                raise Unmet(f"after {self.patience:.0f} s {await instead()}")
            await asyncio.sleep(LOOK_EVERY)

    # -- KIE's side --------------------------------------------------------------------------------

    def callback(self, job: JobView) -> str:
        """Return where the callback of a job's task goes, seen from here."""
        if job.callback_url is None:
            raise Unshown(
                "job-store gives out no callback addresses: every result is found by polling",
                todo="set SENDONCE_PUBLIC_URL and SENDONCE_CALLBACK_KEYS for job-store",
            )
        return self.door.at(job.callback_url)

    async def plain(self) -> str:
        """Return where callbacks without our signature go."""
        if self.door.base is None:
            job = await self.expect()
            self.door.base = self.callback(job).partition(CALLBACKS)[0]
            await self.end(job)
        return self.door.base + CALLBACKS

    async def end(self, job: JobView) -> JobView:
        """End a job that nobody needs: its task failed, or it is not submitted; its hold goes back."""
        if job.callback_url is None:
            return await self.bot.cancel(job.id)
        task_id = job.task_ids[-1] if job.task_ids else self.task_id()
        await self.calls_back(job, speech.failed("market", task_id).body)
        return await self.until_state(job, *ENDED)

    async def calls_back(self, job: JobView, body: JsonObject) -> None:
        """Tell the gateway of a job's task, as KIE does; it must be taken."""
        await self.door.tell(self.callback(job), body)

    async def orphan(self, task_id: str) -> OrphanView | None:
        """Return the orphan of a task."""
        view = await self.desk.ops("orphans.list", ListOrphans, OrphansView, limit=MANY)
        return next((one for one in view.orphans if one.task_id == task_id), None)

    async def until_orphan(self, task_id: str, state: str) -> OrphanView:
        """Wait until the orphan of a task is in this state."""

        async def reached() -> OrphanView | None:
            found = await self.orphan(task_id)
            return found if found is not None and found.state == state else None

        async def instead() -> str:
            found = await self.orphan(task_id)
            return f"the orphan is {found.state}" if found else "no orphan was kept"

        return await self.until(reached, instead=instead)

    async def match(self, orphan_id: UUID, job: JobView) -> JobView:
        """Say by hand whose an orphan is."""
        return await self.desk.ops(
            "orphans.match", MatchOrphan, JobView, orphan_id=orphan_id, job_id=job.id, **self.by
        )

    # -- money and time ----------------------------------------------------------------------------

    async def paid_in(self, amount: int) -> int:
        """Give a new user so much money; returns the user."""
        user = self.user()
        await self.bot.topup(user, currency=CURRENCY, amount=amount, reference=self.key())
        return user

    async def wallet(self, user: int) -> WalletView:
        """Look at a balance."""
        return await self.bot.wallet(user, CURRENCY)

    async def ledger(self, job: JobView) -> list[str]:
        """Name the transfers of a job, in order."""
        return [line.kind for line in await self.transfers(job)]

    async def transfers(self, job: JobView) -> tuple[LedgerLine, ...]:
        """Return the transfers of a job, in order."""
        return (await self.story(job)).ledger

    @asynccontextmanager
    async def paused(self, what: str) -> AsyncIterator[None]:
        """Stop one thing for the bot of this run while the block lasts."""
        await self._pause(what, paused=True)
        try:
            yield
        finally:
            await self.resume(what)

    async def resume(self, what: str) -> None:
        """Let it go on."""
        await self._pause(what, paused=False)

    async def _pause(self, what: str, *, paused: bool) -> None:
        await self.desk.ops(
            "pauses.set",
            SetPause,
            PauseView,
            bot=self.bot.bot,
            what=what,
            paused=paused,
            **self.by,
        )

    # -- chats -------------------------------------------------------------------------------------

    def seen_chats(self) -> Chats:
        """Return the chats results can be shown in; `Unshown` when there are none."""
        if self.chats is None:
            raise Unshown(
                "no chat is known that results may be shown in",
                todo="name one with --chat ID (and --token-ref for a bot of its own)",
            )
        return self.chats


def ids(jobs: Iterable[JobView]) -> set[UUID]:
    """Return the ids of jobs."""
    return {job.id for job in jobs}
