"""Content has an age after which nothing of it is left, and its jobs and their money stay as they were."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

import content_kit as lives
from content_kit import BODY, MARK, telling
from contracts.deliveries import DeliveryRequested
from contracts.polls import PollRequested
from contracts.repairs import RedeliverJobs, Repaired, RepairsView, ResendJobs, ResolvePart
from contracts.values import Cause, JobState, MoneyState, PartState
from job_store.domain.forgetting import FORGOTTEN
from job_store.domain.repair import GONE
from job_store.domain.rules import Ages
from job_store.store.forgetting import Forgetting
from job_store.store.repairs import Repairs
from store_kit import LATER, Store, callback, create, sent

NOW = timedelta(0)
ALL = Ages(prompts=NOW, media=NOW, bodies=NOW)
HAND: dict[str, Any] = {"who": "ann", "why": "a test", "not_after": LATER}
STANDING = "SELECT id, bot, key, state, money, price, user_id, model, cause, ended_at FROM jobs"
IN_BASE64 = base64.b64encode(BODY).decode()


async def swept(store: Store, ages: Ages = ALL) -> None:
    store.units.rules = replace(store.rules, ages=ages)
    while await Forgetting(store.units).sweep():
        pass


async def standing(store: Store) -> dict[UUID, Any]:
    return {row["id"]: dict(row) for row in await store.fetch(STANDING)}


async def ended_lives(store: Store) -> None:
    await store.topup(300)
    await lives.delivered(store, price=100)
    await lives.failed(store, price=100)
    await lives.refused(store)
    await lives.handed_over(store)


async def test_of_what_has_ended_no_word_is_left_and_all_else_stays(store: Store):
    await ended_lives(store)
    assert await telling(store) == {"jobs", "parts", "reports", "evidence", "events"}
    assert await telling(store, IN_BASE64) == {"reports"}
    before, money = await standing(store), await store.fetch("SELECT * FROM ledger ORDER BY id")

    await swept(store)

    assert await telling(store) == set()
    assert await telling(store, IN_BASE64) == set()
    assert await standing(store) == before
    assert await store.fetch("SELECT * FROM ledger ORDER BY id") == money
    assert await store.wallet() == (200, 0)
    for job_id, row in before.items():
        assert (await store.job(job_id)).state is JobState(row["state"])


async def test_what_is_open_or_being_shown_keeps_its_words(store: Store):
    running = await store.running(lives.marked())
    shown = await store.succeeded(lives.marked())
    waiting = await store.made(lives.marked())

    await swept(store)

    rows = await store.fetch("SELECT id FROM jobs WHERE input ->> 'prompt' = $1", MARK)
    assert {row["id"] for row in rows} == {running, shown, waiting}
    await store.report(callback(running))
    assert await store.show_all() == 2
    assert {(await store.job(one)).state for one in (running, shown)} == {JobState.DELIVERED}


async def test_each_kind_has_an_age_of_its_own(store: Store):
    await lives.delivered(store)
    young = timedelta(days=1)
    steps = [
        (Ages(), {"jobs": 1, "parts": 3, "reports": 1}),
        (Ages(prompts=young, media=young, bodies=young), {"jobs": 1, "parts": 3, "reports": 1}),
        (Ages(bodies=NOW, media=young), {"jobs": 1, "parts": 3, "reports": 0}),
        (Ages(media=NOW, prompts=young), {"jobs": 1, "parts": 0, "reports": 0}),
        (Ages(prompts=NOW), {"jobs": 0, "parts": 0, "reports": 0}),
    ]

    for ages, left in steps:
        await swept(store, ages)
        holding = {table: await rows_with_content(store, table) for table in left}
        assert holding == left, ages


async def rows_with_content(store: Store, table: str) -> int:
    rows = [repr(dict(row)) for row in await store.fetch(f"SELECT * FROM {table}")]
    return sum(MARK in row or IN_BASE64 in row for row in rows)


@pytest.mark.parametrize("life", [lives.parked, lives.uncertain])
async def test_what_waits_too_long_is_given_up_and_costs_what_it_cost(store: Store, life: Any):
    await store.topup(100)
    job_id = await life(store, price=100)
    await swept(store, replace(ALL, media=timedelta(days=1)))
    assert (await store.job(job_id)).state is JobState.SUCCEEDED

    await swept(store)

    job = await store.job(job_id)
    assert (job.state, job.cause) == (JobState.UNDELIVERABLE, Cause.USER)
    assert (job.money, await store.wallet()) == (MoneyState.CAPTURED, (0, 0))
    assert {(part.state, part.refusal) for part in job.parts} == {(PartState.REFUSED, FORGOTTEN)}
    assert await store.events("undeliverable") == 1
    assert await telling(store) == set()
    assert await store.claimed() == []
    assert await store.effects.returned(bot="shop", chat_id=7) == 0


async def test_a_message_learned_of_after_that_is_still_told_of(store: Store):
    await lives.uncertain(store)
    await swept(store)
    (row,) = await store.fetch("SELECT attempt_id, detail FROM evidence WHERE kind = 'ambiguous'")
    assert "reason" not in row["detail"]["result"]
    (ask,) = [a for a in _sends(store) if a.attempt.id == row["attempt_id"]]

    await store.delivered(ask, sent(ask, 77), holder=ask.attempt.id)

    (state,) = [row["state"] for row in await store.fetch("SELECT state FROM parts")]
    assert state == "shown"
    await store.assert_legal()


def _sends(store: Store) -> list[DeliveryRequested]:
    rows = [row for row in store.offered if row.subject == "deliveries.requested"]
    asks = [DeliveryRequested.read(row.payload) for row in rows]
    return [ask for ask in asks if ask.action.kind == "send"]


async def test_what_is_gone_is_never_shown_again_and_a_person_is_told_why(store: Store):
    shown = await lives.delivered(store)
    unshown = await lives.uncertain(store)
    part_id = await store.value("SELECT id FROM parts WHERE job_id = $1", unshown)
    repairs = Repairs(store.units)
    await swept(store)

    again = await repairs.redeliver(RedeliverJobs(job_ids=(unshown,), **HAND))
    copy = await repairs.resend(ResendJobs(job_ids=(shown,), key="k", **HAND))
    resent = await repairs.resolve(ResolvePart(part_id=part_id, outcome="send_again", **HAND))

    assert again.repaired == (Repaired(id=unshown, did=False, reason=GONE),)
    assert copy.repaired == (Repaired(id=shown, did=False, reason=GONE),)
    assert isinstance(resent, RepairsView)
    assert not resent.repaired[0].did
    assert await store.claimed() == []


async def test_a_callback_whose_body_is_gone_is_asked_about_when_its_job_is_learned(store: Store):
    await store.report(lives.said(None, task_id="early"))
    await swept(store)
    assert await telling(store) == set()

    await store.running(create(), task_id="early")

    job_id = await store.value("SELECT id FROM jobs")
    assert (await store.job(job_id)).state is JobState.RUNNING
    (poll,) = [ask for ask in await store.claimed() if isinstance(ask, PollRequested)]
    assert poll.task_id == "early"


async def test_a_dead_letter_keeps_its_place_and_loses_its_bytes(store: Store):
    for seq in (1, 2):
        await store.inbox.keep_dead_letter(
            durable="job-store-reports",
            subject="reports.received",
            stream_seq=seq,
            payload=BODY,
            reason=f"ValueError: {MARK}",
        )
    await store.run(
        "UPDATE dead_letters SET settled_at = now(), settled_as = 'replayed' WHERE id = 1"
    )

    await swept(store)

    rows = await store.fetch("SELECT stream_seq, settled_as, reason FROM dead_letters ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [
        (1, "replayed", "ValueError"),
        (2, "discarded", "ValueError"),
    ]
    assert await telling(store) == set()


async def test_while_a_restore_is_open_nothing_goes(store: Store):
    await ended_lives(store)
    before = await lives.everything(store)
    await store.run("INSERT INTO restores (durable, missing) VALUES ('job-store-reports', 'x')")

    await swept(store)

    assert await lives.everything(store) | {"restores": ""} == before


async def test_of_history_only_words_may_go(store: Store):
    await store.topup(10)
    await lives.refused(store)
    await lives.delivered(store)

    for change, *args in (
        ("UPDATE evidence SET detail = $1 WHERE kind = 'refused'", {"more": 1}),
        ("UPDATE evidence SET detail = $1 WHERE kind = 'refused'", {"result": {"kind": "sent"}}),
        ("UPDATE evidence SET moved = NOT moved",),
        ("DELETE FROM evidence",),
        ("UPDATE carriers SET chat_id = 0",),
        ("DELETE FROM carriers",),
        ("UPDATE ledger SET amount = 1",),
        ("DELETE FROM attempts",),
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="is insert-only"):
            await store.run(change, *args)
