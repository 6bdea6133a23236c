"""The doctor sees what the code never does and the schema cannot refuse: each law is broken by hand once."""

import pytest

from contracts.deliveries import Shown
from contracts.reports import ReportedMedia, ReportState
from contracts.values import JobState, MediaKind
from store_kit import Store, callback, create, polled, sent

BREAKS = {
    "money_without_entry": "ALTER TABLE ledger DISABLE TRIGGER ledger_insert_only;"
    "DELETE FROM ledger WHERE kind = 'capture'",
    "holds_without_open_job": "UPDATE wallets SET held = held + 1",
    "ledger_unbalanced": "UPDATE wallets SET balance = balance + 1",
    "shown_twice": "UPDATE parts SET showings = 2",
    "evidence_dropped": "UPDATE parts SET state = 'refused', refusal = 'by_hand'",
    "report_dropped": "UPDATE jobs SET state = 'running', money = 'held', ended_at = NULL, cause = NULL",
    "orphan_with_owner": "INSERT INTO orphans (id, task_id, state)"
    " SELECT gen_random_uuid(), task_id, 'waiting' FROM task_owners;"
    "UPDATE reports SET job_id = NULL, message = message - 'token' - 'poll'",
    "sent_without_begin": "ALTER TABLE evidence DISABLE TRIGGER evidence_insert_only;"
    "UPDATE evidence SET detail = detail - 'holder' WHERE kind = 'sent'",
    "held_after_restore": "INSERT INTO restores (durable, missing) VALUES ('d', 'm')",
    "index_unfinished": "UPDATE pg_index SET indisvalid = false"
    " WHERE indexrelid = 'sendonce.jobs_of_user'::regclass",
    "uncertain_parts": "UPDATE parts SET state = 'uncertain'",
    "job_without_clock": "UPDATE jobs SET state = 'running', money = 'held', ended_at = NULL,"
    " cause = NULL, expires_at = now() - interval '2 minutes'",
    "succeeded_without_effect": "UPDATE jobs SET state = 'succeeded', ended_at = NULL, cause = NULL",
    "outbox_stuck": "INSERT INTO outbox (subject, msg_id, payload, leased_until, at)"
    " VALUES ('x', 'x', '', now(), now() - interval '2 minutes')",
    "effect_overdue": "UPDATE effects SET state = 'pending', due_at = now() - interval '1 hour'"
    " WHERE kind = 'show'",
    "orphans_overdue": "INSERT INTO orphans (id, task_id, state, seen_at)"
    " VALUES (gen_random_uuid(), 'nobodys', 'waiting', now() - interval '2 hours')",
    "dead_letters": "INSERT INTO dead_letters (durable, subject, stream_seq, payload, reason)"
    " VALUES ('d', 's', 1, '', 'r')",
    "lease_over": "UPDATE effects SET state = 'acting', open_attempt = gen_random_uuid(),"
    " claimed_at = now(), lease_until = now() - interval '1 hour' WHERE kind = 'show'",
}


async def broken(store: Store) -> set[str]:
    return {found.check for found in (await store.ops.doctor()).findings if not found.ok}


async def delivered_jobs(store: Store) -> None:
    """One job edited in, one album sent; both paid for."""
    await store.topup(1_000)
    await store.succeeded(create(price=300))
    assert await store.show_all() == 1
    job_id = await store.running(create(price=300, mode="send"))
    await store.report(callback(job_id))
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    await store.delivered(ask, sent(ask, 500), holder=ask.attempt.id)


async def test_every_law_of_the_doctor_is_broken_here_once(store: Store):
    checks = {found.check for found in (await store.ops.doctor()).findings}

    assert checks == BREAKS.keys()


OF_POSTGRES = {"index_unfinished"}  # indexes of the journal are made with the rows


@pytest.mark.parametrize(
    "law",
    [pytest.param(law, marks=[pytest.mark.postgres] * (law in OF_POSTGRES)) for law in BREAKS],
)
async def test_the_doctor_sees_a_broken_law(store: Store, law: str):
    await delivered_jobs(store)
    assert await broken(store) == set()

    await store.run(BREAKS[law])

    assert law in await broken(store)
    await store.run(
        "TRUNCATE bots CASCADE; TRUNCATE restores, outbox, evidence, orphans, dead_letters"
    )


BLANK = (ReportedMedia(kind=MediaKind.TEXT, text=" \n"),)


@pytest.mark.parametrize("said", [{"media": ()}, {"media": BLANK}, {"truncated": True}])
async def test_a_success_that_is_asked_about_first_is_not_a_dropped_one(store: Store, said: dict):
    """It shows nothing, or it was cut: nothing was decided, and a poll is on its way."""
    job_id = await store.running()

    await store.report(callback(job_id, **said))

    assert (await store.job(job_id)).state is JobState.RUNNING
    assert "report_dropped" not in await broken(store)


async def test_an_earlier_task_that_made_nothing_is_not_a_dropped_success(store: Store):
    """The job goes on with its last task."""
    job_id = await store.running()
    (poll,) = await store.claimed()
    await store.report(callback(job_id, task_id="another", state=ReportState.PROGRESS))

    await store.report(polled(poll, media=()))

    assert (await store.job(job_id)).state is JobState.RUNNING
    assert "report_dropped" not in await broken(store)


async def test_a_late_message_id_is_evidence_that_was_heard(store: Store):
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.end_leases()

    await store.delivered(ask, Shown(message_id=100))

    assert "evidence_dropped" not in await broken(store)
