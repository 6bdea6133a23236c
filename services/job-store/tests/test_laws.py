"""Each law of the database, by the two transactions or workers it protects from each other."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from contracts.api import AttachTask, JobView, OneJob, Refusal, RefusalName, TopUp
from contracts.deliveries import Migrated, RefusalCode, Shown
from contracts.effects import Go, Stop
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.reports import HmacClaim, ReportState
from contracts.submissions import TaskCreated
from contracts.values import JobState, MoneyState, PartState
from job_store.domain.rules import MAX_CARRIER_POSTS
from job_store.store.creation import Created, Creation
from store_kit import LATER, Store, callback, create, delivery_outcome, expect, polled


async def events(store: Store, name: str) -> int:
    count: int = await store.value("SELECT count(*) FROM events WHERE event = $1", name)
    return count


# -- creation and money ----------------------------------------------------------------------------


async def test_one_wallet_pays_for_exactly_one_of_fifty_concurrent_creates(store: Store):
    await store.topup(100)

    answers = await asyncio.gather(
        *(store.creations.create([Creation("shop", create(price=100))]) for _ in range(50))
    )

    made = [a for (a,) in answers if isinstance(a, Created)]
    refused = [a.code for (a,) in answers if isinstance(a, Refusal)]
    assert len(made) == 1
    assert refused == [RefusalName.INSUFFICIENT_FUNDS] * 49
    assert await store.wallet() == (0, 100)


async def test_fifty_concurrent_creates_with_one_key_make_one_job(store: Store):
    await store.topup(1_000)
    request = create(price=100, key="tap")

    answers = await asyncio.gather(
        *(store.creations.create([Creation("shop", request)]) for _ in range(50))
    )

    ids = {a.job_id for (a,) in answers if isinstance(a, Created)}
    assert len(ids) == 1
    assert sum(a.is_new for (a,) in answers if isinstance(a, Created)) == 1
    assert await store.wallet() == (900, 100)


async def test_the_same_key_in_one_batch_makes_one_job(store: Store):
    request = create(key="tap")
    first, second = await store.creations.create([Creation("shop", request)] * 2)
    assert isinstance(first, Created)
    assert isinstance(second, Created)
    assert (first.job_id, first.is_new, second.is_new) == (second.job_id, True, False)


async def test_the_same_key_with_another_request_is_a_conflict(store: Store):
    job_id = await store.made(create(key="k"))
    (answer,) = await store.creations.create([Creation("shop", create(key="k", chat_id=8))])
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.job_id) == (RefusalName.KEY_CONFLICT, job_id)


async def test_a_payment_reference_credits_once(store: Store):
    await asyncio.gather(*(store.topup(50, reference="receipt-1") for _ in range(10)))
    assert await store.wallet() == (50, 0)
    ask = TopUp(user_id=7, currency="RUB", amount=51, reference="receipt-1", not_after=LATER)
    answer = await store.requests.topup("shop", ask)
    assert isinstance(answer, Refusal)
    assert answer.code is RefusalName.REFERENCE_CONFLICT


async def test_a_callback_five_times_in_parallel_charges_and_shows_once(store: Store):
    await store.topup(100)
    job_id = await store.running(create(price=100))

    await asyncio.gather(*(store.report(callback(job_id)) for _ in range(5)))
    await store.show_all()

    assert await store.wallet() == (0, 0)
    assert await store.value("SELECT count(*) FROM ledger WHERE kind = 'capture'") == 1
    assert await store.value("SELECT count(*) FROM parts") == 1
    assert await events(store, "succeeded") == 1
    assert await events(store, "delivered") == 1


async def test_a_success_after_our_expiry_is_delivered_free(store: Store):
    await store.topup(100)
    job_id = await store.running(create(price=100))
    await store.run("UPDATE jobs SET expires_at = now() - interval '1 s'")
    await store.effects.expire_jobs(10)
    assert (await store.job(job_id)).state is JobState.EXPIRED
    assert await store.wallet() == (100, 0)

    await store.report(callback(job_id))
    await store.show_all()

    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.WAIVED)
    assert await store.wallet() == (100, 0)


async def test_a_failure_is_never_undone_by_a_late_success(store: Store):
    await store.topup(100)
    job_id = await store.running(create(price=100))
    await store.report(callback(job_id, state=ReportState.FAILED))
    await store.report(callback(job_id))
    job = await store.job(job_id)
    assert (job.state, job.money) == (JobState.FAILED, MoneyState.RELEASED)


@pytest.mark.parametrize("table", ["ledger", "attempts", "evidence", "carriers"])
async def test_history_is_insert_only(store: Store, table: str):
    await store.topup(10)
    job_id = await store.succeeded(create(price=10))
    await store.show_all()
    assert job_id
    with pytest.raises(asyncpg.RestrictViolationError):
        await store.run(f"DELETE FROM {table}")
    with pytest.raises(asyncpg.RestrictViolationError):
        await store.run(f"UPDATE {table} SET at = now()")


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE jobs SET ended_at = now()",
        "UPDATE jobs SET state = 'delivered'",
        "UPDATE jobs SET price = 5",
        "UPDATE wallets SET held = -1",
        "UPDATE wallets SET balance = -1",
        "UPDATE parts SET state = 'shown'",
        "UPDATE parts SET state = 'refused'",
        "UPDATE effects SET state = 'acting' WHERE state <> 'acting'",
        "UPDATE jobs SET state = 'nonsense'",
        """INSERT INTO ledger (bot, user_id, currency, kind, amount, debit, credit, job_id)
            SELECT bot, user_id, currency, 'hold', 1, 'revenue', 'held', id FROM jobs""",
    ],
)
async def test_the_database_refuses_what_must_never_be(store: Store, forbidden: str):
    await store.topup(10)
    await store.succeeded(create())
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await store.run(forbidden)


# -- orphans and task ids --------------------------------------------------------------------------


async def attach(store: Store, job_id: object, task_id: str) -> JobView | Refusal:
    return await store.requests.attach(
        "shop", AttachTask(job_id=job_id, task_id=task_id, not_after=LATER)
    )


async def test_a_report_and_a_task_id_always_meet(store: Store):
    """Whichever of the two transactions is second matches the orphan."""
    jobs = [(await store.made(expect()), f"race-{n}") for n in range(25)]

    await asyncio.gather(
        *(
            verb
            for job_id, task_id in jobs
            for verb in (
                store.report(callback(None, task_id=task_id)),
                attach(store, job_id, task_id),
            )
        )
    )

    for job_id, _ in jobs:
        assert (await store.job(job_id)).state is JobState.SUCCEEDED
    assert await store.value("SELECT count(*) FROM orphans WHERE state <> 'matched'") == 0


async def test_an_expired_orphan_is_still_matched(store: Store):
    await store.report(callback(None, task_id="lost"))
    await store.run("UPDATE orphans SET seen_at = now() - interval '2 h'")
    assert await store.orphans.expire(older_than=timedelta(hours=1), limit=10) == 1
    job_id = await store.made(expect())

    await attach(store, job_id, "lost")

    assert (await store.job(job_id)).state is JobState.SUCCEEDED
    assert await store.value("SELECT state FROM orphans") == "matched"
    told = [row.subject for row in store.offered if row.subject.startswith("orphans.")]
    assert told == ["orphans.waiting", "orphans.expired", "orphans.matched"]


async def test_a_callback_that_comes_again_wakes_its_expired_orphan(store: Store):
    await store.report(callback(None, task_id="lost"))
    await store.run("UPDATE orphans SET seen_at = now() - interval '2 h', state = 'expired'")
    await store.report(callback(None, task_id="lost"))
    assert await store.value("SELECT state FROM orphans") == "waiting"


async def test_a_task_belongs_to_one_job(store: Store):
    first, second = await store.made(expect()), await store.made(expect())
    await attach(store, first, "task")
    answer = await attach(store, second, "task")
    assert isinstance(answer, Refusal)
    assert answer.code is RefusalName.TASK_CONFLICT
    assert (await store.job(second)).task_ids == ()


async def test_an_untrusted_report_moves_nothing_before_kie_confirms_it(store: Store):
    await store.topup(100)
    job_id = await store.running(create(price=100), task_id="t")
    forged = callback(None, task_id="t", hmac=HmacClaim(verdict="absent"))

    (applied,) = await store.report(forged)

    assert applied.did == "to_confirm"
    assert (await store.job(job_id)).state is JobState.RUNNING
    assert await store.wallet() == (0, 100)
    (poll,) = await store.claimed()
    await store.report(polled(poll, state=ReportState.FAILED))
    assert (await store.job(job_id)).state is JobState.FAILED


async def test_strangers_spend_only_a_fifth_of_the_polls(store: Store):
    """Kept as evidence all the same, and the job's own planned poll stands."""
    jobs = [(await store.running(task_id=f"t{n}"), f"t{n}") for n in range(5)]
    forged = [
        callback(None, task_id=task_id, hmac=HmacClaim(verdict="absent")) for _, task_id in jobs
    ]

    applied = await store.report(*forged)

    assert [item.did for item in applied] == ["to_confirm"] * 2 + ["not_heeded"] * 3
    assert await store.value("SELECT count(*) FROM reports WHERE trust = 'untrusted'") == 5
    assert await store.value("SELECT count(*) FROM effects WHERE kind = 'poll'") == 5


async def test_a_lost_answer_and_a_bad_signature_are_resolved_by_asking(store: Store):
    """The signed path names the job, the body its task: KIE is asked before anything is believed."""
    job_id = await store.made()
    ask = await store.submission()
    await store.begin(ask.attempt.id)
    await store.submitted(ask, Ambiguous(reason="timeout"))

    (applied,) = await store.report(
        callback(job_id, task_id="t", hmac=HmacClaim(verdict="mismatch"))
    )
    assert applied.did == "to_confirm"
    (poll,) = await store.claimed()
    assert poll.task_id == "t"
    await store.report(polled(poll))

    assert (await store.job(job_id)).state is JobState.SUCCEEDED


async def test_a_signature_vouches_for_its_first_body_only(store: Store):
    job_id = await store.running(task_id="t")
    signed = {"task_id": "t", "hmac": HmacClaim(verdict="match", account="default")}
    await store.report(callback(None, state=ReportState.PROGRESS, body=b"one", **signed))

    (applied,) = await store.report(callback(None, body=b"another", **signed))

    assert applied.did == "to_confirm"
    assert (await store.job(job_id)).state is JobState.RUNNING


# -- submissions -----------------------------------------------------------------------------------


async def test_begin_is_idempotent_for_its_holder_and_closed_to_others(store: Store):
    await store.made()
    ask = await store.submission()
    holder = uuid4()

    first = await store.begin(ask.attempt.id, holder)
    repeated = await store.begin(ask.attempt.id, holder)
    redelivered = await store.begin(ask.attempt.id, uuid4())

    assert isinstance(first, Go)
    assert isinstance(repeated, Go)
    assert isinstance(redelivered, Stop)


async def test_concurrent_begins_let_one_through(store: Store):
    await store.made()
    ask = await store.submission()
    answers = await asyncio.gather(*(store.begin(ask.attempt.id, uuid4()) for _ in range(10)))
    assert sum(isinstance(answer, Go) for answer in answers) == 1


async def test_not_sent_from_a_redelivery_does_not_reopen_what_the_holder_is_doing(store: Store):
    await store.made()
    ask = await store.submission()
    assert isinstance(await store.begin(ask.attempt.id, uuid4()), Go)

    settled = await store.submitted(ask, NotSent(reason="not allowed in time"))

    assert settled.moved is False
    assert await store.claimed() == []


async def end_leases(store: Store) -> None:
    await store.run(
        "UPDATE effects SET lease_until = now() - interval '1 s' WHERE state = 'acting'"
    )
    await store.effects.end_leases(100)


async def test_a_submission_nobody_began_is_due_again_a_begun_one_is_uncertain(store: Store):
    job_id = await store.made()
    ask = await store.submission()
    await end_leases(store)
    again = await store.submission()
    assert isinstance(await store.begin(ask.attempt.id), Stop)
    assert isinstance(await store.begin(again.attempt.id), Go)
    await end_leases(store)

    assert await store.claimed() == []
    assert await store.value("SELECT state FROM effects WHERE kind = 'submit'") == "uncertain"
    await store.submitted(again, TaskCreated(task_id="found"))
    job = await store.job(job_id)
    assert (job.state, job.task_ids) == (JobState.RUNNING, ("found",))


async def test_an_uncertain_submission_ends_by_the_deadline(store: Store):
    await store.topup(10)
    job_id = await store.made(create(price=10))
    ask = await store.submission()
    await store.begin(ask.attempt.id)
    await store.submitted(ask, Ambiguous(reason="timeout"))
    await store.run("UPDATE jobs SET expires_at = now()")
    await store.effects.expire_jobs(10)
    assert (await store.job(job_id)).state is JobState.EXPIRED
    assert await store.wallet() == (10, 0)


async def test_cancel_and_claim_exclude_each_other(store: Store):
    for _ in range(10):
        await store.topup(10)
        job_id = await store.made(create(price=10))
        ask = OneJob(job_id=job_id, not_after=LATER)
        answer, claimed = await asyncio.gather(store.requests.cancel("shop", ask), store.claimed())
        job = await store.job(job_id)
        if isinstance(answer, Refusal):
            assert answer.code is RefusalName.TOO_LATE
            assert job.state is JobState.SUBMITTING
        else:
            assert job.state is JobState.CANCELLED
            assert not [a for a in claimed if a.job_id == job_id]
        await store.submitted_all(claimed)


async def test_a_paused_account_refuses_before_any_hold(store: Store):
    await store.topup(10)
    await store.made()
    ask = await store.submission()
    await store.submitted(
        ask, Later(reason="402 no credits", after=60, scope="account", needs_owner=True)
    )

    (answer,) = await store.creations.create([Creation("shop", create(price=10))])

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.retryable) == (RefusalName.PAUSED, True)
    assert await store.wallet() == (10, 0)


# -- delivery --------------------------------------------------------------------------------------


async def test_two_parts_settled_at_once_end_the_job_once(store: Store):
    for n in range(10):
        job_id = await store.succeeded(media=2)
        (first,) = await store.deliveries("show")
        await store.carried(first.attempt.id, 1_000 + 2 * n)
        (second,) = await store.deliveries("show")
        await store.carried(second.attempt.id, 1_001 + 2 * n)
        await asyncio.gather(
            store.delivered(first, Shown(message_id=1_000 + 2 * n)),
            store.delivered(second, Shown(message_id=1_001 + 2 * n)),
        )
        assert (await store.job(job_id)).state is JobState.DELIVERED
    assert await events(store, "delivered") == 10


async def test_two_jobs_never_share_a_status_message(store: Store):
    first, second = await store.made(create(status=77)), await store.made(create(status=77))
    assert (await store.job(first)).status_message_id == 77
    assert (await store.job(second)).status_message_id is None


async def test_a_worker_that_wakes_after_its_lease_is_stopped(store: Store):
    await store.succeeded()
    (stale,) = await store.deliveries("show")
    await end_leases(store)
    (fresh,) = await store.deliveries("show")
    assert isinstance(await store.carried(fresh.attempt.id, 100), Go)

    answer = await store.carried(stale.attempt.id, 99)

    assert isinstance(answer, Stop)
    (removal,) = await store.deliveries("remove")
    assert removal.action.message_id == 99


async def test_evidence_of_a_stale_worker_still_shows_the_part(store: Store):
    job_id = await store.succeeded()
    (stale,) = await store.deliveries("show")
    await store.carried(stale.attempt.id, 100)
    await end_leases(store)
    (fresh,) = await store.deliveries("show")

    await store.delivered(stale, Shown(message_id=100))

    assert (await store.job(job_id)).state is JobState.DELIVERED
    assert isinstance(await store.carried(fresh.attempt.id, 101), Stop)
    await store.delivered(fresh, Shown(message_id=100))
    assert await store.value("SELECT showings FROM parts") == 1


async def test_the_same_outcome_twice_is_one_fact(store: Store):
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    outcome = delivery_outcome(ask, Shown(message_id=100))
    await asyncio.gather(*(store.effects.apply_deliveries([outcome]) for _ in range(5)))
    assert await store.value("SELECT count(*) FROM evidence WHERE kind = 'done'") >= 1
    assert await events(store, "delivered") == 1


async def test_a_second_showing_is_counted(store: Store):
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    await store.delivered(ask, Shown(message_id=100))
    await store.delivered(ask, Shown(message_id=101))
    assert await store.value("SELECT showings FROM parts") == 2
    findings = {f.check: f for f in (await store.ops.doctor()).findings}
    assert not findings["shown_twice"].ok


async def test_an_ambiguous_carrier_is_posted_again_a_bounded_number_of_times(store: Store):
    job_id = await store.succeeded()
    for _ in range(MAX_CARRIER_POSTS):
        (ask,) = await store.deliveries("show")
        await store.delivered(ask, Ambiguous(reason="timeout"))
    assert await store.deliveries("show") == []
    assert (await store.job(job_id)).parts[0].state is PartState.UNCERTAIN

    await store.delivered(ask, Shown(message_id=5))
    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_after_an_ambiguous_carrier_the_known_status_message_is_used(store: Store):
    job_id = await store.succeeded(create(status=50, notify="fresh"))
    (ask,) = await store.deliveries("show")
    assert ask.action.carrier.kind == "fresh"
    await store.delivered(ask, Ambiguous(reason="timeout"))

    (again,) = await store.deliveries("show")

    assert again.action.carrier.message_id == 50
    await store.delivered(again, Shown(message_id=50))
    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_a_lost_carrier_is_replaced_only_when_no_edit_can_have_worked(store: Store):
    certain = await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    gone = Refused(code=RefusalCode.CARRIER_GONE, reason="message to edit not found")
    await store.delivered(ask, gone, carrier_id=100)
    (again,) = await store.deliveries("show")
    assert again.action.carrier.kind == "fresh"
    await store.carried(again.attempt.id, 101)

    await store.delivered(
        again, Ambiguous(reason="timeout"), carrier_id=101, edit_maybe_applied=True
    )
    (third,) = await store.deliveries("show")
    assert third.action.carrier.message_id == 101
    await store.delivered(third, gone, carrier_id=101)

    assert (await store.job(certain)).parts[0].state is PartState.UNCERTAIN
    assert await store.deliveries("show") == []


async def test_an_ambiguous_edit_is_simply_due_again(store: Store):
    job_id = await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    for _ in range(5):
        await store.delivered(ask, Ambiguous(reason="timeout"), carrier_id=100)
        (ask,) = await store.deliveries("show")
        assert ask.action.carrier.message_id == 100
    await store.delivered(ask, Shown(message_id=100))
    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_a_migrated_group_gets_a_fresh_carrier_in_its_new_chat(store: Store):
    await store.succeeded(create(chat_id=-5))
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    await store.delivered(ask, Migrated(chat_id=-1005))
    (again,) = await store.deliveries("show")
    assert (again.chat_id, again.action.carrier.kind) == (-1005, "fresh")


async def test_a_flooded_chat_is_parked_and_no_other(store: Store):
    jobs = [await store.running(create(chat_id=chat)) for chat in (1, 2)]
    await store.report(*(callback(job_id) for job_id in jobs))
    asks = await store.deliveries("show")
    one = next(ask for ask in asks if ask.chat_id == 1)
    two = next(ask for ask in asks if ask.chat_id == 2)
    await store.delivered(one, Later(reason="429", after=60, scope="chat"))
    await store.delivered(two, NotSent(reason="connect"))

    await store.run("UPDATE effects SET due_at = now() WHERE state = 'pending'")
    await store.run("UPDATE pacing SET tat = 'epoch'")
    before = len(store.offered)
    await store.effects.claim_due(100)

    claimed = [row for row in store.offered[before:] if row.subject == "deliveries.requested"]
    assert len(claimed) == 1
