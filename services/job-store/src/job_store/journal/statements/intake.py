"""intake.sql: how much a user and a bot have asked for."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from job_store.journal.statements.common import OPEN, Rows, each
from job_store.journal.statements.pacing import make_buckets
from job_store.journal.tables import Tables
from job_store.journal.values import Row


def lock_intake(t: Tables, keys: Sequence[str]) -> Rows:
    make_buckets(t, keys)
    return each(t.pacing.those(sorted(keys)), "key tat")


def open_jobs(t: Tables, bots: Sequence[str], users: Sequence[int], whole: Sequence[str]) -> Rows:
    of_users = [
        _counted(f"user:{bot}:{user}", filter(_is_open, t.jobs.by("user", (bot, user))))
        for bot, user in zip(bots, users, strict=True)
    ]
    open_now = t.jobs.by("state", *OPEN)
    of_bots = [_counted(f"intake:{bot}", (j for j in open_now if j["bot"] == bot)) for bot in whole]
    return of_users + [row for row in of_bots if row["open_jobs"]]


def _is_open(job: Row) -> bool:
    return job["ended_at"] is None and job["state"] != "succeeded"


def _counted(key: str, jobs: Iterable[Row]) -> dict[str, Any]:
    found = list(jobs)
    return {
        "key": key,
        "open_jobs": len(found),
        "open_holds": sum(job["price"] > 0 for job in found),
        "oldest_at": min((job["created_at"] for job in found), default=None),
    }


def save_intake(t: Tables, keys: Sequence[str], moments: Sequence[datetime]) -> None:
    for key, tat in zip(keys, moments, strict=True):
        for bucket in t.pacing.those([key]):
            t.pacing.change(bucket, tat=tat)
