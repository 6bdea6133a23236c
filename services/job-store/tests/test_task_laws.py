"""Each law of the database about task ids, orphans and whom to believe."""

import asyncio
from datetime import timedelta

import pytest

from contracts.api import AttachTask, JobView
from contracts.outcomes import Ambiguous
from contracts.refusals import Refusal, RefusalName
from contracts.reports import HmacClaim, ReportState
from contracts.values import JobState
from store_kit import LATER, Store, callback, create, expect, polled


async def attach(store: Store, job_id: object, task_id: str) -> JobView | Refusal:
    return await store.requests.attach(
        "shop", AttachTask(job_id=job_id, task_id=task_id, not_after=LATER)
    )


async def test_fault_07_a_report_and_a_task_id_always_meet(store: Store):
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


@pytest.mark.postgres
async def test_whoever_learns_a_task_id_waits_for_the_report_that_holds_it(store: Store):
    """The row stands already, so it is its lock and not the key of a new row that is waited for."""
    job_id = await store.made(expect())
    await store.run("INSERT INTO tasks (task_id) VALUES ('known')")

    async with store.units.begin() as tx:
        await tx.meet_at_tasks(["known"])
        attaching = asyncio.create_task(attach(store, job_id, "known"))
        assert await somebody_waits(store, unless=attaching)

    assert isinstance(await attaching, JobView)


async def somebody_waits(store: Store, *, unless: "asyncio.Task[object]") -> bool:
    """Look until a transaction waits for a lock, or until what should wait has ended."""
    while not unless.done():
        if await store.value(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            return True
    return False


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


async def test_an_orphan_is_overdue_by_the_age_this_deployment_allows(store: Store):
    await store.report(callback(None, task_id="lost"))

    async def is_well() -> bool:
        (found,) = [f for f in (await store.ops.doctor()).findings if f.check == "orphans_overdue"]
        return found.ok

    allowed = store.rules.orphan_ttl + timedelta(minutes=5)
    await store.run("UPDATE orphans SET seen_at = now() - $1::interval", allowed * 0.9)
    assert await is_well()
    await store.run("UPDATE orphans SET seen_at = now() - $1::interval", allowed * 1.1)
    assert not await is_well()


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


async def test_fault_11_an_untrusted_report_moves_nothing_before_kie_confirms_it(store: Store):
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


async def test_fault_11_a_signature_vouches_for_its_first_body_only(store: Store):
    job_id = await store.running(task_id="t")
    signed = {"task_id": "t", "hmac": HmacClaim(verdict="match", account="default")}
    await store.report(callback(None, state=ReportState.PROGRESS, body=b"one", **signed))

    (applied,) = await store.report(callback(None, body=b"another", **signed))

    assert applied.did == "to_confirm"
    assert (await store.job(job_id)).state is JobState.RUNNING
