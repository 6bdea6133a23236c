"""pauses.sql: what an operator stops, and lets go on."""

from collections.abc import Sequence

from job_store.journal.statements.common import Rows, each
from job_store.journal.tables import Tables
from job_store.journal.values import Row


def lock_bot(t: Tables, slug: str) -> Rows:
    return each(t.bots.those([slug]), "slug pauses kie_account token_ref")


def set_pauses(t: Tables, slug: str, pauses: Row) -> None:
    for bot in t.bots.those([slug]):
        t.bots.change(bot, pauses=pauses)


def unpark(t: Tables, keys: Sequence[str]) -> None:
    for bucket in t.pacing.those(keys):
        t.pacing.change(bucket, parked_until=None, needs_owner=None, tail=None)


def leave_queues(t: Tables, patterns: Sequence[str]) -> None:
    prefixes = tuple(pattern.removesuffix("%") for pattern in patterns)
    for bucket in t.pacing.all():
        is_queued = bucket["tail"] is not None and bucket["tail"] > t.now
        if is_queued and bucket["key"].startswith(prefixes):
            t.pacing.change(bucket, tail=None)


def lock_waiting(t: Tables, bot: str, kinds: Sequence[str]) -> Rows:
    # One transaction at a time: nobody else is at work on them.
    return [{"id": id_} for id_ in sorted({it["job_id"] for it in _pending(t, bot, kinds)})]


def release(t: Tables, bot: str, kinds: Sequence[str]) -> Rows:
    waiting = [effect for effect in _pending(t, bot, kinds) if effect["due_at"] > t.now]
    return each((t.effects.change(it, due_at=t.now, queued=False) for it in waiting), "id")


def _pending(t: Tables, bot: str, kinds: Sequence[str]) -> Rows:
    return [
        effect
        for effect in t.effects.by("state", "pending")
        if effect["kind"] in kinds and t.jobs.rows[effect["job_id"]]["bot"] == bot
    ]
