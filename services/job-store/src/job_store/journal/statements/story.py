"""All that happened to one job, by its rows."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from job_store.journal.statements.common import Rows
from job_store.journal.tables import Tables

GONE: Final = {"prompt": "prompt_gone_at", "media": "media_gone_at", "chat": "forgotten_at"}

Line = tuple[datetime, str, Any]


def story_of(t: Tables, job_id: UUID) -> Rows:
    lines = sorted(_lines(t, job_id), key=lambda line: line[0])
    return [{"at": at, "what": what, "detail": detail} for at, what, detail in lines]


def _lines(t: Tables, job_id: UUID) -> Iterator[Line]:
    for row in t.events.by("job_id", job_id):
        yield row["at"], f"event {row['event']}", row["message"].get("error") or ""
    for row in t.attempts.by("job_id", job_id):
        kind = t.effects.rows[row["effect_id"]]["kind"]
        yield row["at"], f"attempt {kind}", f"no {row['no']}"
    for row in t.evidence.by("job_id", job_id):
        yield row["at"], f"outcome {row['kind']}", _detail(row["detail"].get("result") or {})
    for row in t.reports.by("job_id", job_id):
        yield row["received_at"], f"report {row['origin']}", f"{row['state']}, {row['trust']}"
    for row in t.audit.by("job_id", job_id):
        yield row["at"], f"operator {row['verb']}", f"{row['who']}: {row['why']}"
    yield from _gone(t.jobs.those([job_id]))
    for row in t.ledger.by("job_id", job_id):
        yield row["at"], f"ledger {row['kind']}", f"{row['amount']} {row['currency']}"


def _gone(jobs: Rows) -> Iterator[Line]:
    for job in jobs:
        for what, column in GONE.items():
            if job[column] is not None:
                yield job[column], f"gone {what}", ""


def _detail(result: dict[str, Any]) -> str:
    parts = result.get("parts") or [{}]
    for told in (result.get("reason"), result.get("task_id"), result.get("message_id")):
        if told is not None:
            return str(told)
    return str(parts[0].get("message_id") or "")
