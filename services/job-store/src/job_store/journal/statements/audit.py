"""audit.sql: what was changed by hand."""

from uuid import UUID

from job_store.journal.statements.common import Rows, each, recordset
from job_store.journal.tables import Tables


def audit(t: Tables, who: str, why: str, verb: str, written: str) -> None:
    for row in recordset(written):
        t.audit.add(row | {"who": who, "why": why, "verb": verb})


def list_audit(t: Tables, job_id: UUID | None, limit: int) -> Rows:
    lines = t.audit.all() if job_id is None else t.audit.by("job_id", job_id)
    return each(reversed(lines[-limit:]), "at who why verb target detail")
