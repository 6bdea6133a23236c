"""One run: load, faults by the schedule, quiescence, verdict."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from chaos.arena import Arena, arena
from chaos.faults import Faults
from chaos.moments import lasts
from chaos.recoveries import Recoveries
from chaos.restore import Restore
from chaos.schedule import DURABLES, Strike, draw
from contracts import streams
from contracts.ops import DoctorView
from judging import facts_of, shown_twice
from sendonce import SendOnce
from sendonce_cli.asking import Desk
from sendonce_cli.demo import errands as errands_of
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.drive import Driver, Progress, top_up
from sendonce_cli.demo.errands import Errand, User
from sendonce_cli.demo.options import Faults as Hostility
from sendonce_cli.demo.outside import InProcess
from sendonce_cli.demo.pulse import Pulse
from testkit import proof
from testkit.processes.nursery import Nursery

JOBS_A_SECOND: Final = 3.0
QUIET_WITHIN: Final = (
    240.0  # seconds after the last fault: an expiry, a late callback, every backoff
)
LOOK_EVERY: Final = 0.5
TELL_EVERY: Final = 5.0

Say = Callable[[str], None]


@dataclass(kw_only=True)
class Told:
    """What a run came to."""

    seconds: float
    seed: int
    verdict: proof.Verdict
    is_quiet: bool
    schedule: tuple[Strike, ...]
    struck: dict[str, int]
    kills: int
    own_ends: dict[str, int]
    recoveries: dict[str, list[float]]
    settled_within: float | None
    callbacks_lost_with_bus: int
    restore: Restore
    asked_again: int
    shown_again: set[str]  # keys of jobs shown twice, as a restore may
    refused: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Claim that every promise was kept."""
        is_whole = self.is_quiet and self.restore.is_over and not self.refused
        return is_whole and self.verdict.is_clean

    def as_json(self) -> dict[str, object]:
        """Return what a program reads."""
        it = self.verdict
        return {
            "seed": self.seed,
            "seconds": self.seconds,
            "clean": self.is_clean,
            "jobs": it.jobs,
            "delivered": it.delivered,
            "shown_once": it.shown_once,
            "lost": it.lost,
            "shown_twice": it.shown_twice,
            "uncertain": it.uncertain,
            "expired": it.expired,
            "failed_by_provider": it.failed_by_provider,
            "spare_carriers": it.spare_carriers,
            "ledger_balanced": it.ledger_balanced,
            "broken": it.broken,
            "kills": self.kills,
            "ended_by_themselves": self.own_ends,
            "faults": self.struck,
            "recovery_seconds": {
                name: {"worst": max(found), "times": len(found)}
                for name, found in sorted(self.recoveries.items())
            },
            "restore": self.restore.as_json()
            | {"asked_again": self.asked_again, "shown_again": len(self.shown_again)},
            "callbacks_lost_with_bus": self.callbacks_lost_with_bus,
            "quiet": self.is_quiet,
            "settled_seconds": self.settled_within,
            "refused": self.refused,
            "schedule": [strike.as_json() for strike in self.schedule],
        }


async def run(
    directory: Path, *, seconds: float, seed: int, say: Say, nursery: Nursery | None = None
) -> Told:
    """Fight for so many seconds, let the dust settle, and judge; see `arena` for the nursery."""
    jobs = round(seconds * JOBS_A_SECOND)
    errands = errands_of.draw(jobs=jobs, faults=Hostility.HARD, seed=seed)
    schedule = draw(seconds=seconds, seed=seed)
    say("starting NATS, Postgres, the links and ten processes")
    async with (
        arena(directory, errands, seed=seed, nursery=nursery) as ring,
        SendOnce(ring.bus, bot="default") as sendonce,
    ):
        fight = _Fight(ring, Bot(sendonce), Faults(ring), errands, say=say)
        settled = await fight.through(schedule, every=seconds / jobs)
        verdict, excused, lost_with_bus = await fight.judged()
        return Told(
            seconds=seconds,
            seed=seed,
            verdict=verdict,
            is_quiet=settled is not None,
            schedule=schedule,
            struck=dict(sorted(fight.faults.struck.items())),
            kills=ring.keeper.total,
            own_ends=dict(ring.keeper.own_ends),
            recoveries=fight.recoveries.found,
            settled_within=settled,
            callbacks_lost_with_bus=lost_with_bus,
            restore=fight.faults.restore,
            asked_again=len(fight.gone),
            shown_again=excused,
            refused=fight.progress.refused,
        )


class _Fight:
    """The load, the faults and whoever watches, side by side."""

    def __init__(
        self, ring: Arena, bot: Bot, faults: Faults, errands: tuple[Errand, ...], *, say: Say
    ) -> None:
        self.ring, self.bot, self.faults, self.errands = ring, bot, faults, errands
        self.desk = Desk(ring.direct)
        self.progress = Progress(wanted=len(errands))
        self.outside = InProcess(ring.kie, ring.telegram)
        self.pulse = Pulse(
            outside=self.outside, desk=self.desk, progress=self.progress, killer=ring.keeper
        )
        self.recoveries = Recoveries(ring, faults)
        self.paid: dict[User, int] = {}
        self.gone: set[str] = set()  # keys of jobs that were made after the backup
        self._say = say

    async def through(self, schedule: tuple[Strike, ...], *, every: float) -> float | None:
        """Return how long the dust took to settle after the last fault; None when it did not."""
        self.paid = await top_up(self.bot, self.errands)
        driver = Driver(
            self.bot,
            self.progress,
            outside=self.outside,
            gateway_url=self.ring.gateway_url,
            every=every,
        )
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(self.recoveries.watch()),
                group.create_task(self._tell()),
            ]
            asking = group.create_task(driver.run(self.errands))
            await self._strike(schedule)
            self.faults.heal()
            await asking
            await self._ask_again(driver)
            self._say("the last fault is over, waiting for the dust to settle")
            settled = await self._settled()
            for task in beside:
                task.cancel()
        return settled

    async def _ask_again(self, driver: Driver) -> None:
        """Do what a bot does whose job is gone after a restore; a refusal of that time is answered by it."""
        self.gone = await driver.again(self.errands)
        refused = self.progress.refused
        refused[:] = [each for each in refused if each.partition(":")[0] not in self.gone]

    def _shown_again(self, verdict: proof.Verdict) -> list[proof.Ending]:
        """Return what stands twice as a restore may have it: the job was gone, or named to the operator."""
        twice = [one for one in verdict.endings if one.is_doubled]
        return [one for one in twice if one.asked.key in self.gone or self._may_repeat(one)]

    def _may_repeat(self, ending: proof.Ending) -> bool:
        return ending.job is not None and str(ending.job.id) in self.faults.restore.may_repeat

    async def _strike(self, schedule: tuple[Strike, ...]) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for strike in schedule:
                await lasts(max(began + strike.at - time.monotonic(), 0))
                group.create_task(self.faults.strike(strike))

    async def _settled(self) -> float | None:
        began = time.monotonic()
        while time.monotonic() < began + QUIET_WITHIN:
            await self.pulse.look()
            if self.pulse.is_quiet:
                await self.ring.telegram.settle()
                await self.ring.keeper.all_ready()
                await self.pulse.look()
                if self.pulse.is_quiet and await self._is_read():
                    return round(time.monotonic() - began, 1)
            await lasts(LOOK_EVERY)
        return None

    async def _is_read(self) -> bool:
        """Claim that job-store has applied everything on the bus."""
        js = self.ring.direct.jetstream()
        infos = [
            await js.consumer_info(streams.CONSUMER[durable].stream, durable)
            for durable in DURABLES
            if durable.startswith("job-store")
        ]
        return not any(info.num_pending or info.num_ack_pending for info in infos)

    async def _tell(self) -> None:
        while True:
            await lasts(TELL_EVERY)
            beat, faults = await self.pulse.look(), self.faults.struck.total()
            self._say(
                f"asked {self.progress.asked}/{self.progress.wanted}  ended {beat.ended}"
                f"  faults {faults}  kills {self.ring.keeper.total}"
            )

    async def judged(self) -> tuple[proof.Verdict, set[str], int]:
        """Return the verdict, the keys of what a restore had shown again, and how many callbacks the bus took along."""
        facts = await facts_of(
            self.errands,
            bot=self.bot,
            desk=self.desk,
            paid=self.paid,
            kie=self.ring.kie,
            telegram=self.ring.telegram,
            database_url=self.ring.postgres.url,
        )
        gone = [one for one in facts.dropped if self.faults.went_down_with_bus(one.answered_at)]
        kept = [one for one in facts.dropped if one not in gone]
        facts = replace(facts, dropped=kept, gone=gone)
        again = self._shown_again(proof.judged(facts))
        # What the restore named to its operator beforehand is no finding of the doctor's any more.
        told = {one.job.id for one in again if one.job is not None}
        if await shown_twice(self.ring.postgres.url) <= told:
            facts = replace(facts, doctor=_without(facts.doctor, "shown_twice"))
        verdict = proof.judged(facts)
        verdict = replace(verdict, shown_twice=verdict.shown_twice - len(again))
        return verdict, {one.asked.key for one in again}, len(gone)


def _without(view: DoctorView, check: str) -> DoctorView:
    findings = tuple(finding for finding in view.findings if finding.check != check)
    return view.model_copy(update={"findings": findings})
