"""Everything moves from one storage to the other and back, nothing is lost on the way, and the work goes on."""

from pathlib import Path

import pytest

from chassis import postgres
from contracts.values import JobState
from job_store.journal.lines import sealed
from job_store.journal.opening import opened
from job_store.journal.tables import SPECS
from job_store.moving import InJournal, InPostgres, MovingError, export, restore
from journal_kit import JournalStore
from store_kit import Store, callback, create, deliver
from testkit.servers.databases import Migrate, TemplateDatabases

LEFT = 700


async def lives(store: Store) -> None:
    """Money, a shown job, a running one, an orphan, a dead letter; and rows that are gone."""
    await store.topup(1_000)
    await store.succeeded(create(price=300))
    await store.show_all()
    await store.run("UPDATE jobs SET progress = 0.3")
    await store.running(create(price=200), task_id="runs")
    await store.report(callback(None, task_id="nobodys"))
    await store.inbox.keep_dead_letter(
        durable="d", subject="s", stream_seq=7, payload=b"\x00\xff", reason="no"
    )
    await store.inbox.keep_floor("d", 7)
    await store.outbox.delete_outbox([row.id for row in store.offered[:-1]])


async def go_on(store: Store) -> None:
    """What was under way ends, and what is new gets numbers of its own."""
    assert await store.wallet() == (LEFT - 200, 200)
    (job_id,) = [
        row["id"] for row in await store.fetch("SELECT id FROM jobs WHERE state = 'running'")
    ]
    await store.report(callback(job_id, task_id="runs"))
    await store.show_all(first_message=900)
    assert (await store.job(job_id)).state is JobState.DELIVERED
    await store.made(deliver())
    await store.assert_legal()


async def everything(store: Store) -> dict[str, list[dict[str, object]]]:
    """All rows as the schema knows them, in an order of their own."""
    held = {}
    for spec in SPECS:
        rows = [dict(row) for row in await store.fetch(f"SELECT * FROM {spec.name}")]
        known = [{name: row[name] for name in spec.columns} for row in rows]
        held[spec.name] = sorted(known, key=repr)
    return held


async def test_from_postgres_to_a_journal_and_back(
    store_on_postgres: Store,
    template_databases: TemplateDatabases,
    migrate_database: Migrate,
    database_url: str,
    tmp_path: Path,
):
    await lives(store_on_postgres)
    file, journal = tmp_path / "everything", InJournal(tmp_path / "journal")

    written = await export(InPostgres(database_url), file)
    assert await restore(file, journal) == written

    assert file.stat().st_mode & 0o077 == 0
    assert written.money["balances RUB"] == LEFT - 200
    async with opened(journal.directory) as it:
        moved = JournalStore(it.database)
        assert await everything(moved) == await everything(store_on_postgres)
        await go_on(moved)
        known = await everything(moved)
        numbers = {table.spec.name: table.given for table in moved.tables.by_name.values()}

    async with template_databases.clone(migrate_database) as url:
        assert await export(journal, file) == await restore(file, InPostgres(url))
        async with postgres.connected(url, application_name="back", schema="sendonce") as database:
            back = Store(database)
            assert await everything(back) == known
            await back.made(deliver())
            assert await back.value("SELECT max(seq) FROM events") > numbers["events"]
            assert await back.value("SELECT max(id) FROM outbox") > numbers["outbox"]
            await back.assert_legal()


async def test_only_an_empty_storage_is_filled(
    store_on_postgres: Store, database_url: str, tmp_path: Path
):
    file, journal = tmp_path / "everything", InJournal(tmp_path / "journal")
    await export(InPostgres(database_url), file)
    await restore(file, journal)

    with pytest.raises(MovingError, match="a journal in"):
        await restore(file, journal)
    with pytest.raises(MovingError, match="not empty: there are bots"):
        await restore(file, InPostgres(database_url))
    with pytest.raises(MovingError, match="no journal in"):
        await export(InJournal(tmp_path / "elsewhere"), file)


@pytest.mark.parametrize("harm", ["cut", "changed", "lied", "another"])
async def test_a_file_that_is_not_what_was_written_changes_nothing(tmp_path: Path, harm: str):
    async with opened(tmp_path / "from") as journal:
        store = JournalStore(journal.database)
        await store.add_bot("shop")
        await store.topup(1_000)
    file, into = tmp_path / "everything", InJournal(tmp_path / "journal")
    tally = await export(InJournal(tmp_path / "from"), file)
    whole = file.read_bytes()
    tally.money["balances RUB"] += 1
    last = sealed({"tally": tally.as_json()})

    file.write_bytes(
        {
            "cut": whole[: whole.rindex(b"\n", 0, -1) + 1],
            "changed": whole.replace(b'"balance":1000', b'"balance":9000'),
            "lied": whole[: whole.rindex(b"\n", 0, -1) + 1] + last,
            "another": sealed({"format": 1, "seq": 0}),
        }[harm]
    )

    with pytest.raises(MovingError):
        await restore(file, into)
    assert not list(into.directory.glob("*.jsonl"))
