"""cases.sql: jobs with all that belongs to them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from chassis.queries import load
from job_store.journal.statements.common import Rows, by_id, each, is_held, recordset
from job_store.journal.table import Table
from job_store.journal.tables import Tables
from job_store.journal.values import Read, from_json
from job_store.store.rows import columns_of

sql: Final = load("job_store.store", "cases.sql")

OWNER: Final = "account family operation task_id job_id"
HANDED: Final = ("subject", "msg_id", "payload", "trace")
LEASE: Final = timedelta(seconds=10)


def lock_jobs(t: Tables, ids: Sequence[UUID]) -> Rows:
    more = {"now": t.now, "is_held": is_held(t)}
    return [job | more for job in sorted(t.jobs.those(ids), key=by_id)]


def see_jobs(t: Tables, ids: Sequence[UUID]) -> Rows:
    more = {"now": t.now, "is_held": False}
    return [job | more for job in sorted(t.jobs.those(ids), key=by_id)]


def effects_of_jobs(t: Tables, ids: Sequence[UUID]) -> Rows:
    return t.effects.by("job_id", *ids)


def parts_of_jobs(t: Tables, ids: Sequence[UUID]) -> Rows:
    return t.parts.by("job_id", *ids)


def owners_of_jobs(t: Tables, ids: Sequence[UUID]) -> Rows:
    owners = sorted(t.task_owners.by("job_id", *ids), key=lambda owner: owner["at"])
    return each(owners, OWNER)


def bots_by_slug(t: Tables, slugs: Sequence[str]) -> Rows:
    return t.bots.those(slugs)


def meet_at_tasks(t: Tables, ids: Sequence[str]) -> None:
    for task_id in ids:
        if t.tasks.get(task_id) is None:
            t.tasks.add({"task_id": task_id})


def lock_tasks(t: Tables, ids: Sequence[str]) -> Rows:
    return each(t.tasks.those(sorted(ids)), "task_id")


def owners_of_tasks(t: Tables, ids: Sequence[str]) -> Rows:
    return each(t.task_owners.by("task_id", *ids), OWNER)


def insert_jobs(t: Tables, written: str) -> None:
    _insert(t.jobs, written)


def update_jobs(t: Tables, written: str) -> Rows:
    rows = recordset(written)
    changes = [row for row in rows if t.jobs.rows[_id(row)]["version"] == row["version"] - 1]
    return each(_update(t.jobs, sql.update_jobs, changes), "id")


def insert_parts(t: Tables, written: str) -> None:
    _insert(t.parts, written)


def update_parts(t: Tables, written: str) -> None:
    _update(t.parts, sql.update_parts, recordset(written))


def insert_effects(t: Tables, written: str) -> None:
    _insert(t.effects, written)


def update_effects(t: Tables, written: str) -> None:
    _update(t.effects, sql.update_effects, recordset(written))


def insert_carriers(t: Tables, written: str) -> None:
    for row in recordset(written):
        known = t.carriers.get(t.carriers.key_of(row))
        if known is None or known["part_id"] != UUID(row["part_id"]):
            t.carriers.add(row)


def insert_attempts(t: Tables, written: str) -> None:
    _insert(t.attempts, written)


def insert_owners(t: Tables, written: str) -> None:
    _insert(t.task_owners, written)


def insert_durations(t: Tables, written: str) -> None:
    _insert(t.durations, written)


def order_events(_t: Tables, _bots: Sequence[str]) -> None:
    """There is one transaction at a time."""


def insert_events(
    t: Tables,
    bots: Sequence[str],
    job_ids: Sequence[UUID],
    events: Sequence[str],
    messages: Sequence[str],
) -> None:
    for bot, job_id, event, message in zip(bots, job_ids, events, messages, strict=True):
        told = Read(from_json(message))
        t.events.add({"bot": bot, "job_id": job_id, "event": event, "message": told})


def insert_outbox(
    t: Tables,
    subjects: Sequence[str],
    ids: Sequence[str],
    payloads: Sequence[bytes],
    traces: Sequence[str | None],
) -> Rows:
    rows = [
        dict(zip(HANDED, row, strict=True)) | {"leased_until": t.now + LEASE}
        for row in zip(subjects, ids, payloads, traces, strict=True)
    ]
    return each(map(t.outbox.add, rows), f"id {' '.join(HANDED)}")


def _insert(table: Table, written: str) -> None:
    for row in recordset(written):
        table.add(row)


def _update(table: Table, query: str, rows: Iterable[dict[str, Any]]) -> Rows:
    """Change the columns that the statement names, also to NULL."""
    names = [name for name in columns_of(query) if name != "id"]
    return [
        table.change(table.rows[_id(row)], **{name: row.get(name) for name in names})
        for row in rows
    ]


def _id(row: dict[str, Any]) -> UUID:
    return UUID(row["id"])
