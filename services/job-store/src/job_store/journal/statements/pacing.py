"""pacing.sql: whose calls are counted, and what is parked until when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from job_store.journal.statements.common import Rows, wait_for_owner
from job_store.journal.tables import Tables
from job_store.journal.values import Row

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FORGOTTEN: Final = timedelta(hours=1)


def make_buckets(t: Tables, keys: Sequence[str]) -> None:
    for key in keys:
        if t.pacing.get(key) is None:
            t.pacing.add({"key": key, "tat": EPOCH})


def lock_buckets(t: Tables, keys: Sequence[str]) -> Rows:
    return t.pacing.those(sorted(keys))


def save_buckets(t: Tables, buckets: Sequence[Row]) -> None:
    for bucket in buckets:
        names = ("tat", "tail", "parked_until", "needs_owner", "credits")
        t.pacing.change(t.pacing.rows[bucket["key"]], **{name: bucket.get(name) for name in names})


def forget_buckets(t: Tables) -> None:
    for bucket in t.pacing.all():
        is_old = bucket["tat"] < t.now - FORGOTTEN
        if is_old and not any(_is_ahead(t, bucket[name]) for name in ("parked_until", "tail")):
            t.pacing.drop(bucket)


def _is_ahead(t: Tables, moment: datetime | None) -> bool:
    return moment is not None and moment >= t.now


def paused_accounts(t: Tables, keys: Sequence[str]) -> Rows:
    return wait_for_owner(t, t.pacing.those(keys))
