"""outbox.sql: messages written with their cause, until the bus has them."""

from collections.abc import Sequence

from job_store.journal.statements.cases import LEASE
from job_store.journal.statements.common import Rows, by_id, each
from job_store.journal.tables import Tables


def claim_outbox(t: Tables, limit: int) -> Rows:
    free = sorted((row for row in t.outbox.all() if row["leased_until"] < t.now), key=by_id)
    claimed = [t.outbox.change(row, leased_until=t.now + LEASE) for row in free[:limit]]
    return each(claimed, "id subject msg_id payload")


def delete_outbox(t: Tables, ids: Sequence[int]) -> None:
    for row in t.outbox.those(ids):
        t.outbox.drop(row)


def release_outbox(t: Tables, ids: Sequence[int]) -> None:
    for row in t.outbox.those(ids):
        t.outbox.change(row, leased_until=t.now)


def oldest_outbox(t: Tables) -> Rows:
    oldest = min((row["at"] for row in t.outbox.all()), default=None)
    return [{"age": None if oldest is None else t.now - oldest}]
