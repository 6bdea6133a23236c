"""kill -9 at any moment: what was acknowledged is there after the next start, and nothing is half."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from job_store.journal.files import JournalInUseError
from job_store.journal.opening import opened
from journal_kit import JournalStore
from journal_writer import PRICE
from testkit.processes.nursery import Nursery
from testkit.processes.waiting import holds

LIVES = 6
SOON = 20.0  # seconds for a process to say a few words


def said(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines() if line[:1].islower()]


async def assert_all_there(directory: Path, log: Path) -> None:
    """Every wallet is what its entries say, and every word that was said is still true."""
    async with opened(directory) as journal:
        store = JournalStore(journal.database)
        await store.assert_legal()
        tables = store.tables
        paid = {row["reference"] for row in tables.ledger.all() if row["kind"] == "topup"}
        jobs = {row["key"]: row for row in tables.jobs.all()}
        for what, key in said(log):
            if what == "paid":
                assert key in paid
            else:
                assert jobs[key]["state"] in ("created", "succeeded")
                assert what == "asked" or jobs[key]["state"] == what
        for job in jobs.values():
            is_over = job["state"] == "succeeded"
            events = [row["event"] for row in tables.events.by("job_id", job["id"])]
            assert events == (["created", "running", "succeeded"] if is_over else ["created"])
            entries = [row["kind"] for row in tables.ledger.by("job_id", job["id"])]
            assert entries == (["hold", "capture"] if is_over else ["hold"])
            assert len(tables.parts.by("job_id", job["id"])) == is_over


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1])
async def test_what_was_acknowledged_survives_and_nothing_is_half(tmp_path: Path, seed: int):
    """Each life goes on with what the one before it left, of which snapshots are written all the time."""
    random, directory, log = Random(seed), tmp_path / "journal", tmp_path / "said"
    log.touch()
    async with Nursery("journal_writer", directory=tmp_path, path=Path(__file__).parent) as nursery:
        for life in range(LIVES):
            heard = len(said(log)) + random.randint(1, 60)
            writer = nursery.born(
                command=("python", "-m", "journal_writer", str(directory), f"{seed}-{life}"),
                log=log,
                env={},
            )
            enough = await holds(lambda heard=heard: len(said(log)) >= heard, within=SOON)
            assert enough, log.read_text()[-2_000:]
            with pytest.raises(JournalInUseError, match=f"pid {writer.pid}"):
                await assert_all_there(directory, log)
            for _ in range(random.randint(0, 2_000)):  # somewhere between two words
                pass
            writer.send_signal(9)
            await asyncio.to_thread(writer.wait, SOON)
            await assert_all_there(directory, log)
    assert (directory / "snapshot.jsonl").exists()
    assert PRICE * sum(what == "paid" for what, _ in said(log)) > 0
