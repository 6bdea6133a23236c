"""users.sql: all that is kept of one user."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from job_store.journal.statements.common import OPEN, Rows, each
from job_store.journal.table import Table
from job_store.journal.tables import Tables
from job_store.journal.values import Row, written

Kept = tuple[str, str, Row]


def kept(
    t: Tables, bot: str, user_id: int, table: str | None, offset: int, limit: int | None
) -> Rows:
    found = sorted(_kept(t, bot, user_id), key=lambda one: one[:2])
    named = [one for one in found if table in (None, one[0])]
    end = None if limit is None else offset + limit
    return [{"name": name, "row": row} for name, _, row in named[offset:end]]


def counted(t: Tables, *args: Any) -> Rows:  # noqa: ANN401 - those of `kept`
    """Return how many rows each table has."""
    names = Counter(row["name"] for row in kept(t, *args))
    return [{"name": name, "rows": count} for name, count in sorted(names.items())]


def _kept(t: Tables, bot: str, user_id: int) -> Iterator[Kept]:
    jobs = [job["id"] for job in t.jobs.by("user", (bot, user_id))]
    yield from _money(t, bot, user_id)
    yield from _of_parts(t, jobs)
    for table in (t.effects, t.attempts, t.evidence, t.reports):
        yield from (_told(table, row, str(row["id"])) for row in table.by("job_id", *jobs))
    owners = t.task_owners.by("job_id", *jobs)
    yield from (_told(t.task_owners, it, f"{it['job_id']} {it['task_id']}") for it in owners)
    events = t.events.by("job_id", *jobs)
    yield from (_told(t.events, row, f"{row['seq']:020}") for row in events)
    yield from (_told(t.jobs, row, str(row["id"])) for row in t.jobs.those(jobs))
    orphans = (row for row in t.orphans.all() if row["job_id"] in jobs)
    yield from (_told(t.orphans, row, str(row["id"])) for row in orphans)
    target = f"user {user_id} of bot {bot}"
    lines = (row for row in t.audit.all() if row["job_id"] in jobs or row["target"] == target)
    yield from (_told(t.audit, row, f"{row['id']:020}") for row in lines)


def _money(t: Tables, bot: str, user_id: int) -> Iterator[Kept]:
    for key, row in t.wallets.rows.items():
        if (row["bot"], row["user_id"]) == (bot, user_id):
            yield _told(t.wallets, row, row["currency"])
            for entry in t.ledger.by("wallet", key):
                yield _told(t.ledger, entry, f"{entry['id']:020}")


def _of_parts(t: Tables, jobs: list[UUID]) -> Iterator[Kept]:
    for part in t.parts.by("job_id", *jobs):
        place = f"{part['job_id']} {part['delivery_no']} {part['ordinal']:05}"
        yield _told(t.parts, part, place)
        for row in t.carriers.by("part_id", part["id"]):
            yield _told(t.carriers, row, f"{row['part_id']} {row['no']}")


def _told(table: Table, row: Row, key: str) -> Kept:
    """Name a row, with all its columns in words of JSON."""
    return table.spec.name, key, json.loads(json.dumps(row, default=written))


def unforgotten(t: Tables, bot: str, user_id: int, limit: int) -> Rows:
    jobs = [job for job in t.jobs.by("user", (bot, user_id)) if job["forgotten_at"] is None]
    jobs.sort(key=lambda job: (not _may_be_in_the_way(t, job), job["id"]))
    return each(jobs[:limit], "id")


def _may_be_in_the_way(t: Tables, job: Row) -> bool:
    effects = t.effects.by("job_id", job["id"])
    return job["state"] in OPEN or any(
        effect["state"] in ("pending", "acting", "uncertain") for effect in effects
    )


def count_unforgotten(t: Tables, bot: str, user_id: int) -> Rows:
    jobs = t.jobs.by("user", (bot, user_id))
    return [{"count": sum(job["forgotten_at"] is None for job in jobs)}]
