"""lineage.sql: is this older than what was acknowledged."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from job_store.journal.statements.common import Rows, each
from job_store.journal.statements.common import is_held as _is_held
from job_store.journal.tables import Tables
from job_store.journal.values import Row


def held(t: Tables) -> Rows:
    return [{"exists": _is_held(t)}]


def known(t: Tables, ids: Sequence[str], seqs: Sequence[int], durable: str) -> Rows:
    found = each(t.reports.those(ids), "id") + each(t.evidence.those(ids), "id")
    dead = [
        {"id": id_}
        for id_, seq in zip(ids, seqs, strict=True)
        if t.dead_letters.count("place", (durable, seq))
    ]
    return found + dead


def hold(t: Tables, durable: str, missing: str) -> Rows:
    if _is_held(t):
        return []
    return each([t.restores.add({"durable": durable, "missing": missing})], "id")


def open_restore(t: Tables) -> Rows:
    return each(t.restores.by("restores_open", ()), "id found_at phase durable missing")


def move_on(t: Tables, id_: int, phase: str) -> None:
    for restore in t.restores.by("restores_open", ()):
        if restore["id"] == id_:
            over = t.now if phase == "over" else None
            t.restores.change(restore, phase=phase, resumed_at=over)


def may_repeat(t: Tables, before: datetime, limit: int) -> Rows:
    ids = {
        effect["job_id"]
        for effect in t.effects.by("state", "pending", "acting")
        if t.jobs.rows[effect["job_id"]]["created_at"] < before and _is_done_anew(t, effect)
    }
    return [{"id": id_} for id_ in sorted(ids)[:limit]]


def _is_done_anew(t: Tables, effect: Row) -> bool:
    if effect["kind"] == "show":
        return t.parts.rows[effect["part_id"]]["message_id"] is None
    return effect["kind"] in ("submit", "send")


def unknown_jobs(t: Tables, limit: int) -> Rows:
    named = {
        token["job_id"]
        for report in t.reports.by("job_id", None)
        if (token := report["message"].get("token")) and token.get("verdict") == "valid"
    }
    unknown = sorted(id_ for id_ in named if t.jobs.get(UUID(id_)) is None)
    return [{"id": id_} for id_ in unknown[:limit]]
