"""A report that waited as an orphan, applied by whoever learned whose task it tells of."""

import structlog

from chassis import tracing
from contracts.reports import ReportReceived
from job_store.domain import reports
from job_store.domain.case import Case
from job_store.domain.rules import Rules
from job_store.store.rows import Row

log = structlog.get_logger()


def apply_orphan(row: Row, case: Case, rules: Rules) -> None:
    """Apply it; what the job does and tells from now on was caused by it, and what was learned is linked."""
    report, learned_by = ReportReceived.model_validate(row["message"]), case.trace
    with tracing.span(
        "match orphan",
        parent=tracing.read(report.trace),
        links=[learned_by] if learned_by is not None else [],
    ) as span:
        case.trace = span.context
        did = reports.on_report(case, report, reports.Trust(row["trust"]), rules)
        tracing.note(job_id=str(case.job.id), task_id=row["task_id"], did=did)
        log.info(
            "[ORPHAN_RECONCILE] orphan.matched",
            job_id=str(case.job.id),
            task_id=row["task_id"],
            report_id=report.id,
            did=did,
        )
