"""requests.sql: what bots and operators ask about jobs, tasks, wallets and orphans."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from job_store.journal.statements.common import Rows, by_id, each, is_asked
from job_store.journal.statements.story import story_of
from job_store.journal.tables import Tables
from job_store.journal.values import Row

LINE: Final = "id at kind amount job_id reference"


def job_id_by_key(t: Tables, bot: str, key: str) -> Rows:
    return each(t.jobs.by("jobs_bot_key_key", (bot, key)), "id")


def bot_of_job(t: Tables, job_id: UUID) -> Rows:
    return each(t.jobs.those([job_id]), "bot")


def job_ids_of_task(t: Tables, task_id: str, bot: str) -> Rows:
    owners = sorted(t.task_owners.by("task_id", task_id), key=lambda owner: owner["at"])
    jobs = t.jobs.those(owner["job_id"] for owner in owners)
    return each((job for job in jobs if job["bot"] == bot), "id")


def undelivered(t: Tables, bot: str, after: UUID, limit: int) -> Rows:
    found = [
        job
        for job in t.jobs.by("state", "succeeded")
        if job["bot"] == bot and job["deliver"] and job["id"] > after
    ]
    return each(sorted(found, key=by_id)[:limit], "id")


def list_jobs(  # noqa: PLR0913, PLR0917 - the statement's parameters
    t: Tables,
    bot: str | None,
    state: str | None,
    limit: int,
    since: datetime | None,
    until: datetime | None,
    before: UUID | None,
) -> Rows:
    found = [
        job
        for job in (t.jobs.all() if state is None else t.jobs.by("state", state))
        if is_asked(bot, job["bot"])
        and (since is None or job["created_at"] >= since)
        and (until is None or job["created_at"] < until)
        and (before is None or job["id"] < before)
    ]
    return each(sorted(found, key=by_id, reverse=True)[:limit], "id")


def wallet(t: Tables, bot: str, user_id: int, currency: str) -> Rows:
    return t.wallets.those([(bot, user_id, currency)])


def topup(t: Tables, bot: str, user_id: int, currency: str, amount: int, reference: str) -> Rows:
    if t.ledger.one("ledger_topup_once", (bot, reference)) is not None:
        return []
    entry = {
        "bot": bot,
        "user_id": user_id,
        "currency": currency,
        "kind": "topup",
        "amount": amount,
        "debit": "external",
        "credit": "balance",
        "reference": reference,
    }
    return each([t.ledger.add(entry)], "id")


def topup_by_reference(t: Tables, bot: str, reference: str) -> Rows:
    return each(t.ledger.by("ledger_topup_once", (bot, reference)), "user_id currency amount")


def credit_wallet(t: Tables, bot: str, user_id: int, currency: str, amount: int) -> None:
    for row in t.wallets.those([(bot, user_id, currency)]):
        t.wallets.change(row, balance=row["balance"] + amount)


def make_wallet(t: Tables, bot: str, user_id: int, currency: str) -> None:
    if t.wallets.get((bot, user_id, currency)) is None:
        named = {"bot": bot, "user_id": user_id, "currency": currency}
        t.wallets.add(named | {"balance": 0, "held": 0})


def statement(t: Tables, bot: str, user_id: int, currency: str, limit: int) -> Rows:
    lines = sorted(t.ledger.by("wallet", (bot, user_id, currency)), key=by_id, reverse=True)
    return each(lines[:limit], LINE)


def changes(t: Tables, bot: str, after: int, limit: int) -> Rows:
    found: Rows = []
    for event in reversed(t.events.by("bot", bot)):  # they came in the order of seq
        if event["seq"] <= after:
            break
        found.append(event)
    return each(found[::-1][:limit], "seq message")


def list_orphans(t: Tables, state: str | None, orphan_id: UUID | None, limit: int) -> Rows:
    orphans = t.orphans.all() if orphan_id is None else t.orphans.those([orphan_id])
    found = [orphan for orphan in orphans if is_asked(state, orphan["state"])]
    found.sort(key=lambda orphan: orphan["seen_at"], reverse=True)
    return [_with_reports(t, found_one) for found_one in found[:limit]]


def _with_reports(t: Tables, orphan_row: Row) -> Row:
    reports = t.reports.by("task_id", orphan_row["task_id"])
    is_trusted = any(report["trust"] == "trusted" for report in reports)
    return orphan_row | {"reports": len(reports), "trusted": is_trusted}


def orphan(t: Tables, orphan_id: UUID) -> Rows:
    return each(t.orphans.those([orphan_id]), "id task_id state")


def bodies_of_task(t: Tables, task_id: str) -> Rows:
    reports = sorted(t.reports.by("task_id", task_id), key=lambda report: report["received_at"])
    return each(reports, "message")


def add_bot(  # noqa: PLR0913, PLR0917 - the statement's parameters
    t: Tables,
    slug: str,
    token_ref: str,
    kie_account: str,
    currency: str,
    language: str,
    rich: bool,  # noqa: FBT001 - as above
    staging_chat: int | None,
) -> Rows:
    told: dict[str, Any] = {
        "token_ref": token_ref,
        "kie_account": kie_account,
        "currency": currency,
        "language": language,
        "rich": rich,
        "staging_chat": staging_chat,
    }
    known = t.bots.get(slug)
    if known is None:
        return [t.bots.add(told | {"slug": slug})]
    return [t.bots.change(known, **told)]


def set_texts(t: Tables, slug: str, texts: Row) -> Rows:
    return [t.bots.change(bot, texts=texts) for bot in t.bots.those([slug])]


def make_default_bot(t: Tables) -> None:
    if t.bots.get("default") is None:
        add_bot(t, "default", "default", "default", "RUB", "en", False, None)  # noqa: FBT003


def list_bots(t: Tables) -> Rows:
    return [
        bot | {"paused": _paused(t, bot)}
        for bot in sorted(t.bots.all(), key=lambda bot: str(bot["slug"]))
    ]


def _paused(t: Tables, bot: Row) -> str | None:
    bucket = t.pacing.get(f"creates:{bot['kie_account']}")
    if bucket is None or bucket["parked_until"] is None or bucket["parked_until"] <= t.now:
        return None
    reason: str | None = bucket["needs_owner"]
    return reason


def timeline(t: Tables, job_id: UUID) -> Rows:
    return story_of(t, job_id)


def ledger_of_job(t: Tables, job_id: UUID) -> Rows:
    return each(sorted(t.ledger.by("job_id", job_id), key=by_id), LINE)
