"""What two connections, poison and size may do to the store: each test is one attack."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from chassis.coalesce import Coalescer
from contracts.api import AttachTask, JobView, MatchOrphan, OneJob
from contracts.deliveries import Shown
from contracts.effects import Begin, Carried, Go
from contracts.outcomes import Ambiguous, Later, Refused
from contracts.refusals import Refusal, RefusalName
from contracts.reports import HmacClaim, ReportedMedia, ReportState
from contracts.submissions import TaskCreated
from contracts.values import JobState, MediaKind
from job_store.handlers import loud
from job_store.store.creation import Created, Creation
from job_store.store.effects import sql as effects_sql
from job_store.store.forgetting import sql as forgetting_sql
from job_store.store.intake import sql as intake_sql
from job_store.store.requests import sql as requests_sql
from job_store.store.standing import sql as standing_sql
from job_store.store.unit import TaskTakenError
from job_store.store.users import sql as users_sql
from job_store.store.views import REPLY_BYTES
from store_kit import (
    LATER,
    Store,
    callback,
    create,
    deliver,
    delivery_outcome,
    expect,
    images,
    polled,
    submission_outcome,
)

# -- two rounds at once ------------------------------------------------------------------------------


GATE = """
ALTER TABLE effects RENAME TO effects_table;
CREATE FUNCTION at_the_gate() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_lock_shared(1);
    PERFORM pg_advisory_unlock_shared(1);
    RETURN true;
END $$;
CREATE VIEW effects AS SELECT * FROM effects_table WHERE at_the_gate();
GRANT SELECT, UPDATE ON effects TO sendonce_store"""


async def while_it_looks(store: Store, verb: Awaitable[int], meanwhile: str) -> None:
    """Stop a verb after its look at the effects and before its locks, and commit something there."""
    await store.run(GATE)
    async with store.owner() as other:
        await other.execute("SELECT pg_advisory_lock(1)")
        looking = asyncio.ensure_future(verb)
        await blocked(store)
        await other.execute(meanwhile)
        await other.execute("SELECT pg_advisory_unlock(1)")
        await looking


async def blocked(store: Store) -> None:
    """Wait until somebody waits for a lock."""
    async with asyncio.timeout(10):
        while not await store.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0)  # noqa: TID251 - the fact is in Postgres, which has no event for it


@pytest.mark.postgres
async def test_an_effect_that_another_round_claimed_meanwhile_is_not_claimed_again(store: Store):
    await store.made()

    await while_it_looks(
        store,
        store.effects.claim_due(10),
        "UPDATE effects_table SET state = 'acting', open_attempt = id, lease_until = now() + interval '45 s';"
        "UPDATE jobs SET state = 'submitting', version = version + 1",
    )

    assert await store.value("SELECT count(*) FROM attempts") == 0
    assert await store.value("SELECT open_attempt = id FROM effects")


@pytest.mark.postgres
@pytest.mark.parametrize(
    "meanwhile",
    [
        "lease_until = now() + interval '45 s'",
        "state = 'done', open_attempt = NULL, lease_until = NULL",
    ],
)
async def test_a_lease_renewed_or_answered_meanwhile_does_not_end(store: Store, meanwhile: str):
    await store.made()
    ask = await store.submission()
    await store.begin(ask.attempt.id)
    await store.run("UPDATE effects SET lease_until = now() - interval '1 s'")

    await while_it_looks(
        store,
        store.effects.end_leases(10),
        f"UPDATE effects_table SET {meanwhile}; UPDATE jobs SET version = version + 1",
    )

    assert await store.value("SELECT state FROM effects") in ("acting", "done")


@pytest.mark.postgres
async def test_reading_a_job_waits_for_nobody(store: Store):
    job_id = await store.made()
    async with store.database.transaction() as busy:
        await busy.execute("SELECT FROM jobs WHERE id = $1 FOR UPDATE", job_id)
        async with asyncio.timeout(2):
            assert (await store.job(job_id)).state is JobState.CREATED
            assert isinstance(
                await store.requests.get("shop", OneJob(job_id=job_id, not_after=LATER)), JobView
            )
            await store.requests.undelivered("shop", after=None, limit=10)


async def test_another_bots_job_is_unknown(store: Store):
    await store.add_bot("other")
    job_id = await store.made(create(key="k"))
    for ask in (OneJob(job_id=job_id, not_after=LATER), OneJob(key="k", not_after=LATER)):
        for verb in (store.requests.get, store.requests.cancel):
            answer = await verb("other", ask)
            assert isinstance(answer, Refusal)
            assert answer.code is RefusalName.UNKNOWN_JOB


@pytest.mark.postgres
async def test_a_pacing_row_may_be_forgotten_while_it_is_waited_for(store: Store):
    await store.made()
    ask = await store.submission()
    async with store.database.connection() as other:
        async with other.transaction():
            await other.execute("SELECT FROM pacing FOR UPDATE")
            later = Later(reason="429", after=60, scope="account")
            answering = asyncio.ensure_future(store.submitted(ask, later))
            await blocked(store)
            await other.execute("DELETE FROM pacing")
        await answering

    assert await store.value("SELECT count(*) FROM pacing WHERE parked_until > now()") == 1


# -- one batch, one job several times ----------------------------------------------------------------


async def test_begin_twice_in_one_batch_lets_one_holder_through(store: Store):
    await store.made()
    ask = await store.submission()
    asks = [Begin(attempt_id=ask.attempt.id, holder=uuid4(), not_after=LATER) for _ in range(3)]

    answers = await store.effects.begin(asks)

    assert [isinstance(answer, Go) for answer in answers] == [True, False, False]


@pytest.mark.postgres
async def test_carriers_of_one_attempt_in_one_batch_end_in_one_message(store: Store):
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    asks = [
        Carried(attempt_id=ask.attempt.id, message_id=n, not_after=LATER) for n in (100, 101, 100)
    ]

    answers = await store.effects.carried(asks)

    assert [answer.message_id for answer in answers] == [100, 100, 100]
    assert await store.value("SELECT array_agg(message_id) FROM effects WHERE kind = 'remove'") == [
        101
    ]


async def test_contradicting_outcomes_in_one_batch_keep_the_evidence(store: Store):
    job_id = await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    batch = [
        delivery_outcome(ask, Ambiguous(reason="timeout"), carrier_id=100),
        delivery_outcome(ask, Shown(message_id=100)),
        delivery_outcome(ask, Refused(code="payload", reason="no")),
    ]

    settled = await store.effects.apply_deliveries([*batch, batch[1]])

    assert [item.moved for item in settled] == [True, True, False, False]
    assert (await store.job(job_id)).state is JobState.DELIVERED
    assert await store.value("SELECT showings FROM parts") == 1


async def test_the_second_body_of_one_signature_is_not_believed_in_the_same_batch(store: Store):
    job_id = await store.running(task_id="t")
    signed = {"task_id": "t", "hmac": HmacClaim(verdict="match", account="default")}

    first, second = await store.report(
        callback(None, state=ReportState.PROGRESS, body=b"one", **signed),
        callback(None, body=b"two", **signed),
    )

    assert (first.did, second.did) == ("progress", "to_confirm")
    assert (await store.job(job_id)).state is JobState.RUNNING


# -- poison ------------------------------------------------------------------------------------------


@pytest.mark.postgres
async def test_one_effect_that_cannot_be_claimed_holds_up_nobody(store: Store):
    """A bot hands over a message that has become another job's carrier meanwhile."""
    first = await store.succeeded()
    (ask,) = await store.deliveries("show")
    poisoned = await store.running(create(status=100))
    await store.carried(ask.attempt.id, 100)
    await store.report(callback(poisoned))
    healthy = await store.succeeded()

    await store.delivered(ask, Shown(message_id=100))
    await store.show_all(first_message=200)

    for job_id in (first, poisoned, healthy):
        assert (await store.job(job_id)).state is JobState.DELIVERED
    assert await store.value("SELECT count(DISTINCT message_id) FROM parts") == 3


async def test_what_postgres_cannot_store_is_refused_and_costs_only_itself(store: Store):
    # Reading refuses it before; the store holds all the same.
    unread = create().model_copy(update={"input": {"x": float("nan")}})
    coalesced = Coalescer(loud(store.creations.create), max_batch=10)

    poison, healthy = await asyncio.gather(
        coalesced(Creation("shop", unread)),
        coalesced(Creation("shop", create(chat_id=-(2**63) + 1, user_id=2**63 - 1))),
    )

    assert isinstance(poison, Refusal)
    assert poison.code is RefusalName.INVALID_REQUEST
    assert isinstance(healthy, Created)


async def test_the_smallest_progress_is_stored(store: Store):
    job_id = await store.running()
    report = callback(job_id, state=ReportState.PROGRESS)
    tiny = report.model_copy(
        update={"reading": report.reading.model_copy(update={"progress": 1e-300})}
    )
    (applied,) = await store.report(tiny)
    assert applied.did == "progress"


@pytest.mark.postgres
async def test_a_reply_fits_into_a_message_in_any_script(store: Store):
    caption = "Ж" * 1_000
    await store.creations.create([Creation("shop", deliver(caption=caption)) for _ in range(400)])

    page = await store.requests.undelivered("shop", after=None, limit=500)

    assert len(page.model_dump_json().encode()) < REPLY_BYTES + 10_000
    rest = await store.requests.undelivered("shop", after=UUID(page.next), limit=500)
    assert len(page.jobs) + len(rest.jobs) == 400


async def test_a_repeated_outcome_does_not_pause_an_account_again(store: Store):
    await store.made()
    ask = await store.submission()
    outcome = submission_outcome(
        ask, Later(reason="402", after=60, scope="account", needs_owner=True)
    )
    await store.effects.apply_submissions([outcome])
    await store.run("UPDATE pacing SET parked_until = NULL, needs_owner = NULL")

    await store.effects.apply_submissions([outcome])

    assert await store.value("SELECT count(*) FROM pacing WHERE parked_until IS NOT NULL") == 0


async def test_a_plain_slow_down_does_not_end_a_pause(store: Store):
    await store.made()
    one = await store.submission()
    await store.made()
    two = await store.submission()
    await store.submitted(one, Later(reason="402", after=600, scope="account", needs_owner=True))

    await store.submitted(two, Later(reason="429", after=1, scope="account"))

    (answer,) = await store.creations.create([Creation("shop", create())])
    assert isinstance(answer, Refusal)
    assert answer.code is RefusalName.PAUSED


# -- results and evidence ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   \n"])
async def test_a_delivery_of_nothing_is_refused(store: Store, text: str):
    nothing = (ReportedMedia(kind=MediaKind.TEXT, text=text),)
    (answer,) = await store.creations.create([Creation("shop", deliver(media=nothing))])
    assert isinstance(answer, Refusal)
    assert answer.code is RefusalName.INVALID_REQUEST


async def test_a_carrier_given_up_for_lost_may_show_its_result_after_all(store: Store):
    job_id = await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    await store.delivered(ask, Refused(code="carrier_gone", reason="not found"), carrier_id=100)

    await store.delivered(ask, Shown(message_id=100))

    job = await store.job(job_id)
    assert (job.state, job.parts[0].message_id) == (JobState.DELIVERED, 100)


async def test_an_operator_matches_an_orphan_to_a_job_whose_submission_is_uncertain(store: Store):
    job_id = await store.made()
    ask = await store.submission()
    await store.begin(ask.attempt.id)
    await store.submitted(ask, Ambiguous(reason="timeout"))
    await store.report(callback(None, task_id="lost"))
    orphan_id = await store.value("SELECT id FROM orphans")

    answer = await store.requests.match(
        MatchOrphan(orphan_id=orphan_id, job_id=job_id, not_after=LATER)
    )

    assert isinstance(answer, JobView), answer
    assert (await store.job(job_id)).state is JobState.SUCCEEDED


async def test_a_token_for_one_job_with_the_task_of_another_moves_neither(store: Store):
    first, second = await store.running(task_id="t"), await store.running(task_id="u")
    with pytest.raises(TaskTakenError):
        await store.report(callback(second, task_id="t"))
    assert [(await store.job(job)).state for job in (first, second)] == [JobState.RUNNING] * 2


async def test_two_jobs_that_learn_one_task_in_one_batch_are_told_apart(store: Store):
    first, second = await store.made(), await store.made()
    asks = {ask.job_id: ask for ask in await store.claimed() if not hasattr(ask, "action")}
    coalesced = Coalescer(loud(store.effects.apply_submissions), max_batch=10)

    answers = await asyncio.gather(
        *(
            coalesced(submission_outcome(asks[job], TaskCreated(task_id="t")))
            for job in (first, second)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, Exception) for answer in answers) == 1
    assert await store.value("SELECT count(*) FROM task_owners") == 1


async def test_a_report_of_a_job_that_is_gone_is_an_orphan_once(store: Store):
    report = callback(uuid4(), task_id="gone")
    first, again = await store.report(report, report)
    (later,) = await store.report(report)
    assert [first.did, again.did, later.did] == ["orphan", "duplicate", "duplicate"]
    assert await store.value("SELECT count(*) FROM orphans") == 1


async def test_an_answer_about_another_task_id_is_still_the_answer_to_our_question(store: Store):
    job_id = await store.running(task_id="t")
    (poll,) = await store.claimed()
    report = polled(poll, media=images(1))
    other = report.model_copy(
        update={"reading": report.reading.model_copy(update={"task_id": "other"})}
    )
    await store.report(other)
    assert (await store.job(job_id)).task_ids == ("t",)
    assert (await store.job(job_id)).state is JobState.SUCCEEDED


async def test_attach_and_expiry_meet(store: Store):
    for n in range(5):
        job_id = await store.made(expect())
        await store.report(callback(None, task_id=f"t{n}"))
        await store.run("UPDATE jobs SET expires_at = now() WHERE id = $1", job_id)
        ask = AttachTask(job_id=job_id, task_id=f"t{n}", not_after=LATER)
        await asyncio.gather(store.effects.expire_jobs(10), store.requests.attach("shop", ask))
        assert (await store.job(job_id)).state is JobState.SUCCEEDED
        assert (
            await store.value("SELECT state FROM orphans WHERE task_id = $1", f"t{n}") == "matched"
        )


# -- size --------------------------------------------------------------------------------------------

MANY = 8_000
MONTH = timedelta(days=30)
CROWD = """
INSERT INTO jobs SELECT crowd.* FROM jobs j, generate_series(1, $1::int) n,
    LATERAL jsonb_populate_record(j, jsonb_build_object(
        'id', gen_random_uuid(), 'key', 'k' || n, 'chat_id', n, 'state', 'delivered', 'ended_at', now(),
        'cause', 'provider', 'status_message_id', n)) AS crowd"""
CROWD_EFFECTS = """
INSERT INTO effects (id, job_id, kind, state, due_at)
SELECT gen_random_uuid(), id, 'submit', 'done', now() - interval '1 hour' FROM jobs
ON CONFLICT DO NOTHING"""


async def plan(store: Store, query: str, *args: object) -> str:
    async with store.database.connection() as connection:
        rows = await connection.fetch("EXPLAIN " + query, *args)
    return "\n".join(row[0] for row in rows)


@pytest.mark.postgres
async def test_the_clocks_read_indexes_however_many_jobs_are_over(store: Store):
    job_id = await store.made()
    await store.run(CROWD, MANY)
    await store.run(CROWD_EFFECTS)
    await store.run("ANALYZE jobs, effects")

    plans = {
        "effects_due": await plan(store, effects_sql.lock_due, 300),
        "effects_leased": await plan(store, effects_sql.lock_leases_over, 200),
        "jobs_overdue": await plan(store, effects_sql.lock_overdue, 200, timedelta(minutes=15)),
        "jobs_of_chat": await plan(store, effects_sql.lock_parked, "shop", 7),
        "jobs_undelivered": await plan(store, requests_sql.undelivered, "shop", job_id, 100),
    }

    plans |= {
        "jobs_overdue ": await plan(store, standing_sql.open_jobs),
        "effects_due ": await plan(store, standing_sql.due_effects),
        "effects_leased ": await plan(store, standing_sql.acting_effects),
        "using jobs_overdue on": await plan(store, intake_sql.open_jobs, ["shop"], [7], ["shop"]),
        "using jobs_of_user on": await plan(store, intake_sql.open_jobs, ["shop"], [7], ["shop"]),
        "jobs_of_user": await plan(store, users_sql.count_unforgotten, "shop", 4_711),
        "jobs_with_prompt": await plan(store, forgetting_sql.ended_with_prompt, MONTH, 100),
        "jobs_with_media": await plan(store, forgetting_sql.ended_with_media, MONTH, 100),
        "parts_unsettled": await plan(store, forgetting_sql.waiting_too_long, MONTH, 100),
    }

    for index, text in plans.items():
        assert index in text, text
        # Of restores there is one row at the most, mostly none.
        assert "Seq Scan" not in text.replace("Seq Scan on restores", ""), text
