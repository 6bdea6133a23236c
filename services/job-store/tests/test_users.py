"""All that is kept of a user is handed out, and taken out when somebody says so: of them alone, and not the money."""

import json
from typing import Any, Final
from uuid import UUID

import pytest

import content_kit as lives
from content_kit import MARK, everything, telling
from contracts.outcomes import Later
from contracts.refusals import Refusal, RefusalName
from contracts.repairs import AuditLine, ListAudit
from contracts.users import ExportUser, ForgetUser, UserExportView, UserForgottenView
from contracts.values import Cause, JobState, MoneyState
from job_store.store import users as rooms
from job_store.store.audit import Audit
from job_store.store.users import Users
from store_kit import LATER, Store, create

HAND: Final[dict[str, Any]] = {"who": "ann", "why": "asked for it", "not_after": LATER}
ANN, BOB, CHAT = 7, 8, 77_000_001
# What a user has no part in, or what is gone by itself.
NOT_ABOUT_USERS: Final = {
    "bots": "nobody's",
    "dead_letters": "bytes nobody could read; gone by their age",
    "durations": "seconds of a model",
    "floors": "sequences of the bus",
    "migration_checksums": "of files",
    "outbox": "gone when published",
    "pacing": "moments; a row nobody uses is gone within the hour",
    "restores": "of the whole database",
    "tasks": "ids; whose they are stands in task_owners",
}


@pytest.fixture
def users(store: Store) -> Users:
    return Users(store.units)


async def exported(users: Users, user_id: int = ANN) -> dict[str, list[Any]]:
    """Read page by page, as the command does."""
    ask = ExportUser(bot="shop", user_id=user_id, **HAND)
    counts = await users.export(ask)
    assert isinstance(counts, UserExportView)
    kept: dict[str, list[Any]] = {}
    for table in counts.tables:
        rows = kept.setdefault(table.name, [])
        while True:
            page = await users.export(
                ask.model_copy(update={"table": table.name, "offset": len(rows)})
            )
            assert isinstance(page, UserExportView)
            if not page.rows:
                break
            rows += [one.row for one in page.rows]
        assert len(rows) == table.rows
    return kept


async def forgotten(users: Users, **fields: Any) -> UserForgottenView:
    view = await users.forget(ForgetUser(**{"bot": "shop", "user_id": ANN} | HAND | fields))
    assert isinstance(view, UserForgottenView), view
    return view


async def audited(store: Store, job_id: UUID | None = None) -> list[AuditLine]:
    view = await Audit(store.units).list(ListAudit(job_id=job_id, not_after=LATER))
    return [line for line in view.lines if line.verb.startswith("users.")]


async def lived(store: Store) -> list[UUID]:
    """Ann has been through everything in a chat of her own; Bob has one picture."""
    await store.topup(500, user_id=ANN)
    ways = (
        *(lives.delivered, lives.failed, lives.refused, lives.handed_over),
        *(lives.parked, lives.uncertain),
    )
    ids = [await way(store, chat_id=CHAT + at, price=10) for at, way in enumerate(ways)]
    await store.report(lives.said(None, task_id="hers"))
    await store.running(lives.marked(chat_id=CHAT), task_id="hers")
    await store.show_all(first_message=90_000)
    await store.running(create(user_id=BOB, chat_id=BOB, input={"prompt": "a boat"}))
    return ids


async def test_every_table_is_handed_out_or_has_a_reason_not_to_be(store: Store, users: Users):
    await lived(store)

    kept = await exported(users)

    assert set(kept) == await store.table_names() - set(NOT_ABOUT_USERS)
    assert kept["audit"][0]["verb"] == "users.export"


async def test_what_is_handed_out_is_all_of_one_user_and_nothing_of_another(
    store: Store, users: Users, monkeypatch: pytest.MonkeyPatch
):
    await lived(store)
    monkeypatch.setattr(rooms, "PAGE", 3)

    kept = await exported(users)

    told = {table for table, rows in kept.items() if MARK in json.dumps(rows)}
    assert told == await telling(store)
    assert "a boat" not in json.dumps(kept)
    assert {row["user_id"] for row in kept["jobs"]} == {ANN}
    for table in ("ledger", "wallets"):
        rows = await store.fetch(f"SELECT * FROM {table} WHERE user_id = $1", ANN)
        assert len(kept[table]) == len(rows)
    assert set(await exported(users, user_id=4_711)) == {"audit"}
    assert [line.target for line in await audited(store)] == [
        "user 4711 of bot shop",
        "user 7 of bot shop",
    ]


async def test_a_dry_run_of_handing_out_says_how_much_and_is_not_written_down(
    store: Store, users: Users
):
    await lives.delivered(store)

    view = await users.export(ExportUser(bot="shop", user_id=ANN, **HAND | {"dry_run": True}))

    assert isinstance(view, UserExportView)
    assert {one.name: one.rows for one in view.tables}["parts"] == 3
    assert await audited(store) == []


async def test_of_a_forgotten_user_only_ids_states_and_money_are_left(store: Store, users: Users):
    ids = await lived(store)
    await store.run("UPDATE effects SET state = 'cancelled' WHERE state = 'pending'")
    money = await store.fetch("SELECT * FROM ledger ORDER BY id")
    wallet, parts = await store.wallet(), await store.value("SELECT count(*) FROM parts")
    bobs = await exported(users, user_id=BOB)
    assert await telling(store, str(CHAT)[:-1])
    task = await store.value("SELECT job_id FROM task_owners WHERE task_id = 'hers'")
    await store.report(lives.said(task, task_id="hers"))
    await store.show_all(first_message=95_000)

    view = await forgotten(users)

    assert (view.did, view.jobs, view.left) == (True, 7, 0)
    assert await telling(store) == set()
    assert await telling(store, str(CHAT)[:-1]) == {"pacing"}
    await store.run("UPDATE pacing SET tat = now() - interval '2 hours'")
    await store.effects.forget_buckets()
    assert await telling(store, str(CHAT)[:-1]) == set()
    assert await store.fetch("SELECT * FROM ledger ORDER BY id") == money
    assert await store.wallet() == wallet
    assert await store.value("SELECT count(*) FROM parts") >= parts
    assert await exported(users, user_id=BOB) | {"audit": None} == bobs | {"audit": None}
    states = [(await store.job(job_id)).state for job_id in ids]
    assert states == [
        *(JobState.DELIVERED, JobState.FAILED, JobState.FAILED, JobState.DELIVERED),
        *(JobState.UNDELIVERABLE, JobState.UNDELIVERABLE),
    ]
    given_up = await store.job(ids[-1])
    assert (given_up.cause, given_up.money) == (Cause.USER, MoneyState.CAPTURED)
    (line,) = [one for one in await audited(store) if one.verb == "users.forget"]
    assert (line.who, line.why, line.target) == ("ann", "asked for it", "user 7 of bot shop")
    assert await store.claimed() == []


async def test_while_a_job_is_open_nothing_is_forgotten(store: Store, users: Users):
    await lives.delivered(store)
    running = await store.running(lives.marked())
    before = await everything(store)

    view = await forgotten(users)

    assert not view.did
    assert view.reason == "1 job is in the way: the job is running"
    assert (view.in_the_way, view.left) == ((running,), 2)
    assert await everything(store) == before

    await store.report(lives.said(running))
    (ask, *_) = await store.deliveries("show")
    assert "at work on it" in (await forgotten(users)).reason
    await store.delivered(ask, Later(reason="429", after=60))
    assert "still to be shown" in (await forgotten(users)).reason


async def test_while_a_call_may_still_land_nothing_is_forgotten(store: Store, users: Users):
    job_id = await lives.uncertain(store)
    just_now = "UPDATE effects SET claimed_at = now() WHERE job_id = $1"
    await store.run(just_now, job_id)

    assert "a call may still land" in (await forgotten(users)).reason

    await store.run(just_now.replace("now()", "now() - interval '10 minutes'"), job_id)
    assert (await forgotten(users)).did


async def test_a_dry_run_of_forgetting_changes_nothing(store: Store, users: Users):
    await lives.delivered(store)
    await lives.parked(store)
    before = await everything(store)

    view = await forgotten(users, dry_run=True)

    assert (view.did, view.jobs) == (True, 2)
    assert await everything(store) == before


async def test_many_jobs_are_emptied_some_at_a_time_and_no_new_job_stands_for_an_old_key(
    store: Store, users: Users, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rooms, "AT_ONCE", 2)
    requests = [lives.marked(deliver=False) for _ in range(3)]
    for request in requests:
        await store.report(lives.said(await store.running(request)))

    first, second = await forgotten(users), await forgotten(users)

    assert (first.jobs, first.left) == (2, 1)
    assert (second.jobs, second.left) == (1, 0)
    assert (await forgotten(users)).jobs == 0
    assert [await store.made(request) for request in requests] == [
        row["id"] for row in await store.fetch("SELECT id FROM jobs ORDER BY id")
    ]
    assert await telling(store) == set()


async def test_a_job_of_a_forgotten_user_says_what_is_gone(store: Store, users: Users):
    job_id = await lives.delivered(store)

    await forgotten(users)

    story = await store.ops.story(job_id)
    assert not isinstance(story, Refusal)
    gone = [line.what for line in story.timeline if line.what.startswith("gone")]
    assert sorted(gone) == ["gone chat", "gone media", "gone prompt"]


async def test_a_bot_nobody_knows_is_refused(store: Store, users: Users):
    for verb, ask in ((users.export, ExportUser), (users.forget, ForgetUser)):
        refused = await verb(ask(bot="shpo", user_id=ANN, **HAND))  # type: ignore[arg-type]
        assert isinstance(refused, Refusal)
        assert refused.code is RefusalName.UNKNOWN_BOT
    assert await audited(store) == []
