"""forgetting.sql: content goes, its job stays."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from job_store.journal.statements.common import Rows, by_id, each, is_held
from job_store.journal.tables import Tables
from job_store.journal.values import Row

WORDS: Final = ("media", "error")
SAID: Final = ("reason", "file_id")
READ: Final = ("media", "error_message", "error_code")


def _less(whole: Row, *names: str) -> Row:
    return {name: value for name, value in whole.items() if name not in names}


def _is_over(t: Tables, job: Row) -> bool:
    """Nothing of it is to be called any more."""
    effects = t.effects.by("job_id", job["id"])
    return all(effect["state"] not in ("pending", "acting") for effect in effects)


def _ended(t: Tables, index: str, age: timedelta, limit: int) -> Rows:
    if is_held(t):
        return []
    old = [
        job for job in t.jobs.by(index, ()) if job["ended_at"] < t.now - age and _is_over(t, job)
    ]
    return each(sorted(old, key=lambda job: job["ended_at"])[:limit], "id")


def ended_with_prompt(t: Tables, age: timedelta, limit: int) -> Rows:
    return _ended(t, "with_prompt", age, limit)


def ended_with_media(t: Tables, age: timedelta, limit: int) -> Rows:
    return _ended(t, "with_media", age, limit)


def waiting_too_long(t: Tables, age: timedelta, limit: int) -> Rows:
    if is_held(t):
        return []
    unsettled = t.parts.by("state", "uncertain", "parked")
    parts = [part for part in unsettled if part["made_at"] < t.now - age]
    parts.sort(key=lambda part: part["made_at"])
    jobs = t.jobs.those(part["job_id"] for part in parts[:limit])
    return each(sorted((job for job in jobs if _is_over(t, job)), key=by_id), "id")


def forget_prompts(t: Tables, ids: Sequence[UUID]) -> None:
    for job in t.jobs.those(ids):
        t.jobs.change(
            job, input={}, caption="", caption_entities=[], buttons=[], prompt_gone_at=t.now
        )


def forget_media(t: Tables, ids: Sequence[UUID]) -> None:
    for job in t.jobs.those(ids):
        t.jobs.change(job, media_gone_at=t.now)


def forget_parts(t: Tables, ids: Sequence[UUID]) -> None:
    for part in t.parts.by("job_id", *ids):
        t.parts.change(part, url=None, text="", entities=[], body=None, name=None, buttons=[])


def forget_words(t: Tables, ids: Sequence[UUID]) -> None:
    for event in t.events.by("job_id", *ids):
        if any(word in event["message"] for word in WORDS):
            t.events.change(event, message=_less(event["message"], *WORDS))


def forget_outcomes(t: Tables, ids: Sequence[UUID]) -> None:
    for row in t.evidence.by("job_id", *ids):
        t.evidence.change(row, detail=_unsaid(row["detail"]))


def _unsaid(detail: Row) -> Row:
    if not isinstance(detail.get("result"), dict):
        return detail
    result = _less(detail["result"], *SAID)
    if "parts" in result:
        result["parts"] = [_less(part, "file_id") for part in result["parts"]] or None
    return detail | {"result": result}


def forget_bodies(t: Tables, ids: Sequence[str]) -> None:
    for report in t.reports.those(ids):
        message = _less(report["message"], "headers")
        emptied = {"body": "", "reading": _less(message["reading"], *READ)}
        t.reports.change(report, body_gone_at=t.now, message=message | emptied)


def old_bodies(t: Tables, age: timedelta, limit: int) -> Rows:
    if is_held(t):
        return []
    old = [row for row in t.reports.by("with_body", ()) if row["applied_at"] < t.now - age]
    return each(sorted(old, key=lambda row: row["applied_at"])[:limit], "id")


def forget_dead_letters(t: Tables, age: timedelta) -> None:
    if is_held(t):
        return
    for letter in t.dead_letters.all():
        if letter["at"] < t.now - age and letter["payload"]:
            t.dead_letters.change(
                letter,
                payload=b"",
                reason=letter["reason"].partition(":")[0],
                settled_at=letter["settled_at"] or t.now,
                settled_as=letter["settled_as"] or "discarded",
            )


def forget_chats(t: Tables, ids: Sequence[UUID]) -> None:
    for job in t.jobs.those(ids):
        t.jobs.change(job, forgotten_at=t.now)


def forget_carriers(t: Tables, ids: Sequence[UUID]) -> None:
    parts = [part["id"] for part in t.parts.by("job_id", *ids)]
    for carrier in t.carriers.by("part_id", *parts):
        t.carriers.drop(carrier)


def forget_event_chats(t: Tables, ids: Sequence[UUID]) -> None:
    for event in t.events.by("job_id", *ids):
        t.events.change(event, message=_less(event["message"], "chat_id"))


def forget_outcome_chats(t: Tables, ids: Sequence[UUID]) -> None:
    for row in t.evidence.by("job_id", *ids):
        detail: dict[str, Any] = _less(row["detail"], "chat_id")
        if isinstance(detail.get("result"), dict):
            detail["result"] = _less(detail["result"], "chat_id")
        t.evidence.change(row, detail=detail)


def bodies_of_jobs(t: Tables, ids: Sequence[UUID]) -> Rows:
    tasks = [owner["task_id"] for owner in t.task_owners.by("job_id", *ids)]
    found = _unforgotten(t.reports.by("job_id", *ids)) | _unforgotten(
        t.reports.by("task_id", *tasks)
    )
    return [{"id": id_} for id_ in found]


def _unforgotten(reports: Iterable[Row]) -> set[str]:
    return {report["id"] for report in reports if report["body_gone_at"] is None}
