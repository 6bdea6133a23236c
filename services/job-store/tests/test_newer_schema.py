"""A newer migration is applied while this version runs: what it adds is not in anybody's way."""

from itertools import count
from uuid import uuid4

import pytest

from chassis.verdicts import TryLater
from store_hands import assert_charged_and_shown_once, hands_of, heard, paid_and_running
from store_kit import Store, callback, create, sent

pytestmark = pytest.mark.postgres

_messages = count(50_000)
WIDE = (
    "bots",
    "jobs",
    "parts",
    "effects",
    "reports",
    "orphans",
    "wallets",
    "ledger",
    "events",
    "outbox",
)


async def lives(store: Store) -> None:
    """One job is shown by an edit, another is sent; a callback comes before its job."""
    await store.report(callback(None, task_id=str(uuid4())))
    job_id = await paid_and_running(store)
    await hands_of(store).on_report_received(heard(callback(job_id)))
    await assert_charged_and_shown_once(store, job_id)
    await store.report(callback(await store.running(create(mode="send"))))
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    await store.delivered(ask, sent(ask, next(_messages)), holder=ask.attempt.id)


@pytest.mark.parametrize("column", ["text", "int NOT NULL DEFAULT 7"], ids=["empty", "default"])
async def test_fault_35_60_columns_of_a_newer_schema_are_in_nobodys_way(store: Store, column: str):
    """Only the first transaction after it is run again: what it had prepared is of the old schema."""
    await lives(store)
    job_id, hands = await paid_and_running(store), hands_of(store)
    message = heard(callback(job_id))

    for table in WIDE:
        await store.run(f"ALTER TABLE {table} ADD COLUMN of_a_newer_version {column}")
    with pytest.raises(TryLater, match="InvalidCachedStatementError"):
        await hands.on_report_received(message)

    await hands.on_report_received(message)
    await assert_charged_and_shown_once(store, job_id)
    await lives(store)
    if "DEFAULT" in column:
        assert await store.value("SELECT min(of_a_newer_version) FROM jobs") == 7
