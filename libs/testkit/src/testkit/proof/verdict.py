"""The proof of one run in numbers: every job, every wallet, every accepted callback, every law."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.api import JobView, WalletView
from contracts.ops import DoctorView
from contracts.values import Cause, JobState
from testkit.kie import TaskTruth
from testkit.proof.callbacks import Dropped, without
from testkit.proof.endings import Asked, Ending, endings
from testkit.proof.money import Wallet, money_troubles
from testkit.proof.sightings import Witness
from testkit.proof.spares import spares

MONEY_CHECKS: Final = frozenset(
    {"ledger_unbalanced", "holds_without_open_job", "money_moved_twice"}
)
# For a person to look at, and no broken law.
REMARKS: Final = frozenset({"uncertain_parts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a judge needs: what was asked, what the system says, what the outside saw."""

    asked: Sequence[Asked]
    jobs: Mapping[str, JobView | None]
    paid: Mapping[Wallet, int]
    wallets: Mapping[Wallet, WalletView]
    doctor: DoctorView
    tasks: Sequence[TaskTruth]
    telegram: Witness
    # Callbacks that were taken and not kept, where somebody could look.
    dropped: Collection[Dropped] = ()
    # Those that went down with the bus that held them: nobody could know of them any more.
    gone: Collection[Dropped] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run proved."""

    jobs: int
    succeeded: int
    failed_by_provider: int
    delivered: int
    shown_once: int
    shown_twice: int
    lost: int
    polled: int
    uncertain: int
    expired: int
    spare_carriers: int
    ledger_balanced: bool
    endings: tuple[Ending, ...] = field(repr=False)
    broken: tuple[str, ...]  # laws of the doctor, wallets, callbacks that are not kept
    remarks: tuple[str, ...]  # for a person to look at

    @property
    def is_clean(self) -> bool:
        """Claim that every promise was kept."""
        return self.lost == 0 and self.shown_twice == 0 and self.ledger_balanced and not self.broken


def judged(facts: Facts) -> Verdict:
    """Say what became of every job."""
    tasks = without(facts.tasks, facts.gone)
    found = tuple(endings(facts.asked, jobs=facts.jobs, tasks=tasks, telegram=facts.telegram))
    wrong_money = list(money_troubles(found, paid=facts.paid, wallets=facts.wallets))
    laws, remarks = _laws(facts.doctor)
    known = [ending.job for ending in found if ending.job is not None]
    return Verdict(
        jobs=len(found),
        succeeded=sum(ending.has_result for ending in found),
        failed_by_provider=sum(
            job.state is JobState.FAILED and job.cause is Cause.PROVIDER for job in known
        ),
        delivered=sum(job.state is JobState.DELIVERED for job in known),
        shown_once=sum(ending.is_shown_once for ending in found),
        shown_twice=sum(ending.is_doubled for ending in found),
        lost=sum(ending.is_lost for ending in found),
        polled=sum(ending.is_polled for ending in found),
        uncertain=sum(ending.uncertain for ending in found),
        expired=sum(ending.is_expired for ending in found),
        spare_carriers=spares(facts.telegram, found).spare,
        ledger_balanced=not wrong_money and not MONEY_CHECKS & laws.keys(),
        endings=found,
        broken=(*wrong_money, *laws.values(), *map(str, facts.dropped)),
        remarks=tuple(remarks),
    )


def _laws(view: DoctorView) -> tuple[dict[str, str], Iterable[str]]:
    """Return the doctor's findings by check, and apart from them what is only remarked."""
    said = {
        found.check: f"doctor: {found.check.replace('_', ' ')}, {found.count}: {found.detail}"
        for found in view.findings
        if not found.ok
    }
    laws = {check: line for check, line in said.items() if check not in REMARKS}
    return laws, [said[check] for check in REMARKS & said.keys()]
