"""What a transaction tells: events of jobs for their bots, of orphans for operators."""

from datetime import datetime
from uuid import UUID

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
