"""doctor.sql: the invariants, looked at on live rows."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from job_store.journal.statements.common import OPEN, Rows, told
from job_store.journal.tables import Tables
from job_store.journal.values import Row

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
OVERDUE: Final = timedelta(minutes=10)
ENTRIES: Final = {
    "held": ["hold"],
    "captured": ["capture", "hold"],
    "refunded": ["capture", "hold", "refund"],
}


def _wallet(row: Row) -> str:
    return f"{row['bot']}/{row['user_id']}/{row['currency']}"


def _jobs(rows: Iterable[Row]) -> Rows:
    return told([str(row["job_id"]) for row in rows])


def ledger_unbalanced(t: Tables) -> Rows:
    wrong = [row for key, row in t.wallets.rows.items() if not _is_balanced(t, key, row)]
    return told([_wallet(row) for row in wrong])


def _is_balanced(t: Tables, key: Any, wallet: Row) -> bool:  # noqa: ANN401 - a key of a table
    sums = Counter[str]()
    for entry in t.ledger.by("wallet", key):
        sums[entry["credit"]] += entry["amount"]
        sums[entry["debit"]] -= entry["amount"]
    return (wallet["balance"], wallet["held"]) == (sums["balance"], sums["held"])


def holds_without_open_job(t: Tables) -> Rows:
    held = Counter[Any]()
    for job in t.jobs.all():
        if job["money"] == "held":
            held[job["bot"], job["user_id"], job["currency"]] += job["price"]
    return told([_wallet(row) for key, row in t.wallets.rows.items() if row["held"] != held[key]])


def money_without_entry(t: Tables) -> Rows:
    wrong = []
    for job in t.jobs.all():
        if job["money"] != "none":
            kinds = sorted(entry["kind"] for entry in t.ledger.by("job_id", job["id"]))
            if kinds != ENTRIES.get(job["money"], ["hold", "release"]):
                wrong.append(str(job["id"]))
    return told(wrong)


def shown_twice(t: Tables) -> Rows:
    return _jobs(t.parts.by("doubled", ()))


def uncertain_parts(t: Tables) -> Rows:
    return _jobs(t.parts.by("state", "uncertain"))


def evidence_dropped(t: Tables) -> Rows:
    return _jobs(row for row in _recent_evidence(t, "done", "sent") if _shows_what_is_not(t, row))


def _recent_evidence(t: Tables, *kinds: str) -> Rows:
    return [row for row in t.evidence.all() if row["at"] > t.now - DAY and row["kind"] in kinds]


def _shows_what_is_not(t: Tables, evidence: Row) -> bool:
    attempt = t.attempts.get(evidence["attempt_id"])
    if attempt is None:
        return False
    effect = t.effects.rows[attempt["effect_id"]]
    if effect["kind"] not in ("show", "send"):
        return False
    return bool(t.parts.rows[effect["part_id"]]["state"] != "shown")


def report_dropped(t: Tables) -> Rows:
    jobs = t.jobs.by("state", *OPEN)
    return told([str(job["id"]) for job in jobs if any(map(_shows, _reports(t, job)))])


def _reports(t: Tables, job: Row) -> Rows:
    return t.reports.by("job_id", job["id"])


def _shows(report: Row) -> bool:
    """A success that was believed, whole, with something to show."""
    if report["trust"] != "trusted" or report["state"] != "succeeded":
        return False
    if report["message"].get("truncated") is not False:
        return False
    media = report["message"].get("reading", {}).get("media") or ()
    return any("url" in one or (one.get("text") or "").strip() for one in media)


def orphan_with_owner(t: Tables) -> Rows:
    return told(
        [
            orphan["task_id"]
            for orphan in t.orphans.by("state", "waiting")
            if len({owner["job_id"] for owner in t.task_owners.by("task_id", orphan["task_id"])})
            == 1
            and any(map(_names_nobody, t.reports.by("task_id", orphan["task_id"])))
        ]
    )


def _names_nobody(report: Row) -> bool:
    token = report["message"].get("token") or {}
    is_named = bool(report["message"].get("poll")) or token.get("verdict") == "valid"
    return report["job_id"] is None and not is_named


def sent_without_begin(t: Tables) -> Rows:
    sent = _recent_evidence(t, "sent")
    return _jobs(row for row in sent if row["detail"].get("holder") is None)


def job_without_clock(t: Tables) -> Rows:
    jobs = t.jobs.by("state", *OPEN)
    return told([str(job["id"]) for job in jobs if job["expires_at"] < t.now - MINUTE])


def succeeded_without_effect(t: Tables) -> Rows:
    return told(
        [
            str(job["id"])
            for job in t.jobs.by("state", "succeeded")
            if job["deliver"] and not any(map(_is_on, t.effects.by("job_id", job["id"])))
        ]
    )


def _is_on(effect: Row) -> bool:
    return effect["kind"] in ("show", "send") and effect["state"] in (
        "pending",
        "acting",
        "uncertain",
        "parked",
    )


def lease_over(t: Tables) -> Rows:
    acting = t.effects.by("state", "acting")
    return _jobs(effect for effect in acting if effect["lease_until"] < t.now - MINUTE)


def effect_overdue(t: Tables) -> Rows:
    pending = t.effects.by("state", "pending")
    return _jobs(effect for effect in pending if effect["due_at"] < t.now - OVERDUE)


def outbox_stuck(t: Tables) -> Rows:
    return told([str(row["id"]) for row in t.outbox.all() if row["at"] < t.now - MINUTE])


def orphans_overdue(t: Tables, allowed: timedelta) -> Rows:
    waiting = t.orphans.by("state", "waiting")
    return told([row["task_id"] for row in waiting if row["seen_at"] < t.now - allowed])


def dead_letters(t: Tables) -> Rows:
    return told([str(row["id"]) for row in t.dead_letters.all() if row["settled_at"] is None])


def held_after_restore(t: Tables) -> Rows:
    found = t.restores.by("restores_open", ())
    return told([f"{row['durable']} acknowledged {row['missing']}" for row in found])


def index_unfinished(_t: Tables) -> Rows:
    """They are made with the rows."""
    return []
