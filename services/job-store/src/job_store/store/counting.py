"""What committed transactions have made of jobs and orphans, counted; labels are bots and names of events."""

from collections.abc import Iterable
from typing import Final

from chassis.metrics import counter, histogram
from contracts.events import JobEventName, OrphanEvent
from contracts.message import Message
from job_store.domain.case import Case

# From an image in seconds to a video in a quarter of an hour, and what came late.
LIVES: Final = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0)

_JOBS: Final = counter("job_events_total", "What became of jobs.", ["bot", "event"])
_SECONDS: Final = histogram(
    "job_seconds", "From a job's creation to its end.", ["bot", "state"], LIVES
)
_ORPHANS: Final = counter("orphan_events_total", "What became of orphans.", ["event"])
_MONEY: Final = counter("money_moves_total", "Ledger entries.", ["bot", "kind"])


def count(cases: Iterable[Case], outgoing: Iterable[tuple[str, Message]]) -> None:
    """Count a transaction that is committed."""
    for case in cases:
        for event in case.news:
            _JOBS.labels(case.job.bot, event).inc()
        if case.job.ended_at == case.now and case.news and case.news[-1] in ENDS:
            lived = case.job.ended_at - case.job.created_at
            _SECONDS.labels(case.job.bot, case.job.state).observe(lived.total_seconds())
        for transfer in case.transfers:
            _MONEY.labels(case.job.bot, transfer.kind).inc()
    for _, message in outgoing:
        if isinstance(message, OrphanEvent):
            _ORPHANS.labels(message.event).inc()


ENDS: Final = frozenset(
    {
        JobEventName.DELIVERED,
        JobEventName.FAILED,
        JobEventName.UNDELIVERABLE,
        JobEventName.EXPIRED,
        JobEventName.CANCELLED,
    }
)
