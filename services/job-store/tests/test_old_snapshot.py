"""A transaction that stays open for hours keeps dead rows, and nothing else: they go when it ends."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from chassis import postgres
from contracts.values import JobState
from store_hands import PRICE, second_store
from store_kit import Store, callback, create

pytestmark = pytest.mark.postgres

JOBS = 15
TABLES = ("jobs", "parts", "effects", "wallets", "outbox", "pacing")
DEAD = "SELECT sum(n_dead_tup)::int FROM pg_stat_user_tables WHERE relname = ANY($1)"
PAGES = "SELECT sum(pg_relation_size(('sendonce.' || t)::regclass) / 8192)::int FROM unnest($1::text[]) t"


async def lives(store: Store, first_message: int) -> None:
    """Lead so many jobs from their request into the chat, their messages relayed."""
    await store.topup(JOBS * PRICE)
    jobs = [await store.running(create(price=PRICE)) for _ in range(JOBS)]
    await store.report(*(callback(job_id) for job_id in jobs))
    assert await store.show_all(first_message) == JOBS
    assert {(await store.job(job_id)).state for job_id in jobs} == {JobState.DELIVERED}
    await store.outbox.delete_outbox([row.id for row in store.offered])


async def dead_after_vacuum(store: Store) -> int:
    for table in TABLES:
        await store.run(f"VACUUM {table}")
    found: int = await store.value(DEAD, list(TABLES))
    return found


async def nothing_dead(store: Store) -> None:
    """Vacuum until no dead row is left; a look of Postgres' own may keep some for a moment."""
    async with asyncio.timeout(10):
        while await dead_after_vacuum(store):
            pass


async def test_fault_34_an_old_snapshot_stops_nothing_and_what_it_kept_goes_with_it(store: Store):
    async with store.database.connection() as old:
        async with old.transaction(isolation="repeatable_read"):
            await old.fetch("SELECT FROM jobs")
            await lives(store, 1_000)
            kept = await dead_after_vacuum(store)
            assert await old.fetchval("SELECT count(*) FROM jobs") == 0
        assert kept > 10 * JOBS

    await nothing_dead(store)
    pages = await store.value(PAGES, list(TABLES))
    await lives(store, 2_000)
    await nothing_dead(store)
    # The second lot found the room of the first one's dead rows: no table grew by more than its new rows.
    assert await store.value(PAGES, list(TABLES)) <= pages
    assert await store.value("SELECT count(*) FROM outbox") == 0


async def test_fault_34_a_session_of_ours_that_forgets_its_transaction_is_ended(
    store: Store, database_url: str
):
    limits = postgres.Limits(idle_in_transaction=timedelta(seconds=0.2))
    async with second_store(database_url, limits=limits) as second:

        async def forget() -> None:
            async with second.database.transaction() as forgetful:
                pid = await forgetful.fetchval("SELECT pg_backend_pid()")
                async with asyncio.timeout(10):
                    while await store.fetch("SELECT FROM pg_stat_activity WHERE pid = $1", pid):
                        pass
                await forgetful.execute("SELECT 1")

        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as ended:
            await forget()
        assert postgres.is_outage(ended.value)
        await second.database.ping()
