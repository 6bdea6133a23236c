"""The context of a cause waits with what it made due, and travels in the header of what leaves later."""

from uuid import UUID

import pytest

from chassis import tracing
from chassis.outbox import OutboxRow
from contracts.api import AttachTask
from contracts.outcomes import Later
from contracts.submissions import TaskCreated
from contracts.values import trace_of
from store_kit import (
    LATER,
    Store,
    callback,
    deliver,
    delivery_outcome,
    expect,
    submission_outcome,
)
from testkit.collector import Collector

REPORT, OUTCOME, LEARNT = (f"00-{digit * 32}-{digit * 16}-01" for digit in "abc")


def header(row: OutboxRow) -> str | None:
    return tracing.carried(row.headers)


def newest(store: Store, subject: str) -> OutboxRow:
    return [row for row in store.offered if row.subject == subject][-1]


async def test_without_another_cause_all_belongs_to_the_job(store: Store) -> None:
    job_id = await store.running()
    await store.claimed()  # its poll

    assert {header(row) for row in store.offered} == {trace_of(job_id)}
    assert newest(store, "polls.requested").payload.count(trace_of(job_id).encode()) == 1


async def test_what_a_report_makes_due_was_caused_by_the_report(store: Store) -> None:
    job_id = await store.running()

    await store.report(callback(job_id).model_copy(update={"trace": REPORT}))

    assert header(newest(store, "deliveries.requested")) == REPORT
    assert header(newest(store, "jobs.succeeded.shop")) == REPORT


async def test_a_retry_was_caused_by_the_outcome_and_a_clock_causes_nothing(store: Store) -> None:
    job_id = await store.running()
    await store.report(callback(job_id).model_copy(update={"trace": REPORT}))
    (first,) = await store.deliveries("show")

    again = delivery_outcome(first, Later(reason="429", after=1.0, scope="chat"))
    await store.effects.apply_deliveries([again.model_copy(update={"trace": OUTCOME})])
    await store.deliveries("show")
    retried = header(newest(store, "deliveries.requested"))
    await store.end_leases()
    await store.deliveries("show")

    assert retried == OUTCOME
    # Nobody answered; it is still that outcome's consequence.
    assert header(newest(store, "deliveries.requested")) == OUTCOME


async def test_an_orphans_result_was_caused_by_its_report_whoever_learns_the_task(
    store: Store,
) -> None:
    waiting = callback(None, task_id="task-1").model_copy(update={"trace": REPORT})
    await store.report(waiting)
    job_id = await store.made()
    ask = await store.submission()
    await store.begin(ask.attempt.id)

    learnt = submission_outcome(ask, TaskCreated(task_id="task-1"))
    await store.effects.apply_submissions([learnt.model_copy(update={"trace": LEARNT})])
    await store.claimed()

    told = {row.subject: header(row) for row in store.offered}
    assert told["deliveries.requested"] == REPORT
    assert told["jobs.succeeded.shop"] == REPORT
    assert told["jobs.created.shop"] == trace_of(job_id)


async def test_the_reports_of_one_transaction_each_cause_their_own(store: Store) -> None:
    jobs = [await store.running() for _ in range(3)]
    traces = [f"00-{number:032x}-{number:016x}-01" for number in (1, 2, 3)]

    await store.report(
        *(
            callback(job_id).model_copy(update={"trace": trace})
            for job_id, trace in zip(jobs, traces, strict=True)
        )
    )

    caused = {
        UUID(row.msg_id.partition(":")[0]): header(row)
        for row in store.offered
        if row.subject == "jobs.succeeded.shop"
    }
    assert caused == dict(zip(jobs, traces, strict=True))


async def test_another_relay_finds_the_cause_in_the_row(store: Store) -> None:
    job_id = await store.running()
    await store.report(callback(job_id).model_copy(update={"trace": REPORT}))

    await store.run("UPDATE outbox SET leased_until = now() - interval '1 s'")
    left = {row.id: row for row in await store.outbox.claim_outbox(100)}

    assert {row.id: row.headers for row in store.offered} == {
        row_id: row.headers for row_id, row in left.items()
    }


async def test_a_matched_orphan_is_linked_to_what_made_its_task_known(store: Store) -> None:
    await store.report(callback(None, task_id="task-1").model_copy(update={"trace": REPORT}))
    job_id = await store.made()
    ask = await store.submission()
    learnt = submission_outcome(ask, TaskCreated(task_id="task-1"))

    async with Collector() as collector:
        with tracing.exporting(collector.url, ratio=1.0, service="job-store"):
            await store.effects.apply_submissions([learnt.model_copy(update={"trace": LEARNT})])
            copy_id = await store.made(deliver(chat_id=8))
            await collector.until(lambda it: len(it.spans) == 2)

    matched, made = sorted(collector.spans, key=lambda span: span.name, reverse=True)
    assert (matched.name, made.name) == ("match orphan", "create job")
    assert (matched.trace_id, matched.parent_id) == (REPORT[3:35], REPORT[36:52])
    assert matched.links == ((LEARNT[3:35], LEARNT[36:52]),)
    assert matched.attributes["sendonce.job_id"] == str(job_id)
    await store.claimed()
    caused = {header(row) for row in store.offered if row.subject == "deliveries.requested"}
    assert caused == {f"00-{matched.trace_id}-{matched.span_id}-01", trace_of(copy_id)}
    assert (made.trace_id, made.parent_id) == (copy_id.hex, None)


@pytest.mark.parametrize("trace", [None, "nonsense", "00-zz"])
async def test_a_report_of_no_trace_is_matched_all_the_same(
    store: Store, trace: str | None
) -> None:
    await store.report(callback(None, task_id="task-1").model_copy(update={"trace": trace}))
    job_id = await store.made(expect())

    await store.requests.attach(
        "shop", AttachTask(job_id=job_id, task_id="task-1", not_after=LATER)
    )

    assert await store.value("SELECT state FROM orphans") == "matched"
