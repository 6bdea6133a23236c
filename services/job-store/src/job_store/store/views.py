"""What bots and operators may see of a job."""

from typing import TypeVar

from contracts.api import JobView, LedgerLine, PartView
from contracts.message import Value
from contracts.refusals import Refusal, RefusalName
from contracts.values import label
from job_store.domain.case import Case
from job_store.domain.rows import OPEN, Door
from job_store.domain.rules import Rules
from job_store.store.rows import Row

V = TypeVar("V", bound=Value)

REPLY_BYTES = 800_000


def job_view(case: Case, *, created: bool = True, callback_url: str | None = None) -> JobView:
    """Show a job as its bot may see it."""
    job = case.job
    parts = sorted(case.parts.values(), key=lambda part: (part.delivery_no, part.ordinal))
    return JobView(
        id=job.id,
        label=label(job.id),
        bot=job.bot,
        key=job.key,
        state=job.state,
        version=max(job.version, 1),
        chat_id=job.chat_id,
        user_id=job.user_id,
        price=job.price,
        currency=job.currency,
        money=job.money,
        task_ids=tuple(owner.task_id for owner in case.owners),
        parts=tuple(
            PartView(
                ordinal=part.ordinal,
                delivery_no=part.delivery_no,
                kind=part.kind,
                state=part.state,
                url=part.url,
                text=part.text,
                message_id=part.message_id,
                refusal=part.refusal,
            )
            for part in parts
        ),
        cause=job.cause,
        failure=job.failure,
        error=job.error,
        callback_url=callback_url,
        status_message_id=job.status_message_id,
        progress=job.progress,
        mode=job.mode,
        created_at=job.created_at,
        ended_at=job.ended_at,
        created=created,
    )


def view_of(case: Case, rules: Rules, *, created: bool) -> JobView:
    """Show a job to its bot; while it waits for a task with the URL that the task calls back."""
    wants_url = case.job.door is Door.EXPECT and case.job.state in OPEN
    url = rules.callback_url(case.job.id, 1) if wants_url else None
    return job_view(case, created=created, callback_url=url)


def fitting(items: list[V]) -> list[V]:
    """Return as many items as one reply carries, at least one; NATS takes 1 MiB."""
    size = 0
    kept: list[V] = []
    for item in items:
        size += len(item.model_dump_json().encode())
        if kept and size > REPLY_BYTES:
            break
        kept.append(item)
    return kept


def ledger_line(row: Row) -> LedgerLine:
    return LedgerLine(
        id=row["id"],
        at=row["at"],
        kind=row["kind"],
        amount=row["amount"],
        job_id=row["job_id"],
        reference=row["reference"],
    )


def unknown_job(what: str) -> Refusal:
    return Refusal(code=RefusalName.UNKNOWN_JOB, message=f"this bot has no job {what}"[:500])
