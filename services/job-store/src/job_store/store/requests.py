"""What a bot may ask about its jobs, tasks, wallets and orphans; every query names the bot."""

from uuid import UUID

from chassis.queries import load
from contracts.api import (
    AttachTask,
    Changes,
    ChangesView,
    JobsView,
    JobView,
    MatchOrphan,
    OneJob,
    OrphansView,
    OrphanView,
    StatementView,
    TopUp,
    WalletRef,
    WalletView,
)
from contracts.events import JobEvent
from contracts.refusals import Refusal, RefusalName
from contracts.values import INT64
from job_store.domain import lifecycle
from job_store.domain.case import Case
from job_store.domain.rows import Door
from job_store.store.audit import Audited, Signed, audit
from job_store.store.rows import Row
from job_store.store.unit import TaskTakenError, Transaction, Units
from job_store.store.views import fitting, ledger_line, unknown_job, view_of

sql = load("job_store.store", "requests.sql")

STATEMENT_LINES = 100
NIL = UUID(int=0)


class Requests:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def get(self, bot: str, ask: OneJob) -> JobView | Refusal:
        async with self._units.look() as tx:
            case = _own(bot, await tx.see(await _named(tx, bot, ask)))
            return unknown_job(str(ask.job_id or ask.key)) if case is None else _view(tx, case)

    async def views(self, job_ids: list[UUID]) -> dict[UUID, JobView]:
        """Show several jobs, of whichever bot."""
        async with self._units.look() as tx:
            return {job_id: _view(tx, case) for job_id, case in (await tx.see(job_ids)).items()}

    async def find_by_task_id(self, bot: str, task_id: str) -> JobsView:
        return await self._page("job_ids_of_task", task_id, bot)

    async def undelivered(self, bot: str, *, after: UUID | None, limit: int) -> JobsView:
        """List the jobs whose result is known and not yet shown, oldest first."""
        return await self._page("undelivered", bot, after or NIL, limit)

    async def _page(self, query: str, *args: object) -> JobsView:
        async with self._units.look() as tx:
            rows = await tx.connection.fetch(sql[query], *args)
            ids = [row["id"] for row in rows]
            cases = await tx.see(ids)
            jobs = fitting([_view(tx, cases[job_id]) for job_id in ids])
            return JobsView(jobs=tuple(jobs), next=str(jobs[-1].id) if jobs else None)

    async def attach(self, bot: str, ask: AttachTask) -> JobView | Refusal:
        """The bot learned the id of a task that it made itself."""
        return await self._learn(bot, ask, doors=frozenset({Door.EXPECT}))

    async def _learn(
        self,
        bot: str,
        ask: AttachTask,
        *,
        doors: frozenset[Door],
        by_hand: tuple[MatchOrphan, Audited] | None = None,
    ) -> JobView | Refusal:
        """Give a job its task id; an orphan that waited for it is matched in this transaction."""
        try:
            async with self._units.begin() as tx:
                await tx.meet_at_tasks([ask.task_id])
                case = await _find(tx, bot, OneJob(job_id=ask.job_id, not_after=ask.not_after))
                if case is None:
                    return unknown_job(str(ask.job_id))
                if case.job.door not in doors:
                    return Refusal(
                        code=RefusalName.TASK_CONFLICT,
                        message="this job's task is submitted by sendonce",
                        hint="attach belongs to jobs made with expect",
                        job_id=case.job.id,
                    )
                lifecycle.learn(case, ask.task_id, tx.rules)
                await tx.match_orphans()
                if by_hand is not None:
                    signed, told = by_hand
                    await audit(tx.connection, signed, "orphans.match", [told])
                return _view(tx, case)
        except TaskTakenError:
            return Refusal(
                code=RefusalName.TASK_CONFLICT,
                message="this task id belongs to another job",
                hint="each KIE task has one job",
            )

    async def cancel(self, bot: str, ask: OneJob) -> JobView | Refusal:
        async with self._units.begin() as tx:
            case = await _find(tx, bot, ask)
            if case is None:
                return unknown_job(str(ask.job_id or ask.key))
            reason = lifecycle.cancel(case)
            if reason is None:
                return _view(tx, case)
            return Refusal(
                code=RefusalName.TOO_LATE,
                message=reason,
                hint="wait for its end; a failed job costs nothing",
                job_id=case.job.id,
            )

    async def match(self, ask: MatchOrphan) -> JobView | Refusal:
        """Match an orphan by hand: the same as learning its task id."""
        async with self._units.database.connection() as connection:
            orphan = await connection.fetchrow(sql.orphan, ask.orphan_id)
            bot = await connection.fetchval(sql.bot_of_job, ask.job_id)
        if bot is None:
            return unknown_job(str(ask.job_id))
        if orphan is None:
            return Refusal(
                code=RefusalName.UNKNOWN_ORPHAN,
                message=f"no orphan {ask.orphan_id}",
                hint="sendonce orphans list shows them",
            )
        # Also a job whose own submission went unanswered: a person knows what became of it.
        task = AttachTask(job_id=ask.job_id, task_id=orphan["task_id"], not_after=ask.not_after)
        told = Audited(
            target=f"orphan {ask.orphan_id}", job_id=ask.job_id, detail=orphan["task_id"]
        )
        doors = frozenset({Door.EXPECT, Door.CREATE})
        return await self._learn(bot, task, doors=doors, by_hand=(ask, told))

    async def orphans(
        self, *, state: str | None, limit: int, orphan_id: UUID | None = None
    ) -> OrphansView:
        async with self._units.database.connection() as connection:
            rows = await connection.fetch(sql.list_orphans, state, orphan_id, limit)
        return OrphansView(orphans=tuple(orphan_view(row) for row in rows))

    async def wallet(self, bot: str, ask: WalletRef) -> WalletView:
        async with self._units.database.connection() as connection:
            row = await connection.fetchrow(sql.wallet, bot, ask.user_id, ask.currency)
        return _wallet(ask, row)

    async def topup(
        self, bot: str, ask: TopUp, *, by: Signed | None = None
    ) -> WalletView | Refusal:
        """Credit a payment once, by its reference; ``by`` an operator's hand it is audited."""
        wallet = (bot, ask.user_id, ask.currency)
        async with self._units.database.transaction() as connection:
            if bot not in {row["slug"] for row in await connection.fetch(sql.list_bots)}:
                return Refusal(code=RefusalName.UNKNOWN_BOT, message=f"no bot named {bot}")
            await connection.execute(sql.make_wallet, *wallet)
            fresh = await connection.fetchval(sql.topup, *wallet, ask.amount, ask.reference)
            if fresh is None:
                before = await connection.fetchrow(sql.topup_by_reference, bot, ask.reference)
                if before is None or not _is_same(before, ask):
                    return Refusal(
                        code=RefusalName.REFERENCE_CONFLICT,
                        message="this reference credited another amount or user",
                        hint="a reference names one payment",
                    )
            else:
                await connection.execute(sql.credit_wallet, *wallet, ask.amount)
                if by is not None:
                    await audit(connection, by, "wallets.topup", [_credited(bot, ask)])
            return _wallet(ask, await connection.fetchrow(sql.wallet, *wallet))

    async def statement(self, bot: str, ask: WalletRef) -> StatementView:
        wallet = (bot, ask.user_id, ask.currency)
        async with self._units.database.transaction() as connection:
            row = await connection.fetchrow(sql.wallet, *wallet)
            lines = await connection.fetch(sql.statement, *wallet, STATEMENT_LINES)
        return StatementView(
            wallet=_wallet(ask, row), lines=tuple(ledger_line(line) for line in lines)
        )

    async def changes(self, bot: str, ask: Changes) -> ChangesView:
        """Read a bot's events in order, after a cursor; the same as the JOBS stream tells, for longer."""
        async with self._units.database.connection() as connection:
            rows = await connection.fetch(sql.changes, bot, min(ask.after, INT64), ask.limit)
        events = fitting(
            [JobEvent.model_validate(row["message"] | {"seq": row["seq"]}) for row in rows]
        )
        return ChangesView(events=tuple(events), next=events[-1].seq or 0 if events else ask.after)


def _is_same(paid: Row, ask: TopUp) -> bool:
    """Claim that a payment that was credited is the one that is told of again."""
    told = (paid["user_id"], paid["currency"], paid["amount"])
    return told == (ask.user_id, ask.currency, ask.amount)


def _credited(bot: str, ask: TopUp) -> Audited:
    user = f"user {ask.user_id} of bot {bot}"
    return Audited(target=user, detail=f"{ask.amount} {ask.currency}, {ask.reference}")


async def _find(tx: Transaction, bot: str, ask: OneJob) -> Case | None:
    return _own(bot, await tx.lock(await _named(tx, bot, ask)))


async def _named(tx: Transaction, bot: str, ask: OneJob) -> list[UUID]:
    if ask.job_id is not None:
        return [ask.job_id]
    return [row["id"] for row in await tx.connection.fetch(sql.job_id_by_key, bot, ask.key)]


def _own(bot: str, cases: dict[UUID, Case]) -> Case | None:
    """Return the job that was asked for, unless it is another bot's."""
    return next((case for case in cases.values() if case.job.bot == bot), None)


def _view(tx: Transaction, case: Case) -> JobView:
    return view_of(case, tx.rules, created=False)


def _wallet(ask: WalletRef, row: Row | None) -> WalletView:
    return WalletView(
        user_id=ask.user_id,
        currency=ask.currency,
        balance=row["balance"] if row else 0,
        held=row["held"] if row else 0,
    )


def orphan_view(row: Row) -> OrphanView:
    return OrphanView(
        id=row["id"],
        task_id=row["task_id"],
        state=row["state"],
        reports=row["reports"],
        trusted=row["trusted"],
        first_seen_at=row["seen_at"],
        job_id=row["job_id"],
    )
