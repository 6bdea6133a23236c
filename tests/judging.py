"""What a run hands to the judge: every job, wallet, law and accepted callback, looked at once more."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from contracts.ops import AskDoctor, DoctorView
from sendonce_cli.asking import Desk
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.errands import Errand, User
from sendonce_cli.demo.verdict import jobs_of
from testkit import proof
from testkit.kie import FakeKie
from testkit.telegram import FakeTelegram


async def facts_of(
    errands: tuple[Errand, ...],
    *,
    bot: Bot,
    desk: Desk,
    paid: Mapping[User, int],
    kie: FakeKie,
    telegram: FakeTelegram,
    database_url: str,
) -> proof.Facts:
    """Ask everybody what became of these errands."""
    tasks = kie.tasks()
    digests = await kept_digests(database_url)
    return proof.Facts(
        asked=errands,
        jobs=await jobs_of(bot, errands),
        paid={user.wallet: amount for user, amount in paid.items()},
        wallets={user.wallet: await bot.wallet(user) for user in paid},
        doctor=await desk.ops("doctor", AskDoctor, DoctorView),
        tasks=tasks,
        telegram=telegram,
        dropped=list(proof.unaccounted(tasks, digests=digests)),
    )


async def kept_digests(database_url: str) -> set[str]:
    """Return the bodies job-store has applied, by their SHA-256."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT DISTINCT digest FROM sendonce.reports")
    finally:
        await connection.close()
    return {row["digest"] for row in rows}


async def shown_twice(database_url: str) -> set[UUID]:
    """Return the jobs whose own evidence says that a result was shown twice."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT job_id FROM sendonce.parts WHERE showings > 1")
    finally:
        await connection.close()
    return {row["job_id"] for row in rows}
