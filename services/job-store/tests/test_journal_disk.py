"""What a journal keeps: all that was acknowledged, whole, for one process, or a refusal that says why."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from chassis.postgres import is_outage
from job_store.journal import schema
from job_store.journal.database import Database
from job_store.journal.disk import Journal, JournalBrokenError, Keeper
from job_store.journal.files import JournalError, JournalInUseError, Tail
from job_store.journal.lines import lines_of
from job_store.journal.opening import Opened, opened
from job_store.journal.spec import Default
from job_store.journal.tables import Tables
from journal_kit import Held, JournalStore, held
from store_kit import callback, create

AMOUNT = 1_000


@asynccontextmanager
async def kept(directory: Path) -> AsyncIterator[JournalStore]:
    async with opened(directory) as journal:
        yield JournalStore(journal.database)


async def seen(directory: Path) -> Held:
    """Return what a start finds."""
    async with opened(directory) as journal:
        return held(journal.database.tables)


def commits(directory: Path) -> Path:
    (path,) = directory.glob("commits-*.jsonl")
    return path


async def lives(store: JournalStore) -> None:
    """A paid job is shown, another waits, a callback has no job, a bucket is forgotten."""
    await store.add_bot("shop")
    await store.topup(AMOUNT)
    await store.succeeded(create(price=300))
    await store.show_all()
    await store.made(create(price=100))
    await store.report(callback(None, task_id=str(uuid4())))
    await store.outbox.delete_outbox([row.id for row in store.offered])
    await store.run("UPDATE pacing SET tat = 'epoch'")
    await store.effects.forget_buckets()


async def test_a_start_finds_what_the_last_process_knew(tmp_path: Path):
    async with kept(tmp_path) as store:
        await lives(store)
        known = held(store.tables)

    assert await seen(tmp_path) == known
    async with kept(tmp_path) as again:
        assert await again.wallet() == (AMOUNT - 400, 100)
        claimed = await again.claimed()
        await again.submitted_all(claimed)
        assert await again.wallet() == (AMOUNT - 300, 0)
        await again.assert_legal()


async def test_numbers_are_never_given_again(tmp_path: Path):
    """Also those of rows that are gone: who remembers the last seq must not meet it a second time."""
    async with kept(tmp_path) as store:
        await store.add_bot("shop")
        await store.made()
        numbers = [row.id for row in store.offered]
        await store.outbox.delete_outbox(numbers)

    async with kept(tmp_path) as again:
        await again.made()
        assert min(row.id for row in again.offered) > max(numbers)


async def given_up(store: JournalStore) -> None:
    """A transaction that has written something when it fails."""
    async with store.units.begin() as tx:
        await tx.meet_at_tasks(["t"])
        raise ZeroDivisionError


async def test_what_is_undone_leaves_nothing_on_the_disk(tmp_path: Path):
    async with kept(tmp_path) as store:
        await store.add_bot("shop")
        known, size = held(store.tables), commits(tmp_path).stat().st_size

        with pytest.raises(ZeroDivisionError):
            await given_up(store)

        assert held(store.tables) == known
        assert commits(tmp_path).stat().st_size == size


async def test_a_last_line_that_was_not_written_to_its_end_is_as_if_it_never_was(tmp_path: Path):
    async with kept(tmp_path) as store:
        await lives(store)
        before = held(store.tables)
        await store.topup(1)
        after = held(store.tables)
    path = commits(tmp_path)
    whole = path.read_bytes()
    ends = [end for end, _ in lines_of(path)]

    for size in range(ends[-2], ends[-1], 7):
        path.write_bytes(whole[:size])
        assert await seen(tmp_path) == before
        assert path.stat().st_size == ends[-2]
    path.write_bytes(whole[: ends[-1] - 5] + b"\x00\x00\x00\x00\n")
    assert await seen(tmp_path) == before
    path.write_bytes(whole)
    assert await seen(tmp_path) == after


async def test_damage_before_the_last_line_is_refused_and_left_as_it_is(tmp_path: Path):
    async with kept(tmp_path) as store:
        await lives(store)
    path = commits(tmp_path)
    whole = path.read_bytes()
    ends = [end for end, _ in lines_of(path)]

    for end in ends[:-1]:
        damaged = bytearray(whole)
        damaged[end - 3] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(JournalError, match="damaged after byte"):
            await seen(tmp_path)
        assert path.read_bytes() == damaged


async def test_a_line_that_is_missing_is_noticed(tmp_path: Path):
    async with kept(tmp_path) as store:
        await lives(store)
    path = commits(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)

    path.write_bytes(b"".join(lines[:3] + lines[4:]))

    with pytest.raises(JournalError, match="lacks commit 3"):
        await seen(tmp_path)


async def test_files_of_a_newer_version_are_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("job_store.journal.files.FORMAT", 2)
    async with kept(tmp_path) as store:
        await store.add_bot("shop")
    monkeypatch.undo()

    with pytest.raises(JournalError, match="format 2"):
        await seen(tmp_path)


ADDED = {"given": "text", "maybe": "text?", "since": "timestamptz"}
DEFAULTS = {"given": "so", "since": Default.NOW}


@pytest.mark.parametrize("is_condensed", [False, True])
async def test_a_column_that_is_new_has_its_default_in_rows_that_are_old(
    tmp_path: Path, monkeypatch, is_condensed
):
    """And the version before, which does not know it, refuses what the newer one wrote."""
    async with kept(tmp_path) as store:
        await store.add_bot("shop")
        if is_condensed:
            await store.engine.disk.condense(store.engine)
    old = schema.BOTS
    newer = replace(old, columns={**old.columns, **ADDED}, defaults={**old.defaults, **DEFAULTS})

    monkeypatch.setattr(schema, "BOTS", newer)
    async with kept(tmp_path) as store:
        (bot,) = store.tables.bots.all()
        assert (bot["slug"], bot["given"], bot["maybe"]) == ("shop", "so", None)
        assert bot["since"] == store.tables.now
        await store.add_bot("club")
        if is_condensed:
            await store.engine.disk.condense(store.engine)
    monkeypatch.undo()

    with pytest.raises(JournalError, match=r"newer sendonce \(bots has no column given"):
        await seen(tmp_path)


async def test_a_second_process_is_refused_and_told_of_the_first(tmp_path: Path):
    async with kept(tmp_path):
        with pytest.raises(JournalInUseError, match=f"pid {os.getpid()}"):
            await seen(tmp_path)

    await seen(tmp_path)


async def test_what_returns_is_on_the_disk_and_those_that_wait_share_one_write(
    tmp_path: Path, monkeypatch
):
    """When a commit returns, the disk has been asked for all of its line."""
    synced: list[int] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        fsync(handle)
        synced.append(os.fstat(handle).st_size)

    async with kept(tmp_path) as store:
        await store.add_bot("shop")
        monkeypatch.setattr("job_store.journal.disk.os.fsync", noted)

        async def pay(reference: str) -> None:
            await store.topup(1, reference=reference)
            assert reference.encode() in commits(tmp_path).read_bytes()[: max(synced)]

        await asyncio.gather(*(pay(f"payment-{n}-") for n in range(50)))
        assert await store.wallet() == (50, 0)
        assert len(synced) < 25


async def keep(journal: Opened) -> asyncio.Task[None]:
    ready = asyncio.Event()
    task = asyncio.create_task(journal.keeper.run(ready))
    await ready.wait()
    return task


async def test_a_long_journal_becomes_a_snapshot(tmp_path: Path):
    async with opened(tmp_path, condensed_at=20_000) as journal:
        keeping = await keep(journal)
        store = JournalStore(journal.database)
        await lives(store)
        async with asyncio.timeout(20):
            while not (tmp_path / "snapshot.jsonl").exists() or len(list(tmp_path.iterdir())) > 3:
                await store.made(create(chat_id=store.tables.jobs.given + len(store.offered)))
        known = held(store.tables)
        keeping.cancel()
    assert commits(tmp_path).name > "commits-00000000000000000000.jsonl"

    assert await seen(tmp_path) == known
    async with kept(tmp_path) as again:
        await again.assert_legal()


async def test_commits_go_on_while_snapshots_are_written(tmp_path: Path):
    async with kept(tmp_path) as store:
        await store.add_bot("shop")

        is_over = asyncio.Event()

        async def pay() -> int:
            """Pay until the last snapshot is written, and once more."""
            payments = [await store.topup(1)]
            while not is_over.is_set():
                payments.append(await store.topup(1))
            return len([*payments, await store.topup(1)])

        async def condense() -> int:
            for _ in range(10):
                await store.engine.disk.condense(store.engine)
            is_over.set()
            return 0

        paid = sum(await asyncio.gather(*(pay() for _ in range(4)), condense()))
        known = held(store.tables)

    assert await seen(tmp_path) == known
    assert len(known["ledger"][0]) == paid


async def test_a_snapshot_that_never_got_its_name_is_not_missed(tmp_path: Path):
    """Killed between the new file of commits and the snapshot: both files are read."""
    async with kept(tmp_path) as store:
        await lives(store)
        before = commits(tmp_path).read_bytes()
        await store.engine.disk.condense(store.engine)
        await store.topup(1)
        known = held(store.tables)
    (tmp_path / "snapshot.jsonl").rename(tmp_path / "snapshot.draft")
    (tmp_path / "commits-00000000000000000000.jsonl").write_bytes(before)

    assert await seen(tmp_path) == known


@pytest.mark.parametrize("part", ["first", "middle", "last"])
async def test_a_damaged_snapshot_is_refused(tmp_path: Path, part: str):
    async with kept(tmp_path) as store:
        await lives(store)
        await store.engine.disk.condense(store.engine)
    path = tmp_path / "snapshot.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[{"first": 0, "middle": 3, "last": -1}[part]]
    path.write_bytes(b"".join(lines))

    with pytest.raises(JournalError):
        await seen(tmp_path)


async def test_nothing_is_said_any_more_once_a_commit_could_not_be_kept(tmp_path: Path):
    """A full disk: who asked hears of an outage, who asks later too, and the service ends."""
    journal = Journal(tmp_path, Tail(Path("/dev/full"), 0, 0))
    store = JournalStore(Database(Tables(), journal))
    keeping = asyncio.create_task(Keeper(journal, store.engine).run(asyncio.Event()))

    with pytest.raises(JournalBrokenError) as refused:
        await store.add_bot("shop")

    assert is_outage(refused.value)
    for ask in (store.engine.ping(), store.ops.list_bots(), store.add_bot("club")):
        with pytest.raises(JournalBrokenError):
            await ask
    with pytest.raises(JournalBrokenError):
        await keeping
    with pytest.raises(JournalBrokenError):
        await journal.close()
