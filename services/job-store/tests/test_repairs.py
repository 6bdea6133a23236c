"""What operators put right by hand: done once, never at the price of a promise, always with who and why."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.api import OneJob
from contracts.deliveries import RefusalCode
from contracts.effects import Stop
from contracts.outcomes import Ambiguous, Later, Refused
from contracts.refusals import Refusal, RefusalName
from contracts.repairs import (
    CancelJobs,
    ExpireOrphans,
    ListAudit,
    ListDead,
    ListUncertain,
    RedeliverJobs,
    RefundJobs,
    Repaired,
    RepairsView,
    ResendJobs,
    ResolvePart,
    SetPause,
    SettleDead,
    ShowDead,
)
from contracts.values import JobState, MoneyState, PartState
from job_store.store.audit import Audit
from job_store.store.creation import Creation
from job_store.store.dead import Dead
from job_store.store.pauses import Pauses
from job_store.store.repairs import Repairs
from store_kit import LATER, Store, callback, create

HAND: dict[str, Any] = {"who": "ann", "why": "a bad hour", "not_after": LATER}
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
GONE = Refused(code=RefusalCode.MEDIA_GONE, reason="404")


@pytest.fixture
def repairs(store: Store) -> Repairs:
    return Repairs(store.units)


@pytest.fixture
def pauses(store: Store) -> Pauses:
    return Pauses(store.units)


async def audited(store: Store) -> list[tuple[str, str, str]]:
    view = await Audit(store.units).list(ListAudit(not_after=LATER))
    # The bot itself was added by nobody in particular.
    lines = [line for line in view.lines if line.verb != "bots.add"]
    return [(line.who, line.verb, line.target) for line in lines]


def of(view: RepairsView | Refusal) -> Repaired:
    assert isinstance(view, RepairsView), view
    (one,) = view.repaired
    return one


async def undeliverable(store: Store) -> UUID:
    """A job whose result was refused, and the money given back."""
    job_id = await store.succeeded(create(price=10))
    (ask,) = await store.deliveries("show")
    await store.delivered(ask, GONE)
    return job_id


async def delivered(store: Store, **fields: Any) -> UUID:
    job_id = await store.succeeded(create(**fields))
    await store.show_all()
    return job_id


async def uncertain(store: Store) -> tuple[UUID, UUID]:
    """A job whose one send nobody knows of; returns it and its result."""
    job_id = await store.succeeded(create(mode="send"))
    (ask,) = await store.deliveries("send")
    await store.begin(ask.attempt.id)
    await store.delivered(ask, Ambiguous(reason="timeout"), holder=ask.attempt.id)
    part_id: UUID = await store.value("SELECT id FROM parts WHERE job_id = $1", job_id)
    return job_id, part_id


# -- redeliver ---------------------------------------------------------------------------------------


async def test_an_undeliverable_result_is_shown_after_all_and_costs_nothing(
    store: Store, repairs: Repairs
) -> None:
    await store.topup(10)
    job_id = await undeliverable(store)

    done = of(await repairs.redeliver(RedeliverJobs(job_ids=(job_id,), **HAND)))
    shown = await store.show_all()

    job = await store.job(job_id)
    assert done.did
    assert shown == 1
    assert (job.state, job.money) == (JobState.DELIVERED, MoneyState.REFUNDED)
    assert await store.wallet() == (10, 0)
    assert await audited(store) == [("ann", "jobs.redeliver", f"job {job_id}")]
    await store.assert_legal()


async def test_who_was_told_of_a_failure_sees_the_result_in_a_message_of_its_own(
    store: Store, repairs: Repairs
) -> None:
    await store.topup(10)
    job_id = await undeliverable(store)
    assert await store.show_all() == 1  # the notice

    await repairs.redeliver(RedeliverJobs(job_ids=(job_id,), **HAND))

    assert await store.show_all(first_message=500) == 1
    messages = [part.message_id for part in (await store.job(job_id)).parts]
    assert len(messages) == len(set(messages)) == 2


async def test_a_result_that_is_refused_again_is_undeliverable_again_and_refunded_once(
    store: Store, repairs: Repairs
) -> None:
    await store.topup(10)
    job_id = await undeliverable(store)
    await repairs.redeliver(RedeliverJobs(job_ids=(job_id,), **HAND))
    (ask,) = [a for a in await store.deliveries("show") if a.action.carrier.kind == "fresh"]

    await store.delivered(ask, GONE)

    assert (await store.job(job_id)).state is JobState.UNDELIVERABLE
    assert await store.wallet() == (10, 0)


async def test_what_is_in_its_chat_is_not_redelivered(store: Store, repairs: Repairs) -> None:
    job_id = await delivered(store)

    done = of(await repairs.redeliver(RedeliverJobs(job_ids=(job_id,), **HAND)))

    assert not done.did
    assert "resend" in done.reason
    assert await store.claimed() == []
    assert await audited(store) == []


async def test_what_waits_for_a_later_try_goes_at_once(store: Store, repairs: Repairs) -> None:
    job_id = await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.delivered(ask, Later(reason="429", after=3_600))

    assert of(await repairs.redeliver(RedeliverJobs(job_ids=(job_id,), **HAND))).did

    due = await store.value("SELECT count(*) FROM effects WHERE kind = 'show' AND due_at <= now()")
    assert due == 1


async def test_an_uncertain_result_is_not_redelivered_blindly(
    store: Store, repairs: Repairs
) -> None:
    job_id, _ = await uncertain(store)

    done = of(await repairs.redeliver(RedeliverJobs(job_ids=(job_id,), **HAND)))

    assert not done.did
    assert "uncertain" in done.reason


async def test_each_job_of_many_is_done_or_refused_alone(store: Store, repairs: Repairs) -> None:
    await store.topup(10)
    refused, shown, unknown = await undeliverable(store), await delivered(store), uuid4()

    view = await repairs.redeliver(RedeliverJobs(job_ids=(refused, shown, unknown), **HAND))

    assert [one.did for one in view.repaired] == [True, False, False]
    assert [one.id for one in view.repaired] == [refused, shown, unknown]


async def test_a_dry_run_says_what_would_be_done_and_changes_nothing(
    store: Store, repairs: Repairs
) -> None:
    await store.topup(10)
    job_id = await undeliverable(store)

    done = of(await repairs.redeliver(RedeliverJobs(job_ids=(job_id,), dry_run=True, **HAND)))

    assert done.did
    assert (await store.job(job_id)).state is JobState.UNDELIVERABLE
    assert await audited(store) == []


# -- resend, refund, cancel --------------------------------------------------------------------------


async def test_a_copy_is_a_free_job_of_its_own_and_the_same_key_makes_one(
    store: Store, repairs: Repairs
) -> None:
    await store.topup(10)
    job_id = await delivered(store, price=10)
    ask = ResendJobs(job_ids=(job_id,), key="again", **HAND)

    first, second = of(await repairs.resend(ask)), of(await repairs.resend(ask))
    shown = await store.show_all(first_message=500)

    assert first.copy_id == second.copy_id != job_id
    assert shown == 1
    assert first.copy_id is not None
    copy = await store.job(first.copy_id)
    original = await store.job(job_id)
    assert (copy.state, copy.price, copy.money) == (JobState.DELIVERED, 0, MoneyState.NONE)
    assert copy.parts[0].url == original.parts[0].url
    assert copy.parts[0].message_id != original.parts[0].message_id
    assert original.money is MoneyState.CAPTURED
    assert await audited(store) == [("ann", "jobs.resend", f"job {job_id}")]
    await store.assert_legal()


async def test_what_was_never_shown_is_not_copied(store: Store, repairs: Repairs) -> None:
    await store.topup(10)
    job_id = await undeliverable(store)

    done = of(await repairs.resend(ResendJobs(job_ids=(job_id,), key="k", **HAND)))

    assert not done.did
    assert "redeliver" in done.reason


async def test_a_refund_happens_once_however_many_ask(store: Store, repairs: Repairs) -> None:
    await store.topup(10)
    job_id = await delivered(store, price=10)
    ask = RefundJobs(job_ids=(job_id,), **HAND)

    answers = await asyncio.gather(*(repairs.refund(ask) for _ in range(5)))

    assert all(of(answer).did for answer in answers)
    assert await store.wallet() == (10, 0)
    assert (await store.job(job_id)).money is MoneyState.REFUNDED
    assert len(await audited(store)) == 1
    await store.assert_legal()


async def test_what_is_only_held_is_not_refunded(store: Store, repairs: Repairs) -> None:
    await store.topup(10)
    job_id = await store.running(create(price=10))

    done = of(await repairs.refund(RefundJobs(job_ids=(job_id,), **HAND)))

    assert not done.did
    assert await store.wallet() == (0, 10)


async def test_an_operator_cancels_what_was_not_submitted(store: Store, repairs: Repairs) -> None:
    await store.topup(10)
    waiting = await store.made(create(price=10))

    assert of(await repairs.cancel(CancelJobs(job_ids=(waiting,), **HAND))).did
    assert (await store.job(waiting)).state is JobState.CANCELLED
    assert await store.wallet() == (10, 0)


# -- what nobody knows of ----------------------------------------------------------------------------


async def test_an_uncertain_result_that_arrived_ends_its_job(
    store: Store, repairs: Repairs
) -> None:
    job_id, part_id = await uncertain(store)
    (listed,) = (await repairs.uncertain(ListUncertain(not_after=LATER))).parts

    ask = ResolvePart(part_id=listed.part_id, outcome="arrived", **HAND)
    answers = [of(await repairs.resolve(ask)) for _ in range(2)]

    assert listed.part_id == part_id
    assert all(one.did for one in answers)
    assert (await store.job(job_id)).state is JobState.DELIVERED
    assert (await repairs.uncertain(ListUncertain(not_after=LATER))).parts == ()
    assert await store.claimed() == []
    assert len(await audited(store)) == 1
    await store.assert_legal()


async def test_it_is_not_sent_again_while_the_call_before_may_land(
    store: Store, repairs: Repairs
) -> None:
    job_id, part_id = await uncertain(store)

    done = of(await repairs.resolve(ResolvePart(part_id=part_id, outcome="send_again", **HAND)))

    assert not done.did
    assert "may still land" in done.reason
    assert (await store.job(job_id)).parts[0].state is PartState.UNCERTAIN


async def test_what_did_not_arrive_is_sent_again_once_nothing_can_land_any_more(
    store: Store, repairs: Repairs
) -> None:
    job_id, part_id = await uncertain(store)
    await store.run("UPDATE effects SET claimed_at = now() - interval '5 minutes 1 second'")

    done = of(await repairs.resolve(ResolvePart(part_id=part_id, outcome="send_again", **HAND)))

    assert done.did
    assert await store.show_all() == 1
    assert (await store.job(job_id)).state is JobState.DELIVERED


async def test_a_carrier_that_may_stand_there_is_given_up_for_a_new_one(
    store: Store, repairs: Repairs
) -> None:
    job_id = await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    await store.delivered(ask, Ambiguous(reason="timeout"), edit_maybe_applied=True)
    (ask,) = await store.deliveries("show")
    await store.delivered(ask, Refused(code=RefusalCode.CARRIER_GONE, reason="not found"))
    (part,) = (await store.job(job_id)).parts
    assert part.state is PartState.UNCERTAIN
    await store.run("UPDATE effects SET claimed_at = now() - interval '3 minutes'")
    part_id = await store.value("SELECT id FROM parts WHERE job_id = $1", job_id)

    done = of(await repairs.resolve(ResolvePart(part_id=part_id, outcome="send_again", **HAND)))

    assert done.did
    assert await store.show_all(first_message=500) == 1
    assert (await store.job(job_id)).parts[0].message_id == 501


async def test_a_result_that_does_not_exist_is_refused(store: Store, repairs: Repairs) -> None:
    answer = await repairs.resolve(ResolvePart(part_id=uuid4(), outcome="arrived", **HAND))

    assert isinstance(answer, Refusal)


# -- stop and go -------------------------------------------------------------------------------------


async def test_paused_deliveries_wait_and_go_on_at_once(store: Store, pauses: Pauses) -> None:
    await pauses.set(SetPause(bot="shop", what="deliveries", paused=True, **HAND))
    job_id = await store.succeeded()
    while_paused = await store.deliveries()

    view = await pauses.set(SetPause(bot="shop", what="deliveries", paused=False, **HAND))

    assert while_paused == []
    assert not isinstance(view, Refusal)
    assert (view.pauses, view.released) == ((), 1)
    assert await store.show_all() == 1
    assert (await store.job(job_id)).state is JobState.DELIVERED
    assert [verb for _, verb, _ in await audited(store)] == [
        "deliveries.resume",
        "deliveries.pause",
    ]


@pytest.mark.postgres
async def test_what_is_put_off_while_an_operator_resumes_goes_at_once(
    store: Store, pauses: Pauses
) -> None:
    await pauses.set(SetPause(bot="shop", what="deliveries", paused=True, **HAND))
    await store.succeeded()
    await store.run("UPDATE effects SET due_at = now()")
    resume = SetPause(bot="shop", what="deliveries", paused=False, **HAND)

    async with store.database.transaction() as claiming:
        # As a round does that looked while it was paused.
        await claiming.execute("SELECT FROM jobs FOR UPDATE")
        await claiming.execute("UPDATE effects SET due_at = now() + interval '15 s'")
        resuming = asyncio.ensure_future(pauses.set(resume))
        while not resuming.done() and not await store.value(WAITS):
            await asyncio.sleep(0)  # noqa: TID251 - the fact is in Postgres, which has no event for it
    view = await resuming

    assert not isinstance(view, Refusal)
    assert view.released == 1
    assert await store.show_all() == 1


async def test_a_pause_holds_what_was_handed_out_and_not_begun(
    store: Store, pauses: Pauses
) -> None:
    await store.made()
    ask = await store.submission()
    await pauses.set(SetPause(bot="shop", what="submissions", paused=True, **HAND))

    answer = await store.begin(ask.attempt.id)

    assert answer == Stop(reason="paused")


async def test_paused_submissions_hold_back_no_delivery_and_no_other_bot(
    store: Store, pauses: Pauses
) -> None:
    await store.add_bot("other")
    running = await store.running()
    await pauses.set(SetPause(bot="shop", what="submissions", paused=True, **HAND))
    await store.made()
    await store.creations.create([Creation("other", create())])
    await store.report(callback(running))

    asked = await store.claimed()

    assert {(ask.bot, type(ask).__name__) for ask in asked} == {
        ("other", "SubmissionRequested"),
        ("shop", "DeliveryRequested"),
    }


async def test_a_paused_intake_refuses_new_jobs_and_knows_old_ones(
    store: Store, pauses: Pauses
) -> None:
    known = create()
    job_id = await store.made(known)
    await pauses.set(SetPause(bot="shop", what="intake", paused=True, **HAND))

    (fresh,) = await store.creations.create([Creation("shop", create())])

    assert isinstance(fresh, Refusal)
    assert (fresh.code, fresh.retryable) == (RefusalName.PAUSED, True)
    assert await store.made(known) == job_id


async def test_what_telegram_parked_is_let_go_by_a_resume(store: Store, pauses: Pauses) -> None:
    job_ids = [await store.running(create(chat_id=chat)) for chat in (7, 8)]
    await store.report(*(callback(job_id) for job_id in job_ids))
    first, second = await store.deliveries("show")
    stopped = Later(reason="401", after=300, scope="bot", needs_owner=True)
    await store.delivered(first, stopped)
    await store.delivered(second, Later(reason="again", after=0))
    await store.effects.claim_due(100)  # what is due takes its place behind the stop
    while_parked = await store.effects.claim_due(100)

    await pauses.set(SetPause(bot="shop", what="deliveries", paused=False, **HAND))

    assert while_parked == 0
    assert await store.effects.claim_due(100) == 2
    acting = await store.value("SELECT count(*) FROM effects WHERE state = 'acting'")
    assert acting == 2


async def test_a_pause_of_an_unknown_bot_is_refused(store: Store, pauses: Pauses) -> None:
    answer = await pauses.set(SetPause(bot="nobody", what="intake", paused=True, **HAND))

    assert isinstance(answer, Refusal)
    assert await audited(store) == []


# -- dead letters and orphans ------------------------------------------------------------------------


async def dead_letter(store: Store, *, payload: bytes = b"{}", subject: str) -> int:
    await store.inbox.keep_dead_letter(
        durable="job-store-reports", subject=subject, stream_seq=7, payload=payload, reason="odd"
    )
    number: int = await store.value("SELECT max(id) FROM dead_letters")
    return number


async def test_a_dead_letter_goes_onto_the_bus_again_as_it_came_and_once(store: Store) -> None:
    dead = Dead(store.units)
    letter = await dead_letter(store, payload=b"\xff{}", subject="reports.received")
    ask = SettleDead(ids=(letter,), settle="replay", **HAND)

    first, second = await dead.settle(ask), await dead.settle(ask)

    assert [view.letters[0].did for view in (first, second)] == [True, False]
    (row,) = [row for row in store.offered if row.msg_id == f"replay:{letter}"]
    assert (row.subject, row.payload) == ("reports.received", b"\xff{}")
    assert (await dead.list(ListDead(not_after=LATER))).letters == ()
    (settled,) = (await dead.list(ListDead(settled=True, not_after=LATER))).letters
    assert settled.settled_as == "replayed"


async def test_a_discarded_dead_letter_stays_and_is_no_trouble_any_more(store: Store) -> None:
    dead = Dead(store.units)
    letter = await dead_letter(store, subject="nobody.reads.this")
    before = (await store.ops.status()).dead_letters

    replay = await dead.settle(SettleDead(ids=(letter,), settle="replay", **HAND))
    await dead.settle(SettleDead(ids=(letter,), settle="discard", **HAND))

    assert not replay.letters[0].did
    assert (before, (await store.ops.status()).dead_letters) == (1, 0)
    story = await dead.show(ShowDead(id=letter, not_after=LATER))
    assert not isinstance(story, Refusal)
    assert (story.letter.settled_as, story.payload) == ("discarded", "{}")


async def test_an_orphan_nobody_waits_for_any_more_is_still_matchable(
    store: Store, repairs: Repairs
) -> None:
    await store.report(callback(task_id="lost"))
    orphan_id = await store.value("SELECT id FROM orphans")

    done = await repairs.expire_orphans(ExpireOrphans(orphan_ids=(orphan_id, uuid4()), **HAND))
    job_id = await store.running(task_id="lost")

    assert [one.did for one in done.repaired] == [True, False]
    assert (await store.job(job_id)).state is JobState.SUCCEEDED


async def test_a_jobs_story_tells_who_changed_it_and_why(store: Store, repairs: Repairs) -> None:
    await store.topup(10)
    job_id = await delivered(store, price=10)
    await repairs.refund(RefundJobs(job_ids=(job_id,), **HAND))

    story = await store.ops.story(job_id)

    assert not isinstance(story, Refusal)
    told = [(line.what, line.detail) for line in story.timeline if "operator" in line.what]
    assert told == [("operator jobs.refund", "ann: a bad hour")]
    asked = OneJob(job_id=job_id, not_after=LATER)
    assert not isinstance(await store.requests.get("shop", asked), Refusal)
