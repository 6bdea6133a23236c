"""What a transaction tells: events of jobs for their bots, of orphans for operators."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from chassis import tracing
from contracts.events import JobEvent, JobEventName, OrphanEvent, OrphanEventName
from contracts.subjects import orphan_event
from contracts.values import trace_of
from job_store.domain.case import Case
from job_store.store.rows import Row


def orphan_news(
    name: OrphanEventName, row: Row, *, at: datetime, mark: str, job_id: UUID | None = None
) -> tuple[str, OrphanEvent]:
    """Tell of an orphan; ``mark`` sets one waiting or expiry of it apart from the next."""
    event = OrphanEvent(
        id=f"orphan:{row['id']}:{name}:{mark}",
        at=at,
        event=name,
        orphan_id=row["id"],
        task_id=row["task_id"],
        job_id=job_id,
    )
    return orphan_event(name), event


def begin_traces(cases: Iterable[Case], *, since: float) -> None:
    """Record the first span of every job that was made here, by whatever door."""
    for case in cases:
        if case.stored_job is None:
            facts = {"sendonce.job_id": str(case.job.id), "sendonce.bot": case.job.bot}
            tracing.root("create job", trace_of(case.job.id), since=since, facts=facts)


def event_of(case: Case, name: JobEventName) -> JobEvent:
    job = case.job
    return JobEvent(
        id=f"{job.id}:{job.version}:{name}",
        at=case.now,
        trace=case.trace or trace_of(job.id),
        event=name,
        job_id=job.id,
        bot=job.bot,
        key=job.key,
        version=job.version,
        state=job.state,
        chat_id=job.chat_id,
        user_id=job.user_id,
        task_id=case.owners[-1].task_id if case.owners else None,
        media=tuple(dict.fromkeys(link for part in case.delivery for link in part.links)),
        cause=job.cause,
        failure=job.failure,
        error=job.error,
        money=job.money,
    )
