"""What the bus knows of acknowledgements, against what the database knows: an older one is found out."""

from collections.abc import Sequence
from uuid import uuid4

import nats
import pytest
from nats.js import JetStreamContext

from contracts import streams
from contracts.reports import ReportReceived, ReportState
from job_store.acknowledged import MSG_ID, Acknowledged
from job_store.app import consumer_specs
from job_store.migrate import migrate_bus
from job_store.store.lineage import Lineage, Phase
from store_kit import Store, callback

DURABLE, SUBJECT = "job-store-reports", "reports.received"


async def handed(js: JetStreamContext, reports: Sequence[ReportReceived], *, keep: int) -> None:
    """Hand reports to the durable; the one at place ``keep`` is never acknowledged."""
    for report in reports:
        await js.publish(SUBJECT, report.model_dump_json().encode(), headers={MSG_ID: report.id})
    pull = await js.pull_subscribe_bind(DURABLE, streams.REPORTS)
    for place, message in enumerate(await pull.fetch(len(reports), timeout=10)):
        if place != keep:
            await message.ack_sync()


@pytest.mark.parametrize(
    "applied, phase",
    [
        pytest.param((0, 1, 2, 3), None, id="all"),
        pytest.param((1, 2, 3), None, id="all-but-the-pending-one"),
        pytest.param((1, 2), Phase.FOUND, id="one-fewer-than-was-acknowledged"),
        pytest.param((), Phase.FOUND, id="none"),
    ],
)
async def test_what_was_acknowledged_above_a_pending_message_must_be_known(
    store: Store, nats_url: str, applied: Sequence[int], phase: Phase | None
) -> None:
    """The floor of acknowledgements stands still below the pending one, so it alone would say nothing."""
    await migrate_bus(nats_url)
    job_id = await store.running()
    reports = [callback(job_id) for _ in range(4)]
    for place in applied:
        await store.report(reports[place])
    client = await nats.connect(nats_url)
    try:
        js = client.jetstream()
        await handed(js, reports, keep=0)
        lineage = Lineage(store.database, (DURABLE,), Acknowledged(js, consumer_specs()).newest)
        async with store.database.connection() as connection:
            await lineage.confirm(connection)

        restore = await lineage.restore()
        assert (restore.phase if restore else None) is phase
    finally:
        await client.close()


async def test_a_callback_about_a_forgotten_job_is_kept_and_its_job_is_named(store: Store) -> None:
    """Also one whose body names no task: our own signature says whose it is."""
    forgotten = uuid4()

    (applied,) = await store.inbox.apply_reports(
        [callback(forgotten, task_id=None, state=ReportState.PROGRESS)]
    )

    assert (applied.did, applied.job_id) == ("job_unknown", None)
    assert await store.lineage.unknown_jobs() == [str(forgotten)]
