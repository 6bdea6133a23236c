"""The findings of the doctor."""

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.ops import DoctorView
from sendonce_cli.screen import table

# What each check promises, for a reader who has not read the SQL.
PROMISES: Final = {
    "ledger_unbalanced": "every wallet is the sum of its transfers",
    "holds_without_open_job": "what is held belongs to open jobs",
    "money_without_entry": "every job's money is what the ledger says of it",
    "shown_twice": "no result was shown twice",
    "uncertain_parts": "no result waits for an operator's decision",
    "evidence_dropped": "whoever said that a result stands there was heard",
    "report_dropped": "a success that was believed ended the waiting",
    "orphan_with_owner": "no callback waits whose task has a job",
    "sent_without_begin": "nothing was sent without asking first",
    "job_without_clock": "every open job has somebody who moves it on",
    "succeeded_without_effect": "every known result is on its way to its chat",
    "lease_over": "every lease that ended was noticed",
    "effect_overdue": "nothing has been due for long",
    "outbox_stuck": "the outbox empties",
    "orphans_overdue": "orphans that wait too long are ended",
    "held_after_restore": "Postgres knows all that was acknowledged (else: sendonce resume)",
    "index_unfinished": "every index is whole (else: sendonce migrate down, then up)",
    "dead_letters": "no message was put aside",
}


def doctor_screen(view: DoctorView) -> RenderableType:
    """Return one row a law, and a verdict."""
    rows = table("!", "law", ">offenders!", "which")
    for finding in view.findings:
        mark = Text("ok", style="good") if finding.ok else Text("broken", style="bad")
        promise = PROMISES.get(finding.check, finding.check.replace("_", " "))
        rows.add_row(
            mark,
            promise,
            "" if finding.ok else str(finding.count),
            Text(finding.detail, style="dim"),
        )
    broken = sum(not finding.ok for finding in view.findings)
    verdict = (
        Text(f"All {len(view.findings)} laws are kept.", style="good")
        if not broken
        else Text(f"{broken} of {len(view.findings)} laws are broken.", style="bad")
    )
    return Group(rows, verdict)
