"""Postgres: every wait is bounded, and an exception says whether to come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from chassis import postgres as rooms
from chassis_servers import Postgres, free_port, until

LIMITS = rooms.Limits(
    acquire=timedelta(seconds=0.2), statement=timedelta(seconds=0.2), lock=timedelta(seconds=0.1)
)


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[rooms.Database]:
    found = await rooms.connect(
        postgres.dsn, application_name="tests", schema="rooms", max_size=2, limits=LIMITS
    )
    async with found.connection() as lent:
        await lent.execute("DROP SCHEMA IF EXISTS rooms CASCADE; CREATE SCHEMA rooms")
        await lent.execute("CREATE TABLE rows (id int PRIMARY KEY, body jsonb)")
    yield found
    await rooms.disconnect(found)


async def test_sessions_carry_the_limits_the_schema_and_the_name(database: rooms.Database) -> None:
    async with database.connection() as lent:
        shown = {
            name: await lent.fetchval(f"SHOW {name}")
            for name in ("statement_timeout", "lock_timeout", "application_name", "search_path")
        }
        first = await lent.fetchval("SELECT schemaname FROM pg_tables WHERE tablename = 'rows'")

    assert shown == {
        "statement_timeout": "200ms",
        "lock_timeout": "100ms",
        "application_name": "tests",
        "search_path": "rooms",
    }
    assert first == "rooms"


async def test_limits_survive_the_return_to_the_pool(database: rooms.Database) -> None:
    for _ in range(3):
        async with database.connection() as lent:
            assert await lent.fetchval("SHOW statement_timeout") == "200ms"


async def test_a_transaction_left_open_ends_with_the_lending(database: rooms.Database) -> None:
    """Nothing resets a session, so this much must be sure: no lock and no row outlives its caller."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # asyncpg tells
    for _ in range(2):
        async with database.connection() as lent:
            assert not lent.is_in_transaction()
            await lent.execute("BEGIN; INSERT INTO rows VALUES (1, NULL); LOCK rows")

    async with database.transaction() as lent:
        await lent.execute("LOCK rows")
        assert await lent.fetchval("SELECT count(*) FROM rows") == 0


async def test_jsonb_is_plain_values(database: rooms.Database) -> None:
    body = {"a": [1, None, "я"]}

    async with database.transaction() as lent:
        await lent.execute("INSERT INTO rows VALUES (1, $1)", body)

    async with database.connection() as lent:
        assert await lent.fetchval("SELECT body FROM rows") == body


async def test_a_transaction_that_raises_leaves_nothing(database: rooms.Database) -> None:
    async def change_of_mind() -> None:
        async with database.transaction() as lent:
            await lent.execute("INSERT INTO rows VALUES (1, NULL)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()

    async with database.connection() as lent:
        assert await lent.fetchval("SELECT count(*) FROM rows") == 0


async def test_fault_30_waiting_for_a_connection_is_bounded_and_an_outage(
    database: rooms.Database,
) -> None:
    async with database.connection(), database.connection():
        with pytest.raises(TimeoutError) as raised:
            await database.ping()

    assert rooms.is_outage(raised.value)


async def test_fault_31_slow_statements_and_locks_are_outages(database: rooms.Database) -> None:
    async with database.connection() as lent:
        with pytest.raises(asyncpg.QueryCanceledError) as slow:
            await lent.execute("SELECT pg_sleep(5)")
    async with database.transaction() as holder, database.connection() as other:
        await holder.execute("LOCK TABLE rows")
        with pytest.raises(asyncpg.LockNotAvailableError) as locked:
            await other.execute("SELECT * FROM rows")

    assert rooms.is_outage(slow.value)
    assert rooms.is_outage(locked.value)
    assert not rooms.is_conflict(locked.value)


async def test_a_bug_is_neither_outage_nor_conflict(database: rooms.Database) -> None:
    async with database.connection() as lent:
        with pytest.raises(asyncpg.PostgresError) as wrong:
            await lent.execute("SELECT nothing FROM nowhere")
        with pytest.raises(asyncpg.DataError) as misuse:
            await lent.execute("INSERT INTO rows VALUES ($1)", "not a number")

    assert not rooms.is_outage(wrong.value)
    assert not rooms.is_outage(misuse.value)


async def test_fault_29_a_serialization_failure_is_a_conflict(database: rooms.Database) -> None:
    async with database.connection() as one, database.connection() as two:
        await one.execute("INSERT INTO rows VALUES (1, NULL)")
        async with one.transaction(isolation="repeatable_read"):
            await one.fetch("SELECT * FROM rows")
            await two.execute("UPDATE rows SET body = '1'")
            with pytest.raises(asyncpg.SerializationError) as lost:
                await one.execute("UPDATE rows SET body = '2'")
            await one.execute("ROLLBACK; BEGIN")

    assert rooms.is_conflict(lost.value)
    assert not rooms.is_outage(lost.value)


async def test_fault_35_what_was_prepared_before_a_migration_is_a_conflict_once(
    database: rooms.Database,
) -> None:
    async def look() -> list[str]:
        async with database.transaction() as lent:
            await lent.execute("INSERT INTO rows VALUES (1, NULL) ON CONFLICT DO NOTHING")
            return list((await lent.fetchrow("SELECT * FROM rows") or {}).keys())

    assert await look() == ["id", "body"]
    async with database.connection() as lent:
        await lent.execute("ALTER TABLE rows ADD COLUMN newer text")

    with pytest.raises(asyncpg.PostgresError) as stale:
        await look()

    assert rooms.is_conflict(stale.value)
    assert not rooms.is_outage(stale.value)
    assert await look() == ["id", "body", "newer"]


async def test_fault_28_a_restart_is_an_outage_and_the_pool_recovers(
    database: rooms.Database, postgres: Postgres
) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        async with database.transaction() as lent:
            await lent.execute("INSERT INTO rows VALUES (1, NULL)")
            begun.set()
            while True:
                await lent.execute("SELECT 1")

    working = asyncio.create_task(work())
    await begun.wait()
    await asyncio.to_thread(postgres.stop, "fast")
    with pytest.raises(Exception) as cut:
        await working
    with pytest.raises(Exception) as away:
        await database.ping()
    await asyncio.to_thread(postgres.start)

    assert rooms.is_outage(cut.value), repr(cut.value)
    assert rooms.is_outage(away.value), repr(away.value)

    async def answers() -> bool:
        try:
            await database.ping()
        except Exception as problem:
            if rooms.is_outage(problem):
                return False
            raise
        return True

    await until(answers)


async def test_a_replaced_login_is_used_for_the_next_connection(postgres: Postgres) -> None:
    """Between the server's change and ours it is an outage: what is asked for then is asked again."""
    addresses = [address_of(postgres, "leaving")]
    async with (
        roles(postgres, "leaving", "coming") as admin,
        rooms.connected(lambda: addresses[-1], application_name="tests", max_size=1) as found,
    ):
        await admin.execute("ALTER ROLE leaving NOLOGIN")
        await found.ping()  # a connection that stands is not asked again
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'leaving'"
        )
        await until(lambda: is_refused(found))

        addresses.append(address_of(postgres, "coming"))
        await found.ping()


async def test_a_server_that_does_not_know_us_is_not_waited_for(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await rooms.connect(address_of(postgres, "nobody_at_all"), application_name="tests")


async def test_an_absent_server_is_tried_until_the_deadline() -> None:
    with pytest.raises(OSError):
        await rooms.connect(
            f"postgresql://postgres@127.0.0.1:{free_port()}/x",
            application_name="tests",
            deadline=timedelta(seconds=0.2),
        )


def address_of(server: Postgres, role: str) -> str:
    return server.dsn.replace("//postgres@", f"//{role}@")


@asynccontextmanager
async def roles(
    server: Postgres, *names: str
) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Let these log in until the block is left; yields who may change them."""
    admin = await asyncpg.connect(server.dsn)
    try:
        for name in names:
            await admin.execute(f"CREATE ROLE {name} LOGIN")
        yield admin
    finally:
        await admin.execute(f"DROP ROLE {', '.join(names)}")
        await admin.close()


async def is_refused(database: rooms.Database) -> bool:
    """Tell whether a new connection was not let in; before that the old one's end is met."""
    try:
        await database.ping()
    except Exception as problem:
        if not rooms.is_outage(problem):
            raise
        return isinstance(problem, asyncpg.InvalidAuthorizationSpecificationError)
    return False
