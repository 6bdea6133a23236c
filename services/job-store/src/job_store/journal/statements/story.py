"""All that happened to one job, by its rows."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from job_store.journal.statements.common import Rows
from job_store.journal.tables import Tables
from job_store.journal.values import Row

GONE: Final = {"prompt": "prompt_gone_at", "media": "media_gone_at", "chat": "forgotten_at"}

Line = tuple[int, datetime, str, Any]
"""What comes first of what has one time, the time, what happened, its detail."""


def story_of(t: Tables, job_id: UUID) -> Rows:
    lines = sorted(_lines(t, job_id), key=lambda line: (line[1], line[0]))
    return [{"at": at, "what": what, "detail": detail} for _, at, what, detail in lines]


def _lines(t: Tables, job_id: UUID) -> Iterator[Line]:
    for row in t.audit.by("job_id", job_id):
        yield 1, row["at"], f"operator {row['verb']}", f"{row['who']}: {row['why']}"
    for row in t.reports.by("job_id", job_id):
        yield 1, row["received_at"], f"report {row['origin']}", f"{row['state']}, {row['trust']}"
    for row in t.evidence.by("job_id", job_id):
        yield 1, row["at"], *_outcome(t, row)
    for row in t.ledger.by("job_id", job_id):
        yield 2, row["at"], f"ledger {row['kind']}", f"{row['amount']} {row['currency']}"
    for row in t.events.by("job_id", job_id):
        yield 3, row["at"], f"event {row['event']}", row["message"].get("error") or ""
    for row in t.attempts.by("job_id", job_id):
        kind = t.effects.rows[row["effect_id"]]["kind"]
        yield 4, row["at"], f"attempt {kind}", f"no {row['no']}"
    yield from _gone(t.jobs.those([job_id]))


def _gone(jobs: Rows) -> Iterator[Line]:
    for job in jobs:
        for what, column in GONE.items():
            if job[column] is not None:
                yield 5, job[column], f"gone {what}", ""


def _outcome(t: Tables, row: Row) -> tuple[str, str]:
    attempt = t.attempts.rows.get(row["attempt_id"])
    kind = t.effects.rows[attempt["effect_id"]]["kind"] if attempt else "of no attempt"
    number = f"no {attempt['no']} " if attempt else ""
    stale = "" if row["moved"] else ", stale"
    return f"outcome {kind}", f"{number}{row['kind']}{stale}{_result(row['detail'])}"


def _result(detail: dict[str, Any]) -> str:
    result = detail.get("result") or {}
    parts = result.get("parts") or [{}]
    message_id = result.get("message_id") or parts[0].get("message_id")
    told = (
        (": ", result.get("reason")),
        (", task ", result.get("task_id")),
        (", message ", message_id),
    )
    return "".join(f"{name}{value}" for name, value in told if value is not None)
