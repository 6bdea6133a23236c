"""What committed transactions have made of jobs and orphans, counted; labels are bots and names of events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import product
from typing import Final, get_args

from chassis.metrics import counter, histogram
from contracts.events import JobEventName, OrphanEvent, OrphanEventName
from contracts.message import Message
from contracts.refusals import LimitHit
from contracts.reports import ReportReceived
from job_store.domain.case import Case
from job_store.domain.intake import What, Whose
from job_store.domain.reports import Trust
from job_store.domain.rows import EffectKind

# From an image in seconds to a video in a quarter of an hour, and what came late.
LIVES: Final = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0)
# A stage may be one call of Telegram.
STAGES: Final = (0.05, 0.1, 0.25, 0.5, *LIVES)
# From one slot of a bot to the end of the longest line a bucket knows.
WAITS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Stage(StrEnum):
    SUBMITTED = "submitted"  # from creation to a known task
    REPORTED = "reported"  # from the createTask call to the result
    SHOWN = "shown"  # from the result to the chat


_JOBS: Final = counter("job_events_total", "What became of jobs.", ["bot", "event"])
_SECONDS: Final = histogram(
    "job_seconds", "From a job's creation to its end.", ["bot", "state"], LIVES
)
_STAGES: Final = histogram(
    "job_stage_seconds",
    "How long a job took to be submitted, from then to be reported, from then to be shown.",
    ["bot", "stage"],
    STAGES,
)
_ORPHANS: Final = counter(
    "orphan_events_total", "What became of orphans.", ["event"], known=OrphanEventName
)
_MONEY: Final = counter("money_moves_total", "Ledger entries.", ["bot", "kind"])
_REPORTS: Final = counter(
    "reports_total",
    "Callbacks and polls by how far they were believed and what they did.",
    ["origin", "trust", "did"],
)
_REPORT_LAG: Final = histogram(
    "report_lag_seconds", "From a report's arrival to its commit.", ["origin"]
)
_OUTCOMES: Final = counter(
    "outcomes_total", "What came of effects, as workers told it.", ["bot", "kind", "outcome"]
)
_LIMITED: Final = counter(
    "limit_refusals_total",
    "Requests for a job that a limit refused, by the name of its setting in small letters.",
    ["bot", "limit"],
)
LIMITS: Final = tuple(map("_".join, product(get_args(Whose), get_args(What))))
_WAITS: Final = histogram(
    "pacing_wait_seconds", "Waits that pacing gave to effects.", ["kind"], WAITS
)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a transaction did that its jobs do not show."""

    reports: list[tuple[ReportReceived, Trust, str, timedelta | None]] = field(default_factory=list)
    outcomes: list[tuple[str, EffectKind, str]] = field(default_factory=list)
    waits: list[tuple[EffectKind, timedelta]] = field(default_factory=list)
    limited: list[tuple[str, LimitHit]] = field(default_factory=list)


def count(cases: Iterable[Case], outgoing: Iterable[tuple[str, Message]], tally: Tally) -> None:
    """Count a transaction that is committed."""
    for case in cases:
        for event in case.news:
            _JOBS.labels(case.job.bot, event).inc()
            _note_stage(case, event)
        if case.job.ended_at == case.now and case.news and case.news[-1] in ENDS:
            lived = case.job.ended_at - case.job.created_at
            _SECONDS.labels(case.job.bot, case.job.state).observe(lived.total_seconds())
        for transfer in case.transfers:
            _MONEY.labels(case.job.bot, transfer.kind).inc()
    for _, message in outgoing:
        if isinstance(message, OrphanEvent):
            _ORPHANS.labels(message.event).inc()
    _count_tally(tally)


def know(bots: Iterable[str]) -> None:
    """Show every event of these bots and every limit, also those that never happened."""
    for bot in bots:
        for event in JobEventName:
            _JOBS.labels(bot, event)
        for limit in LIMITS:
            _LIMITED.labels(bot, limit)


def _count_tally(tally: Tally) -> None:
    for report, believed, did, lag in tally.reports:
        _REPORTS.labels(report.origin, believed, did).inc()
        if lag is not None:
            _REPORT_LAG.labels(report.origin).observe(max(lag.total_seconds(), 0))
    for labels in tally.outcomes:
        _OUTCOMES.labels(*labels).inc()
    for kind, wait in tally.waits:
        _WAITS.labels(kind).observe(wait.total_seconds())
    for bot, hit in tally.limited:
        _LIMITED.labels(bot, f"{hit.whose}_{hit.what}").inc()


def _note_stage(case: Case, event: JobEventName) -> None:
    """Observe the stage that this event ends, where the job's door has it."""
    match event:
        case JobEventName.RUNNING:
            stage, began = Stage.SUBMITTED, case.job.created_at
        case JobEventName.SUCCEEDED if case.took is not None:  # not when it is shown anew
            call = case.effect_of(EffectKind.SUBMIT)
            stage, began = Stage.REPORTED, (call and call.claimed_at) or case.job.created_at
        case JobEventName.DELIVERED if parts := case.delivery:
            stage, began = Stage.SHOWN, parts[0].made_at
        case _:
            return
    seconds = max((case.now - began).total_seconds(), 0)
    _STAGES.labels(case.job.bot, stage).observe(seconds)


ENDS: Final = frozenset(
    {
        JobEventName.DELIVERED,
        JobEventName.FAILED,
        JobEventName.UNDELIVERABLE,
        JobEventName.EXPIRED,
        JobEventName.CANCELLED,
    }
)
