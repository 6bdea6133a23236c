"""What operators ask: bots, any job with its whole story, one screen of status, the invariant checker."""

from collections.abc import Iterator
from uuid import UUID

from chassis.queries import load
from contracts.api import JobsView, StatementView, TopUp, WalletRef, WalletView
from contracts.ops import (
    AddBot,
    BotStatus,
    BotsView,
    BotView,
    CreditWallet,
    DoctorView,
    Finding,
    JobStory,
    ListJobs,
    OrphanStory,
    SetTexts,
    StatusView,
    TimelineLine,
    WalletStatement,
)
from contracts.refusals import Refusal, RefusalName
from job_store.domain.wording import misfit
from job_store.store.audit import Audited, audit
from job_store.store.laws import LAWS, arguments
from job_store.store.pauses import let_go, shown
from job_store.store.pauses import sql as pauses_sql
from job_store.store.requests import Requests, orphan_view
from job_store.store.requests import sql as requests_sql
from job_store.store.rows import Row
from job_store.store.unit import Units
from job_store.store.views import fitting, job_view, ledger_line, unknown_job

sql = load("job_store.store", "ops.sql")

SHOWN = 5  # how many offenders a finding names


class Ops:
    def __init__(self, units: Units, requests: Requests) -> None:
        self._units = units
        self._requests = requests

    async def add_bot(self, ask: AddBot) -> BotView:
        """Register a bot or change it; with another token or KIE key it goes on at once."""
        async with self._units.database.transaction() as connection:
            before = await connection.fetchrow(pauses_sql.lock_bot, ask.slug)
            row = await connection.fetchrow(
                requests_sql.add_bot,
                ask.slug,
                ask.token_ref,
                ask.kie_account,
                ask.currency,
                ask.language,
                ask.rich,
                ask.staging_chat,
            )
            await audit(connection, ask, "bots.add", [Audited(target=f"bot {ask.slug}")])
            for what in _tried_anew(before, ask):
                await let_go(connection, what, bot=ask.slug, account=ask.kie_account)
        self._units.wake()
        if row is None:
            msg = "an upsert returns its row"
            raise LookupError(msg)
        return _bot(row, paused=None)

    async def set_texts(self, ask: SetTexts) -> BotView | Refusal:
        """Replace a bot's own texts; an empty one is none."""
        if (trouble := misfit(ask.texts)) is not None:
            return Refusal(
                code=RefusalName.INVALID_REQUEST,
                message=trouble,
                hint="sendonce bots texts shows every line; nothing was changed",
            )
        texts = {name: text for name, text in ask.texts.items() if text}
        async with self._units.database.transaction() as connection:
            row = await connection.fetchrow(requests_sql.set_texts, ask.slug, texts)
            if row is not None:
                named = ", ".join(sorted(texts))[:2_000]
                told = Audited(target=f"bot {ask.slug}", detail=named)
                await audit(connection, ask, "bots.texts", [told])
        if row is None:
            return Refusal(
                code=RefusalName.UNKNOWN_BOT,
                message=f"no bot named {ask.slug}",
                hint="sendonce bots add",
            )
        return _bot(row, paused=None)

    async def make_default_bot(self) -> None:
        """Make the one bot that needs no registering; what an operator changed about it stays."""
        async with self._units.database.connection() as connection:
            await connection.execute(requests_sql.make_default_bot)

    async def list_bots(self) -> BotsView:
        async with self._units.database.connection() as connection:
            rows = await connection.fetch(requests_sql.list_bots)
        return BotsView(bots=tuple(_bot(row, paused=row["paused"]) for row in rows))

    async def list_jobs(self, ask: ListJobs) -> JobsView:
        async with self._units.look() as tx:
            rows = await tx.connection.fetch(
                requests_sql.list_jobs,
                ask.bot,
                ask.state,
                ask.limit,
                ask.since,
                ask.until,
                ask.before,
            )
            ids = [row["id"] for row in rows]
            cases = await tx.see(ids)
            jobs = fitting([job_view(cases[job_id], created=False) for job_id in ids])
            return JobsView(jobs=tuple(jobs))

    async def story(self, job_id: UUID) -> JobStory | Refusal:
        async with self._units.look() as tx:
            case = (await tx.see([job_id])).get(job_id)
            if case is None:
                return unknown_job(str(job_id))
            lines = await tx.connection.fetch(requests_sql.timeline, job_id)
            ledger = await tx.connection.fetch(requests_sql.ledger_of_job, job_id)
        return JobStory(
            job=job_view(case, created=False),
            timeline=tuple(
                TimelineLine(at=row["at"], what=row["what"], detail=(row["detail"] or "")[:2_000])
                for row in lines
            ),
            ledger=tuple(ledger_line(row) for row in ledger),
        )

    async def orphan(self, orphan_id: UUID) -> OrphanStory | None:
        async with self._units.database.transaction() as connection:
            row = await connection.fetchrow(requests_sql.list_orphans, None, orphan_id, 1)
            if row is None:
                return None
            bodies = await connection.fetch(requests_sql.bodies_of_task, row["task_id"])
        return OrphanStory(
            orphan=orphan_view(row), bodies=tuple(str(body["message"])[:20_000] for body in bodies)
        )

    async def statement(self, ask: WalletStatement) -> StatementView:
        wallet = WalletRef(user_id=ask.user_id, currency=ask.currency, not_after=ask.not_after)
        return await self._requests.statement(ask.bot, wallet)

    async def topup(self, ask: CreditWallet) -> WalletView | Refusal:
        """Credit a payment by hand; the same reference is a payment that was credited before."""
        credit = TopUp(
            user_id=ask.user_id,
            currency=ask.currency,
            amount=ask.amount,
            reference=ask.reference,
            not_after=ask.not_after,
        )
        return await self._requests.topup(ask.bot, credit, by=ask)

    async def status(self) -> StatusView:
        async with self._units.database.transaction() as connection:
            counts = await connection.fetchrow(sql.status_counts)
            bots = await connection.fetch(sql.status_bots)
            paused = await connection.fetch(sql.status_paused)
            pauses = await connection.fetch(sql.status_pauses)
            told_to_wait = await connection.fetch(sql.status_told_to_wait)
            left = await connection.fetch(sql.status_credits)
            held = await connection.fetch(LAWS.held_after_restore)
        if counts is None:
            msg = "a row of counts always exists"
            raise LookupError(msg)
        troubles = ["held after a restore: sendonce resume --after-restore"] * bool(held)
        troubles += _troubles(counts) + [
            f"{row['key']} paused: {row['needs_owner']}" for row in paused
        ]
        troubles += [f"{row['what']} of {row['slug']} paused by {row['why']}" for row in pauses]
        return StatusView(
            **dict(counts),
            verdict="; ".join(troubles)[:2_000] or "all well: jobs flow",
            healthy=not troubles,
            bots=_bots(bots),
            told_to_wait={row["kind"]: row["waiting"] for row in told_to_wait},
            credits={row["account"]: row["credits"] for row in left},
            paused=(
                *(f"{row['key']}: {row['needs_owner']}" for row in paused),
                *(f"{row['what']} of {row['slug']}: {row['why']}"[:2_000] for row in pauses),
            ),
        )

    async def doctor(self) -> DoctorView:
        """Run every check of the invariants on the live database."""
        findings = []
        async with self._units.database.transaction() as connection:
            at = await connection.fetchval("SELECT now()")
            asked_with = arguments(self._units.rules.orphan_ttl)
            for name in LAWS:
                rows = await connection.fetch(LAWS[name], *asked_with.get(name, ()))
                named = ", ".join(row["what"] for row in rows[:SHOWN])
                findings.append(
                    Finding(
                        check=name,
                        ok=not rows,
                        count=len(rows),
                        detail=named[:2_000],
                    )
                )
        return DoctorView(at=at, findings=tuple(findings))


def _tried_anew(before: Row | None, ask: AddBot) -> Iterator[str]:
    """Name what may have stood still for the sake of a reference that is another one now."""
    if before is not None and before["kie_account"] != ask.kie_account:
        yield "submissions"
    if before is not None and before["token_ref"] != ask.token_ref:
        yield "deliveries"


def _bot(row: Row, *, paused: str | None) -> BotView:
    return BotView(
        slug=row["slug"],
        token_ref=row["token_ref"],
        kie_account=row["kie_account"],
        currency=row["currency"],
        language=row["language"],
        rich=row["rich"],
        staging_chat=row["staging_chat"],
        texts=row["texts"],
        created_at=row["created_at"],
        paused=paused,
        pauses=shown(row["pauses"]),
    )


def _troubles(counts: Row) -> list[str]:
    troubles = [
        f"{counts[name]} {text}"
        for name, text in (
            ("parts_uncertain", "results uncertain"),
            ("submissions_uncertain", "submissions uncertain"),
            ("dead_letters", "dead letters"),
        )
        if counts[name]
    ]
    if (counts["outbox_oldest_seconds"] or 0) > 30:  # noqa: PLR2004 - a lease of 10 s, and pauses of 2 s at the most
        troubles.append(f"outbox stuck for {counts['outbox_oldest_seconds']:.0f} s")
    return troubles


def _bots(rows: list[Row]) -> tuple[BotStatus, ...]:
    states: dict[str, dict[str, int]] = {}
    open_jobs: dict[str, int] = {}
    oldest: dict[str, float] = {}
    for row in rows:
        counts = states.setdefault(row["slug"], {})
        if row["state"] is None:
            continue
        counts[row["state"]] = row["jobs"]
        if row["open"]:
            open_jobs[row["slug"]] = open_jobs.get(row["slug"], 0) + row["open"]
            oldest[row["slug"]] = max(oldest.get(row["slug"], 0), row["oldest"])
    return tuple(
        BotStatus(
            bot=slug,
            open_jobs=open_jobs.get(slug, 0),
            oldest_open_seconds=oldest.get(slug),
            by_state=counts,
        )
        for slug, counts in states.items()
    )
