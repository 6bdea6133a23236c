"""The proof at the end of a demo: everything is looked at once more and handed to the judge."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from contracts.api import JobView, OrphansView
from contracts.ops import AskDoctor, DoctorView, ListOrphans
from sendonce_cli.asking import Desk
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.errands import Errand, User
from sendonce_cli.demo.pulse import Pulse
from testkit import proof

LONGEST_LIST: Final = 500  # what job-store lists at once; a demo's most jobs make fewer orphans
AT_ONCE: Final = 32
PRINTED: Final = (
    "jobs",
    "succeeded",
    "failed_by_provider",
    "delivered",
    "shown_once",
    "shown_twice",
    "lost",
    "orphans_matched",
    "polled",
    "uncertain",
    "spare_carriers",
    "ledger_balanced",
    "seconds",
    "seed",
    "final_states",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(proof.Verdict):
    """What the run proved; the fields named in `PRINTED` are what a program reads."""

    orphans_matched: int
    seconds: float
    seed: int

    @property
    def final_states(self) -> str:
        """A digest of how every job ended, by its key: equal when and only when all ended alike."""
        lines = sorted(_ended(ending) for ending in self.endings)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, object]:
        """Return the object a program reads."""
        return {name: getattr(self, name) for name in PRINTED}


def _ended(ending: proof.Ending) -> str:
    job = ending.job
    if job is None:
        return f"{ending.asked.key} unknown"
    parts = sorted((part.delivery_no, part.ordinal, part.kind, part.state) for part in job.parts)
    return f"{job.key} {job.state} {job.price} {job.money} {job.failure} {parts}"


async def judge(
    pulse: Pulse, bot: Bot, *, errands: tuple[Errand, ...], paid: Mapping[User, int], seed: int
) -> Verdict:
    """Look at everything once more and say how it ended."""
    seconds = round(pulse.seconds, 1)
    paid_in = {user.wallet: amount for user, amount in paid.items()}
    outside = await pulse.outside.remembered()
    facts = proof.Facts(
        asked=errands,
        jobs=await jobs_of(bot, errands),
        paid=paid_in,
        wallets={user.wallet: await bot.wallet(user) for user in paid},
        doctor=await pulse.desk.ops("doctor", AskDoctor, DoctorView),
        tasks=outside.tasks,
        telegram=outside.telegram,
    )
    made = proof.judged(facts)
    known = {each.name: getattr(made, each.name) for each in fields(made)}
    known["remarks"] = (*pulse.progress.refused, *made.remarks)
    return Verdict(
        **known,
        orphans_matched=await _orphans_matched(pulse.desk, made),
        seconds=seconds,
        seed=seed,
    )


async def jobs_of(bot: Bot, errands: tuple[Errand, ...]) -> dict[str, JobView | None]:
    """Look every job up by its key."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def job(errand: Errand) -> JobView | None:
        async with slots:
            return await bot.get(errand.key)

    found = await asyncio.gather(*map(job, errands))
    return {errand.key: view for errand, view in zip(errands, found, strict=True)}


async def _orphans_matched(desk: Desk, made: proof.Verdict) -> int:
    ours = {one.task.task_id for ending in made.endings for one in ending.generations}
    view = await desk.ops(
        "orphans.list", ListOrphans, OrphansView, state="matched", limit=LONGEST_LIST
    )
    return sum(orphan.task_id in ours for orphan in view.orphans)
