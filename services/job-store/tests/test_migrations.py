"""Migrations go down and up again with lives in every state, and none is in the way of the version before."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

import content_kit as lives
from contracts.api import OneJob
from contracts.ops import SetTexts
from contracts.repairs import RefundJobs, SetPause, SettleDead
from contracts.users import ForgetUser
from contracts.values import JobState, MoneyState, PartState
from job_store.migrate import MigrationError, migrate_database
from job_store.store.dead import Dead
from job_store.store.pauses import Pauses
from job_store.store.repairs import Repairs
from job_store.store.users import Users
from store_hands import assert_charged_and_shown_once, paid_and_running, second_store
from store_kit import LATER, Store, callback, create, expect

FILES: Final = {
    Path(file.name).stem: file.read_text("utf-8")
    for file in sorted((resources.files("job_store") / "migrations").iterdir(), key=str)
}
ALONE: Final = "transaction:false"
LINTER: Final = Path(sys.executable).parent / "squawk"
WAITS_FOR_NOBODY: Final = (
    "a build that stands in nobody's way may wait for old transactions as long as it takes"
)
NEW_TABLES: Final = "it makes tables that nobody uses yet"
WIDER: Final = "a wider one, or the same, takes its place in the same transaction"
# What squawk says of a migration that is safe all the same, and why it is.
SAFE: Final[dict[str, dict[str, str]]] = {
    "20261124000001_lifecycle": {
        "prefer-bigint-over-int": "counts of one job's parts, tries and changes",
        "require-lock-timeout": NEW_TABLES,
        "require-statement-timeout": NEW_TABLES,
    },
    "20261129000001_restores": {
        "require-lock-timeout": NEW_TABLES,
        "require-statement-timeout": NEW_TABLES,
    },
    "20261130000001_repairs": {
        "require-lock-timeout": NEW_TABLES,
        "require-statement-timeout": NEW_TABLES,
    },
    "20261130000003_dead_letters_settled": {
        "require-concurrent-index-creation": "of dead letters there are a few",
        "ban-drop-constraint": WIDER,
    },
    "20261130000004_jobs_paid_back": {"ban-drop-constraint": WIDER},
    "20261130000005_parts_known": {"ban-drop-constraint": WIDER},
} | {
    name: {
        "require-lock-timeout": WAITS_FOR_NOBODY,
        "require-statement-timeout": WAITS_FOR_NOBODY,
    }
    for name, text in FILES.items()
    if ALONE in text
}
OF_MIGRATIONS: Final = {
    "migration_checksums"
}  # tells of those that are applied, so it changes with them
EMPTY: Final = {"floors", "outbox", "restores"}
HAND: Final[dict[str, Any]] = {"who": "ann", "why": "a test", "not_after": LATER}


def ups_and_downs(text: str) -> tuple[str, str]:
    """Return the two halves of a migration."""
    up, down = re.split(r"^-- migrate:down.*$", text, flags=re.MULTILINE)
    return up, down


def found_by_linter(name: str, text: str) -> set[str]:
    up, _ = ups_and_downs(text)
    assumed = [] if ALONE in up else ["--assume-in-transaction"]
    said = subprocess.run(
        [LINTER, "--pg-version", "17", "--reporter", "json", *assumed],
        input=up,
        capture_output=True,
        text=True,
        check=False,
    )
    return {one["rule_name"] for one in json.loads(said.stdout)}


@pytest.mark.parametrize("name", FILES)
def test_fault_35_60_a_migration_is_safe_while_the_version_before_runs(name: str) -> None:
    """Each exception has its reason, and one that is needed no more fails here."""
    assert found_by_linter(name, FILES[name]) == set(SAFE.get(name, {}))


@pytest.mark.parametrize(
    "change, rule",
    [
        ("ALTER TABLE sendonce.jobs DROP COLUMN caption;", "ban-drop-column"),
        ("ALTER TABLE sendonce.jobs RENAME COLUMN caption TO words;", "renaming-column"),
        ("ALTER TABLE sendonce.jobs ADD COLUMN x int NOT NULL;", "adding-required-field"),
        ("ALTER TABLE sendonce.jobs ALTER COLUMN price TYPE text;", "changing-column-type"),
        ("CREATE INDEX x ON sendonce.jobs (key);", "require-concurrent-index-creation"),
    ],
)
def test_a_migration_that_would_be_in_its_way_is_seen(change: str, rule: str) -> None:
    assert rule in found_by_linter("bad", f"-- migrate:up\n{change}\n-- migrate:down\n")


@pytest.mark.parametrize("name", [name for name, text in FILES.items() if ALONE in text])
def test_what_cannot_be_in_a_transaction_is_alone_in_both_directions(name: str) -> None:
    for half in ups_and_downs(FILES[name]):
        words = [line for line in half.splitlines() if line and not line.startswith("--")]
        assert " ".join(words).count(";") == 1
    assert FILES[name].count(ALONE) == 2


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The store of a process that was started after the last migration."""
    async with second_store(url, size=4) as store:
        yield store


async def every_life(store: Store) -> UUID:
    """Jobs in every state, and what people and strangers left beside them; returns one that is paid for and runs."""
    await store.add_bot("shop")
    await store.topup(1_000)
    ways = (lives.delivered, lives.failed, lives.refused, lives.parked, lives.uncertain)
    for at, way in enumerate(ways):
        await way(store, chat_id=100 + at, price=10)
    late = await store.running(create(price=10))
    await store.run("UPDATE jobs SET expires_at = now() WHERE id = $1", late)
    await store.effects.expire_jobs(10)
    undeliverable = await lives.uncertain(store, user_id=9, chat_id=9)
    await Users(store.units).forget(ForgetUser(bot="shop", user_id=9, **HAND))
    assert (await store.job(undeliverable)).state is JobState.UNDELIVERABLE
    paid = await lives.delivered(store, chat_id=200, price=10)
    await Repairs(store.units).refund(RefundJobs(job_ids=(paid,), **HAND))
    cancelled = await store.made(create(price=10))
    await store.requests.cancel("shop", OneJob(job_id=cancelled, not_after=LATER))
    await store.made(expect())
    await store.report(callback(None, task_id="nobodys"), callback(None, task_id="late"))
    await store.running(create(), task_id="late")
    for seq in (1, 2):
        await store.inbox.keep_dead_letter(
            durable="d", subject="reports.received", stream_seq=seq, payload=b"x", reason="odd"
        )
    await Dead(store.units).settle(SettleDead(ids=(1,), settle="discard", **HAND))
    await store.ops.set_texts(SetTexts(slug="shop", texts={"status": "On it"}, not_after=LATER))
    await Pauses(store.units).set(SetPause(bot="shop", what="intake", paused=True, **HAND))
    await Pauses(store.units).set(SetPause(bot="shop", what="intake", paused=False, **HAND))
    running = await paid_and_running(store)
    await store.made(create(price=10))
    await store.run("DELETE FROM outbox")
    return running


async def rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All that is kept, by table; each row as JSON has it."""
    return {
        table: [
            row["row"]
            for row in await store.fetch(
                f"SELECT to_jsonb(t) AS row FROM {table} t ORDER BY t::text"
            )
        ]
        for table in await store.table_names()
        if table not in OF_MIGRATIONS
    }


def older(kept: dict[str, list[dict[str, Any]]], columns: dict[str, set[str]]) -> dict[str, Any]:
    """What an older schema has of it."""
    return {
        table: sorted(
            json.dumps({name: row[name] for name in columns[table]}, sort_keys=True)
            for row in kept[table]
        )
        for table in columns
    }


async def columns_of(store: Store) -> dict[str, set[str]]:
    found = await store.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'sendonce'"
    )
    columns: dict[str, set[str]] = {}
    for row in found:
        columns.setdefault(row["table_name"], set()).add(row["column_name"])
    return {table: names for table, names in columns.items() if table not in OF_MIGRATIONS}


async def test_with_lives_in_every_state_migrations_go_down_and_up_and_the_lives_go_on(
    database_url: str,
) -> None:
    """What a migration added goes with it, everything older is as it was; then paid jobs are shown once."""
    async with opened(database_url) as store:
        job_id = await every_life(store)
        before, newest = await rows(store), await columns_of(store)
    assert {row["state"] for row in before["jobs"]} == set(JobState)
    assert {table for table, kept in before.items() if not kept} == EMPTY

    columns = newest
    for name in list(FILES)[:0:-1]:
        assert f"Rolling back: {name}.sql" in await migrate_database(database_url, "down")
        async with opened(database_url) as store:
            columns = await columns_of(store)
            assert older(await rows(store), columns) == older(before, columns), name
    assert set(columns) == set(newest) - {"audit", "restores"}
    await migrate_database(database_url, "up")

    async with opened(database_url) as store:
        assert await columns_of(store) == newest
        assert older(await rows(store), columns) == older(before, columns)
        await store.report(callback(job_id))
        await store.show_all(first_message=5_000)
        job = await store.job(job_id)
        assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.CAPTURED)
        assert [part.state for part in job.parts] == [PartState.SHOWN]
        await store.assert_legal()


async def test_taken_back_whole_it_is_made_anew(database_url: str) -> None:
    for _ in FILES:
        await migrate_database(database_url, "down")
    async with opened(database_url) as store:
        assert await columns_of(store) == {}

    await migrate_database(database_url, "up")

    async with opened(database_url) as store:
        await store.add_bot("shop")
        job_id = await paid_and_running(store)
        await store.report(callback(job_id))
        await assert_charged_and_shown_once(store, job_id)


async def test_the_version_before_finds_nothing_to_migrate_and_takes_nothing_back(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "migrations").mkdir()
    for name in list(FILES)[:-1]:
        (tmp_path / "migrations" / f"{name}.sql").write_text(FILES[name], "utf-8")
    monkeypatch.setattr(resources, "files", lambda _package: tmp_path)

    assert "Applying" not in await migrate_database(database_url, "up")

    assert "Pending: 0" in await migrate_database(database_url, "status")
    with pytest.raises(MigrationError, match=list(FILES)[-1].partition("_")[0]):
        await migrate_database(database_url, "down")
