"""The proof at the end: every job against the oracle, every wallet against its payments."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from contracts.api import JobView, OrphansView
from contracts.ops import AskDoctor, DoctorView, ListOrphans
from contracts.values import Cause, JobState, MoneyState, PartState
from testkit.kie import CallbackKind, State, TaskTruth

from sendonce_cli.asking import Desk
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.drive import tasks_by_errand
from sendonce_cli.demo.errands import Errand, User
from sendonce_cli.demo.oracle import Sighting, sightings
from sendonce_cli.demo.world import World

AT_ONCE: Final = 32
LONGEST_LIST: Final = 500  # what job-store lists at once; the most jobs of a demo stay below it
RESULT_KNOWN: Final = frozenset({JobState.SUCCEEDED, JobState.DELIVERED, JobState.UNDELIVERABLE})
OPEN: Final = frozenset({JobState.CREATED, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED})
MONEY_CHECKS: Final = frozenset({"ledger_unbalanced", "holds_without_open_job"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One errand at the end of the run."""

    errand: Errand
    job: JobView | None
    tasks: tuple[TaskTruth, ...]
    sightings: tuple[Sighting, ...]

    @property
    def has_result(self) -> bool:
        """Claim that the job's result is known to us."""
        return self.job is not None and self.job.state in RESULT_KNOWN

    @property
    def is_shown_once(self) -> bool:
        return bool(self.sightings) and all(seen.is_right for seen in self.sightings)

    @property
    def is_doubled(self) -> bool:
        return any(seen.is_doubled for seen in self.sightings)

    @property
    def is_lost(self) -> bool:
        """Claim that somebody waits in vain: no end, or a result that could be known and is not there."""
        if self.job is None or self.job.state in OPEN - {JobState.SUCCEEDED}:
            return True
        could_be_known = self.has_result or any(_told_of(task, self.job) for task in self.tasks)
        return could_be_known and not all(seen.is_visible for seen in self.sightings)

    @property
    def is_expired(self) -> bool:
        """Claim that we ended the job, because nothing was heard of its task in time."""
        return self.job is not None and self.job.state is JobState.EXPIRED

    @property
    def is_polled(self) -> bool:
        """Claim that KIE was asked, because no callback of the end got through."""
        return self.job is not None and any(
            task.task_id in self.job.task_ids and task.polls and not _called_back(task) for task in self.tasks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the run proved; the first thirteen fields are the JSON, in this order."""

    jobs: int
    succeeded: int
    failed_by_provider: int
    delivered: int
    shown_once: int
    shown_twice: int
    lost: int
    orphans_matched: int
    polled: int
    uncertain: int
    ledger_balanced: bool
    seconds: float
    seed: int
    expired: int = 0
    endings: tuple[Ending, ...] = field(default=(), repr=False)
    unbalanced: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Claim that the promise was kept."""
        return self.lost == 0 and self.shown_twice == 0 and self.ledger_balanced

    def as_json(self) -> dict[str, object]:
        """Return the object a program reads."""
        hidden = {"endings", "unbalanced", "findings", "expired"}
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in hidden}


async def judge(
    world: World, desk: Desk, bot: Bot, *, errands: tuple[Errand, ...], paid: dict[int, int], seconds: float, seed: int
) -> Verdict:
    """Look at everything once more and say how it ended."""
    endings = await _endings(world, bot, errands)
    unbalanced = await _unbalanced(bot, endings, paid)
    findings = await _findings(desk)
    jobs = [ending.job for ending in endings if ending.job is not None]
    return Verdict(
        jobs=len(errands),
        succeeded=sum(ending.has_result for ending in endings),
        failed_by_provider=sum(job.state is JobState.FAILED and job.cause is Cause.PROVIDER for job in jobs),
        delivered=sum(job.state is JobState.DELIVERED for job in jobs),
        shown_once=sum(ending.is_shown_once for ending in endings),
        shown_twice=sum(ending.is_doubled for ending in endings),
        lost=sum(ending.is_lost for ending in endings),
        orphans_matched=await _orphans_matched(desk),
        polled=sum(ending.is_polled for ending in endings),
        uncertain=sum(part.state is PartState.UNCERTAIN for job in jobs for part in job.parts),
        ledger_balanced=not unbalanced and not MONEY_CHECKS & {finding.partition(":")[0] for finding in findings},
        seconds=round(seconds, 1),
        seed=seed,
        expired=sum(ending.is_expired for ending in endings),
        endings=tuple(endings),
        unbalanced=tuple(unbalanced),
        findings=tuple(findings),
    )


async def _endings(world: World, bot: Bot, errands: tuple[Errand, ...]) -> list[Ending]:
    slots = asyncio.Semaphore(AT_ONCE)
    tasks = tasks_by_errand(world.kie.tasks())

    async def ending(errand: Errand) -> Ending:
        async with slots:
            job = await bot.get(errand.key)
        own = tuple(tasks.get(errand.marker, ()))
        seen = [seen for task in own for seen in sightings(world.telegram, task, chat_id=errand.user.id)]
        return Ending(errand=errand, job=job, tasks=own, sightings=tuple(seen))

    return list(await asyncio.gather(*(ending(errand) for errand in errands)))


async def _unbalanced(bot: Bot, endings: list[Ending], paid: dict[int, int]) -> list[str]:
    """Name every wallet that does not hold what its user paid in, less what was sold to them."""
    spent: dict[User, int] = {}
    held: dict[User, int] = {}
    for ending in endings:
        user, job = ending.errand.user, ending.job
        spent.setdefault(user, 0)
        held.setdefault(user, 0)
        if job is not None and job.money is MoneyState.CAPTURED:
            spent[user] += job.price
        if job is not None and job.money is MoneyState.HELD:
            held[user] += job.price
    wrong = [
        f"{ending.errand.key}: {ending.job.state} but its money is {ending.job.money}"
        for ending in endings
        if ending.job is not None and not _money_fits(ending.job)
    ]
    for user, amount in spent.items():
        wallet = await bot.wallet(user)
        expected = paid[user.id] - amount - held[user]
        if (wallet.balance, wallet.held) != (expected, held[user]):
            wrong.append(
                f"{user.name} has {wallet.balance} and {wallet.held} held, expected {expected} and {held[user]}"
            )
    return wrong


def _money_fits(job: JobView) -> bool:
    if job.price == 0:
        return job.money is MoneyState.NONE
    match job.state:
        case JobState.DELIVERED | JobState.SUCCEEDED:
            return job.money in {MoneyState.CAPTURED, MoneyState.WAIVED}
        case JobState.UNDELIVERABLE:
            return job.money is MoneyState.REFUNDED
        case JobState.FAILED | JobState.EXPIRED | JobState.CANCELLED:
            return job.money is MoneyState.RELEASED
        case _:
            return job.money is MoneyState.HELD


async def _findings(desk: Desk) -> list[str]:
    view = await desk.ops("doctor", AskDoctor, DoctorView)
    return [f"{found.check}: {found.count} ({found.detail})" for found in view.findings if not found.ok]


async def _orphans_matched(desk: Desk) -> int:
    view = await desk.ops("orphans.list", ListOrphans, OrphansView, state="matched", limit=LONGEST_LIST)
    return len(view.orphans)


def _called_back(task: TaskTruth) -> bool:
    return any(attempt.accepted and attempt.kind is CallbackKind.FINAL for attempt in task.callbacks)


def _told_of(task: TaskTruth, job: JobView) -> bool:
    return task.state is State.SUCCEEDED and (_called_back(task) or task.task_id in job.task_ids)


