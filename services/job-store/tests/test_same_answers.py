"""Each statement, said to Postgres and to a journal that hold the same, has the same answer and does the same."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis.storage import Connection, Database
from contracts.repairs import SetPause
from contracts.values import new_id
from job_store.journal.opening import opened
from job_store.journal.registry import named
from job_store.journal.spec import NEXT
from job_store.journal.tables import SPECS
from job_store.moving import InJournal, InPostgres, export, restore
from job_store.store.pauses import Pauses
from journal_kit import JournalStore
from store_kit import LATER, Store, callback, create, expect

NEAR = timedelta(minutes=5)  # moments and ages this close are the same: each side has its own now
DAY = timedelta(days=1)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d$")
NOBODY = UUID(int=1)
Facts = Mapping[str, Any]


async def lives(store: Store) -> dict[str, Any]:
    """Some of everything that can stand in the tables; returns what to ask about."""
    await store.add_bot("club", staging_chat=-100_500)
    await store.topup(5_000, reference="first")
    shown = await store.succeeded(create(key="shown", price=300), media=2)
    await store.show_all()
    gone = await store.succeeded(create(key="gone", user_id=8, chat_id=8))
    await store.show_all(first_message=500)
    await store.run("UPDATE jobs SET forgotten_at = now() WHERE id = $1", gone)
    expected = await store.made(expect(key="expected", status=55))
    running = await store.running(create(key="running", price=10), task_id="runs")
    waiting = await store.succeeded(create(key="waiting"))
    for job_id, task_id in ((None, "nobodys"), (None, "anybodys"), (NOBODY, "forgotten")):
        await store.report(callback(job_id, task_id=task_id))
    await store.made(create(key="new", chat_id=8))
    for seq, reason in enumerate(("not a message", "always raises"), start=7):
        await store.inbox.keep_dead_letter(
            durable="d", subject="reports.received", stream_seq=seq, payload=b"\x00", reason=reason
        )
    await store.run(
        "UPDATE dead_letters SET settled_at = now(), settled_as = 'discarded' WHERE stream_seq = 7"
    )
    await store.inbox.keep_floor("d", 3)
    hand = {"who": "ann", "why": "a look", "not_after": LATER}
    await Pauses(store.units).set(SetPause(bot="shop", what="intake", paused=True, **hand))
    for seconds in (1, 2, 4, 8, 16, 32):
        await store.run("INSERT INTO durations VALUES ('f', 'o', 'm', $1, now())", float(seconds))
    for key, owner in (("creates:default", "credits"), ("bot:shop", None), ("chat:shop:7", None)):
        await store.run("INSERT INTO pacing (key, tat) VALUES ($1, now())", f"{key}x")
        soon = "parked_until = now() + interval '1 h', tail = now() + interval '1 h'"
        await store.run(
            f"UPDATE pacing SET {soon}, needs_owner = $2 WHERE key = $1", f"{key}x", owner
        )
    for key in ("old", "held", "queued"):
        await store.run("INSERT INTO pacing (key, tat) VALUES ($1, now() - interval '2 h')", key)
    await store.run("UPDATE pacing SET parked_until = now() + interval '1 h' WHERE key = 'held'")
    await store.run("INSERT INTO pacing (key, tat, credits) VALUES ('creates:a:b', now(), 12.5)")
    await store.run("UPDATE pacing SET tail = now() + interval '1 h' WHERE key = 'queued'")
    await store.run("UPDATE parts SET state = 'parked' WHERE job_id = $1", waiting)
    await store.run("UPDATE effects SET due_at = now() - interval '1 h' WHERE state = 'pending'")
    await store.run("UPDATE outbox SET leased_until = now() - interval '1 s'")
    return {
        "ids": [shown, waiting, expected, running],
        "one": shown,
        "gone": gone,
        "part": await store.value(
            "SELECT id FROM parts WHERE job_id = $1 AND ordinal = 1", waiting
        ),
        "orphan": await store.value("SELECT id FROM orphans WHERE task_id = 'nobodys'"),
        "attempt": await store.value("SELECT id FROM attempts WHERE job_id = $1", running),
        "report": await store.value("SELECT id FROM reports WHERE task_id = 'nobodys'"),
        "evidence": await store.value("SELECT id FROM evidence WHERE job_id = $1", shown),
        "outbox": [
            row["id"] for row in await store.fetch("SELECT id FROM outbox ORDER BY id LIMIT 3")
        ],
        "letter": await store.value("SELECT max(id) FROM dead_letters"),
    }


def asked(f: Facts) -> dict[str, list[tuple[Any, ...]]]:
    """What is said: each statement with its arguments, and with others."""
    shop = ("shop", 7, "RUB")
    user = shop[:2]
    keys = ["creates:defaultx", "bot:shopx", "old"]
    return {
        "audit.list_audit": [(None, 5), (f["one"], 5)],
        "cases.see_jobs": [(f["ids"],)],
        "cases.lock_jobs": [(f["ids"],)],
        "cases.effects_of_jobs": [(f["ids"],)],
        "cases.parts_of_jobs": [(f["ids"],)],
        "cases.owners_of_jobs": [(f["ids"],)],
        "cases.bots_by_slug": [(["shop", "nobody"],)],
        "cases.meet_at_tasks": [(["runs", "fresh"],)],
        "cases.owners_of_tasks": [(["runs"],)],
        "creation.jobs_by_key": [(["shop", "club"], ["shown", "shown"])],
        "creation.status_messages_taken": [(["shop", "shop"], [7, 7], [55, 56])],
        "dead.list_dead": [(True, None, None, None, 9), (False, "raises", 1, 9, 9)],
        "dead.dead_letter": [(f["letter"],)],
        "dead.lock_dead": [([f["letter"], 0],)],
        "dead.settle_dead": [([f["letter"]], "replayed")],
        "doctor.orphans_overdue": [(-DAY,), (DAY,)],
        "durations.usual": [(DAY, 5), (DAY, 7)],
        "durations.trim_durations": [(4,)],
        "effects.lock_due": [(3,), (99,)],
        "effects.see_due": [(3,), (99,)],
        "effects.lock_leases_over": [(9,)],
        "effects.lock_overdue": [(9, timedelta(0)), (9, DAY)],
        "effects.lock_parked": [("shop", 7), ("shop", 8)],
        "effects.attempts_by_id": [([f["attempt"], NOBODY],)],
        "effects.known_evidence": [([f["evidence"], "x"],)],
        "forgetting.ended_with_prompt": [(-DAY, 1), (-DAY, 9), (DAY, 9)],
        "forgetting.ended_with_media": [(-DAY, 1), (-DAY, 9), (DAY, 9)],
        "forgetting.waiting_too_long": [(-DAY, 9), (DAY, 9)],
        "forgetting.forget_prompts": [(f["ids"],)],
        "forgetting.forget_media": [(f["ids"],)],
        "forgetting.forget_parts": [(f["ids"],)],
        "forgetting.forget_words": [(f["ids"],)],
        "forgetting.forget_outcomes": [(f["ids"],)],
        "forgetting.forget_bodies": [([f["report"], "x"],)],
        "forgetting.old_bodies": [(-DAY, 1), (-DAY, 9), (DAY, 9)],
        "forgetting.forget_dead_letters": [(-DAY,), (DAY,)],
        "forgetting.forget_chats": [(f["ids"],)],
        "forgetting.forget_carriers": [([f["gone"]],)],
        "forgetting.forget_event_chats": [(f["ids"],)],
        "forgetting.forget_outcome_chats": [(f["ids"],)],
        "forgetting.bodies_of_jobs": [(f["ids"],), ([f["one"]],)],
        "inbox.known_reports": [([f["report"], "x"],)],
        "inbox.vouched_digests": [(["nobodys", "runs"],)],
        "inbox.insert_dead_letter": [
            ("d", "reports.received", 7, b"", "again"),
            ("d", "s", 9, b"", "r"),
        ],
        "inbox.keep_floor": [("d", 2), ("e", 2)],
        "inbox.floor": [("d",), ("e",)],
        "intake.lock_intake": [(["user:shop:7", "intake:shop", "old"],)],
        "intake.open_jobs": [(["shop", "club"], [7, 7], ["shop", "club"]), ([], [], [])],
        "intake.save_intake": [(["old", "nobodys"], [LATER, LATER])],
        "lineage.known": [([f["report"], "x", "y"], [1, 7, 9], "d")],
        "lineage.hold": [("d", "m")],
        "lineage.may_repeat": [(LATER, 9), (LATER - 9_999 * DAY, 9)],
        "lineage.unknown_jobs": [(9,)],
        "orphans.orphans_of_tasks": [(["nobodys", "runs"],)],
        "orphans.reports_of_orphans": [(["nobodys", "runs"],)],
        "orphans.match_orphan": [(f["orphan"], f["one"])],
        "orphans.adopt_reports": [("nobodys", f["one"])],
        "orphans.keep_orphans": [([new_id()], ["nobodys"])],
        "orphans.expire_orphans": [(-DAY, 1), (DAY, 9)],
        "outbox.claim_outbox": [(2,), (99,)],
        "outbox.delete_outbox": [(f["outbox"],)],
        "outbox.release_outbox": [(f["outbox"],)],
        "pacing.make_buckets": [(["old", "fresh"],)],
        "pacing.lock_buckets": [(keys,)],
        "pacing.save_buckets": [([{"key": "old", "tat": "2030-01-01T00:00:00+00:00"}],)],
        "pacing.paused_accounts": [(keys,)],
        "pauses.lock_bot": [("shop",), ("nobody",)],
        "pauses.set_pauses": [("shop", {"deliveries": "ann: why"})],
        "pauses.unpark": [(keys,)],
        "pauses.leave_queues": [(["chat:shop:%", "group:shop:%"],)],
        "pauses.lock_waiting": [("shop", ["show", "submit"]), ("nobody", ["show"])],
        "pauses.release": [("shop", ["show", "submit"])],
        "repairs.job_of_part": [(f["part"],), (NOBODY,)],
        "repairs.uncertain_jobs": [(None, 9), ("club", 9)],
        "repairs.jobs_by_keys": [(["shop"], ["shown"])],
        "repairs.expire_these": [([f["orphan"], NOBODY],)],
        "requests.job_id_by_key": [("shop", "shown"), ("club", "shown")],
        "requests.bot_of_job": [(f["one"],), (NOBODY,)],
        "requests.job_ids_of_task": [("runs", "shop"), ("runs", "club")],
        "requests.undelivered": [("shop", after, 9) for after in (UUID(int=0), *f["ids"])],
        "requests.list_jobs": [
            (None, None, 9, None, None, None),
            ("shop", "running", 2, LATER - 9_999 * DAY, LATER, None),
            ("shop", None, 2, None, None, f["ids"][-1]),
            (None, None, 9, LATER, None, None),
        ],
        "requests.wallet": [shop, ("club", 7, "RUB")],
        "requests.topup": [(*shop, 5, "first"), (*shop, 5, "second")],
        "requests.topup_by_reference": [("shop", "first"), ("club", "first")],
        "requests.credit_wallet": [(*shop, 5)],
        "requests.make_wallet": [shop, ("club", 7, "RUB")],
        "requests.statement": [(*shop, 2), (*shop, 99)],
        "requests.changes": [("shop", 2, 3), ("shop", 0, 99), ("club", 0, 9)],
        "requests.list_orphans": [(None, None, 9), ("waiting", None, 9), (None, f["orphan"], 1)],
        "requests.orphan": [(f["orphan"],)],
        "requests.bodies_of_task": [("nobodys",)],
        "requests.add_bot": [
            ("shop", "t", "a", "XTR", "ru", True, None),
            ("third", "t", "a", "XTR", "ru", False, -5),
        ],
        "requests.set_texts": [("shop", {"a": "b"}), ("nobody", {})],
        "requests.timeline": [(f["one"],), (f["gone"],)],
        "requests.ledger_of_job": [(f["one"],)],
        "users.kept": [(*user, None, 0, None), (*user, "jobs", 1, 1), (*user, None, 5, 7)],
        "users.counted": [(*user, None, 0, None), (*user, "parts", 0, None)],
        "users.unforgotten": [(*user, 9), (*user, 2), ("shop", 8, 9)],
        "users.count_unforgotten": [user, ("shop", 8)],
    }


NUMBERED = {"lineage.hold", "requests.topup"}
"""Answered with a number that was just given, which is each side's own."""
TIES = ("RETURNING", "ORDER BY b.slug", "AS story")
"""What is said where rows have no order, or rows of one place have none."""
SILENT = {"cases.order_events", "lineage.move_on"}
"""Nothing to compare: there are no locks; and it needs a number that only one side has."""


@dataclass(frozen=True, slots=True)
class Sides:
    postgres: Store
    journal: JournalStore
    facts: Facts


class _EnoughError(Exception):
    """The way out of a transaction that must change nothing."""


@asynccontextmanager
async def given_up(database: Database) -> AsyncIterator[Connection]:
    try:
        async with database.transaction() as connection:
            yield connection
            raise _EnoughError  # noqa: TRY301 - nothing but an exception ends it unsaved
    except _EnoughError:
        pass


async def heard(connection: Connection, query: str, args: tuple[Any, ...]) -> list[Any]:
    rows = [dict(row) for row in await connection.fetch(query, *args)]
    if all(len(row) == 1 for row in rows):  # a name of its own for a column is nobody's business
        rows = [{"": next(iter(row.values()))} for row in rows]
    is_ordered = "ORDER BY" in query and not any(word in query for word in TIES)
    return rows if is_ordered else sorted(rows, key=_place)


def _place(row: Mapping[str, Any]) -> str:
    return repr([value for value in row.values() if not isinstance(value, datetime | float)])


def alike(one: Any, other: Any) -> bool:
    """Claim that two answers say the same; moments and ages need only be near."""
    match one, other:
        case (datetime(), datetime()) | (timedelta(), timedelta()):
            return abs(one - other) < NEAR
        case (float(), float()):
            return abs(one - other) < NEAR.total_seconds()
        case (str(), str()) if one != other and MOMENT.match(one) and MOMENT.match(other):
            return alike(datetime.fromisoformat(one), datetime.fromisoformat(other))
        case (dict(), dict()):
            return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
        case (list(), list()):
            return len(one) == len(other) and all(map(alike, one, other))
        case _:
            return bool(one == other)


async def everything(store: Store, connection: Connection) -> dict[str, list[Any]]:
    """All rows as they are in this transaction; numbers of rows are each side's own."""
    held = {}
    for spec in SPECS:
        if isinstance(store, JournalStore):
            rows = store.tables.by_name[spec.name].all()
        else:
            rows = [dict(row) for row in await connection.fetch(f"SELECT * FROM {spec.name}")]
        names = [name for name in spec.columns if spec.defaults.get(name) is not NEXT]
        known = [{name: row[name] for name in names} for row in rows]
        held[spec.name] = sorted(known, key=_place)
    return held


@pytest.fixture
async def sides(
    store_on_postgres: Store, database_url: str, tmp_path: Path
) -> AsyncIterator[Sides]:
    facts = await lives(store_on_postgres)
    directory = InJournal(tmp_path / "journal")
    await export(InPostgres(database_url), tmp_path / "file")
    await restore(tmp_path / "file", directory)
    async with opened(directory.directory) as journal:
        yield Sides(store_on_postgres, JournalStore(journal.database), facts)


async def test_every_statement_has_one_answer(sides: Sides):
    """And leaves the same rows behind; each is tried in a transaction that is given up."""
    said = {f"{file}.{name}": text for file, name, text in named()}
    arguments = asked(sides.facts)
    assert arguments.keys() <= said.keys()
    no_arguments = {name for name, text in said.items() if "$1" not in text} - SILENT
    for name in sorted(arguments.keys() | no_arguments):
        for args in arguments.get(name, [()]):
            answers, left = [], []
            for store in (sides.postgres, sides.journal):
                async with given_up(store.database) as connection:
                    answers.append(await heard(connection, said[name], args))
                    left.append(await everything(store, connection))
            if name in NUMBERED:
                answers = [len(rows) for rows in answers]
            assert alike(*answers), (name, args, answers)
            for table in left[0]:
                assert alike(left[0][table], left[1][table]), (name, args, table)


def test_what_has_arguments_is_asked_here_or_written_by_every_verb():
    """What is written as a recordset stands in every test of a verb; all else is asked above."""
    facts = {name: [] for name in ("ids", "outbox")} | dict.fromkeys(
        ("one", "gone", "part", "orphan", "attempt", "report", "evidence", "letter")
    )
    facts["ids"] = [NOBODY]
    known = asked(facts).keys() | SILENT
    missing = [
        f"{file}.{name}"
        for file, name, text in named()
        if "$1" in text
        and f"{file}.{name}" not in known
        and "json_to_recordset" not in text
        and "populate_recordset" not in text
    ]

    assert set(missing) == {
        "cases.lock_tasks",
        "cases.insert_events",
        "cases.insert_outbox",
    }
