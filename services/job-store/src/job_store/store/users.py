"""All that is kept of one user: handed out row by row, or taken out of their jobs."""

from typing import Final

from chassis.queries import load
from contracts.refusals import Refusal, RefusalName
from contracts.users import (
    ExportUser,
    ForgetUser,
    KeptRow,
    KeptTable,
    UserExportView,
    UserForgottenView,
)
from job_store.domain import forgetting
from job_store.store.audit import Audited, audit, changed
from job_store.store.forgetting import AT_ONCE, forget_whole
from job_store.store.unit import Transaction, Units
from job_store.store.views import fitting

sql = load("job_store.store", "users.sql")
COUNTED: Final = f"SELECT name, count(*) AS rows FROM ({sql.kept}) AS kept GROUP BY name ORDER BY 1"  # noqa: S608 - of our own query

PAGE: Final = 200  # rows


class Users:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def export(self, ask: ExportUser) -> UserExportView | Refusal:
        """Say how much there is, which is written down; or show one page of one table."""

        async def counted(tx: Transaction) -> UserExportView | Refusal:
            if not await tx.bots([ask.bot]):
                return _unknown(ask.bot)
            # First, for it is kept about the user as well.
            told = [] if ask.dry_run else [Audited(target=_target(ask))]
            await audit(tx.connection, ask, "users.export", told)
            rows = await tx.connection.fetch(COUNTED, ask.bot, ask.user_id, None, 0, None)
            return UserExportView(tables=tuple(KeptTable(**dict(row)) for row in rows))

        if ask.table is None:
            return await changed(self._units, ask, counted)
        async with self._units.look() as tx:
            rows = await tx.connection.fetch(
                sql.kept, ask.bot, ask.user_id, ask.table, ask.offset, PAGE
            )
        return UserExportView(rows=tuple(fitting([KeptRow(row=row["row"]) for row in rows])))

    async def forget(self, ask: ForgetUser) -> UserForgottenView | Refusal:
        """Empty some of their jobs, unless one is open; then none."""

        async def some(tx: Transaction) -> UserForgottenView | Refusal:
            if not await tx.bots([ask.bot]):
                return _unknown(ask.bot)
            whose = ask.bot, ask.user_id
            total = await tx.connection.fetchval(sql.count_unforgotten, *whose)
            rows = await tx.connection.fetch(sql.unforgotten, *whose, AT_ONCE)
            cases = list((await tx.lock(row["id"] for row in rows)).values())
            ways = {case.job.id: way for case in cases if (way := forgetting.in_the_way(case))}
            if ways:
                first = next(iter(ways.values()))
                word = "1 job is" if len(ways) == 1 else f"{len(ways)} jobs are"
                return UserForgottenView(
                    did=False,
                    reason=f"{word} in the way: {first}",
                    left=total,
                    in_the_way=tuple(ways),
                )
            await forget_whole(tx, cases)
            told = Audited(target=_target(ask), detail=f"{len(cases)} jobs")
            await audit(tx.connection, ask, "users.forget", [told])
            return UserForgottenView(did=True, jobs=len(cases), left=total - len(cases))

        return await changed(self._units, ask, some)


def _target(ask: ExportUser | ForgetUser) -> str:
    return f"user {ask.user_id} of bot {ask.bot}"


def _unknown(bot: str) -> Refusal:
    return Refusal(
        code=RefusalName.UNKNOWN_BOT,
        message=f"no bot named {bot}",
        hint="sendonce bots list; nothing was changed",
    )
