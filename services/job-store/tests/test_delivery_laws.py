"""Each law of the database about edited results, by the workers it keeps apart."""

import asyncio

import asyncpg
import pytest

from contracts.deliveries import Migrated, RefusalCode, Shown
from contracts.effects import Go, Stop
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.values import JobState, PartState
from job_store.domain.rules import MAX_CARRIER_POSTS
from job_store.store.ledger import StaleVersionError
from store_kit import Store, callback, create, delivery_outcome


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
    assert await store.events("delivered") == 10


async def test_two_jobs_never_share_a_status_message(store: Store):
    first, second = await store.made(create(status=77)), await store.made(create(status=77))
    assert (await store.job(first)).status_message_id == 77
    assert (await store.job(second)).status_message_id is None


async def test_a_carrier_is_written_once_and_another_is_a_stray(store: Store):
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)

    answer = await store.carried(ask.attempt.id, 101)

    assert isinstance(answer, Go)
    assert answer.message_id == 100
    (removal,) = await store.deliveries("remove")
    assert removal.action.message_id == 101


async def test_a_message_shows_one_part_whatever_the_rules_say(store: Store):
    await store.succeeded()
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    part_id = await store.value("SELECT id FROM parts WHERE job_id = $1", await store.succeeded())

    with pytest.raises(asyncpg.UniqueViolationError):
        await store.run(
            "INSERT INTO carriers (bot, chat_id, message_id, part_id, no)"
            " SELECT bot, chat_id, message_id, $1, 1 FROM carriers",
            part_id,
        )


@pytest.mark.postgres
async def test_a_case_that_changed_since_it_was_read_is_never_written(store: Store):
    """Rows are locked before they are read; should one ever not be, its version tells."""
    job_id = await store.made(create())

    async def write_late() -> None:
        async with store.units.begin() as tx:
            case = (await tx.see([job_id]))[job_id]
            await store.run("UPDATE jobs SET version = version + 1 WHERE id = $1", job_id)
            case.change(progress=0.5)

    with pytest.raises(StaleVersionError):
        await write_late()
    assert await store.value("SELECT progress FROM jobs") is None


async def test_fault_48_a_worker_that_wakes_after_its_lease_is_stopped(store: Store):
    await store.succeeded()
    (stale,) = await store.deliveries("show")
    await store.end_leases()
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
    await store.end_leases()
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
    assert await store.events("delivered") == 1


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


async def test_fault_46_a_migrated_group_gets_a_fresh_carrier_in_its_new_chat(store: Store):
    await store.succeeded(create(chat_id=-5))
    (ask,) = await store.deliveries("show")
    await store.carried(ask.attempt.id, 100)
    await store.delivered(ask, Migrated(chat_id=-1005))
    (again,) = await store.deliveries("show")
    assert (again.chat_id, again.action.carrier.kind) == (-1005, "fresh")


async def test_fault_44_a_flooded_chat_is_parked_and_no_other(store: Store):
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
