"""The proof at the end: every job against the oracle, every wallet against its payments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contracts.api import OrphansView
from contracts.ops import AskDoctor, DoctorView, ListOrphans
from contracts.values import Cause, JobState, PartState
from sendonce_cli.asking import Desk
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.endings import Ending, endings_of
from sendonce_cli.demo.errands import Errand, User
from sendonce_cli.demo.money import money_troubles
from sendonce_cli.demo.pulse import Pulse

LONGEST_LIST: Final = 500  # what job-store lists at once; a demo's most jobs make fewer orphans
MONEY_CHECKS: Final = frozenset({"ledger_unbalanced", "holds_without_open_job"})
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
    "ledger_balanced",
    "seconds",
    "seed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the run proved; the fields named in `PRINTED` are what a program reads."""

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
    expired: int
    endings: tuple[Ending, ...] = field(repr=False)
    remarks: tuple[str, ...]  # refusals, wallets and laws that are not as they should be

    @property
    def is_clean(self) -> bool:
        """Claim that the promise was kept."""
        return self.lost == 0 and self.shown_twice == 0 and self.ledger_balanced

    def as_json(self) -> dict[str, object]:
        """Return the object a program reads."""
        return {name: getattr(self, name) for name in PRINTED}


async def judge(
    pulse: Pulse, bot: Bot, *, errands: tuple[Errand, ...], paid: Mapping[User, int], seed: int
) -> Verdict:
    """Look at everything once more and say how it ended."""
    seconds = round(pulse.seconds, 1)
    endings = await endings_of(pulse.world, bot, errands)
    wrong_money = await money_troubles(bot, endings, paid=paid)
    broken = await _broken_laws(pulse.desk)
    jobs = [ending.job for ending in endings if ending.job is not None]
    return Verdict(
        jobs=len(errands),
        succeeded=sum(ending.has_result for ending in endings),
        failed_by_provider=sum(
            job.state is JobState.FAILED and job.cause is Cause.PROVIDER for job in jobs
        ),
        delivered=sum(job.state is JobState.DELIVERED for job in jobs),
        shown_once=sum(ending.is_shown_once for ending in endings),
        shown_twice=sum(ending.is_doubled for ending in endings),
        lost=sum(ending.is_lost for ending in endings),
        orphans_matched=await _orphans_matched(pulse.desk),
        polled=sum(ending.is_polled for ending in endings),
        uncertain=sum(part.state is PartState.UNCERTAIN for job in jobs for part in job.parts),
        ledger_balanced=not wrong_money and not MONEY_CHECKS & broken.keys(),
        seconds=seconds,
        seed=seed,
        expired=sum(ending.is_expired for ending in endings),
        endings=endings,
        remarks=(*pulse.progress.refused, *wrong_money, *broken.values()),
    )


async def _broken_laws(desk: Desk) -> dict[str, str]:
    """Return what the doctor finds, by the name of the check."""
    view = await desk.ops("doctor", AskDoctor, DoctorView)
    return {
        found.check: f"doctor: {found.check.replace('_', ' ')}, {found.count}: {found.detail}"
        for found in view.findings
        if not found.ok
    }


async def _orphans_matched(desk: Desk) -> int:
    view = await desk.ops(
        "orphans.list", ListOrphans, OrphansView, state="matched", limit=LONGEST_LIST
    )
    return len(view.orphans)
