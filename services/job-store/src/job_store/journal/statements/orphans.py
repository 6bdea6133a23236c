"""orphans.sql: callbacks whose job is not known, and how they find it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from job_store.journal.statements.common import Rows, by_id, each
from job_store.journal.tables import Tables


def orphans_of_tasks(t: Tables, task_ids: Sequence[str]) -> Rows:
    found = t.orphans.by("orphans_task_id_key", *task_ids)
    return each(
        sorted((orphan for orphan in found if orphan["state"] != "matched"), key=by_id),
        "id task_id",
    )


def reports_of_orphans(t: Tables, task_ids: Sequence[str]) -> Rows:
    found = [report for report in t.reports.by("task_id", *task_ids) if report["job_id"] is None]
    found.sort(key=lambda report: report["received_at"])
    return each(found, "task_id trust message")


def match_orphan(t: Tables, id_: UUID, job_id: UUID) -> None:
    orphan = t.orphans.rows[id_]
    if orphan["state"] != "matched":
        t.orphans.change(orphan, state="matched", job_id=job_id, matched_at=t.clock.now())


def adopt_reports(t: Tables, task_id: str, job_id: UUID) -> None:
    for report in t.reports.by("task_id", task_id):
        if report["job_id"] is None:
            t.reports.change(report, job_id=job_id)


def keep_orphans(t: Tables, ids: Sequence[UUID], task_ids: Sequence[str]) -> Rows:
    kept = []
    for id_, task_id in zip(ids, task_ids, strict=True):
        known = t.orphans.one("orphans_task_id_key", task_id)
        if known is None:
            kept.append(t.orphans.add({"id": id_, "task_id": task_id, "state": "waiting"}))
        elif known["state"] == "expired":
            kept.append(t.orphans.change(known, state="waiting", seen_at=t.now))
    return each(kept, "id task_id")


def expire_orphans(t: Tables, older_than: timedelta, limit: int) -> Rows:
    waiting = t.orphans.by("state", "waiting")
    late = [orphan for orphan in waiting if orphan["seen_at"] < t.now - older_than]
    late.sort(key=lambda orphan: orphan["seen_at"])
    expired = [t.orphans.change(orphan, state="expired") for orphan in late[:limit]]
    return each(expired, "id task_id")
