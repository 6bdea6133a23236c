"""Content taken out of rows: of jobs that are over, by their age; of one user, when somebody says so."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from chassis.queries import load
from job_store.domain import forgetting
from job_store.domain.case import Case
from job_store.store.unit import Transaction, Units

log = structlog.get_logger()

sql = load("job_store.store", "forgetting.sql")

AT_ONCE: Final = 100  # rows a transaction


class Forgetting:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def sweep(self) -> bool:
        """Take out some of what is older than its age; returns whether there may be more."""
        ages = self._units.rules.ages
        turns: list[tuple[str, timedelta | None, Callable[[timedelta], Awaitable[int]]]] = [
            ("prompts", ages.prompts, self._prompts),
            ("media", ages.media, self._media),
            ("waiting", ages.media, self._waiting),
            ("bodies", ages.bodies, self._bodies),
        ]
        is_more = False
        for what, age, forget in turns:
            if age is None:
                continue
            gone = await forget(age)
            is_more = is_more or gone >= AT_ONCE
            if gone:
                log.info("content.forgotten", what=what, rows=gone)
        return is_more

    async def _prompts(self, age: timedelta) -> int:
        return await self._of_jobs(sql.ended_with_prompt, age, forget_prompts)

    async def _media(self, age: timedelta) -> int:
        return await self._of_jobs(sql.ended_with_media, age, forget_media)

    async def _waiting(self, age: timedelta) -> int:
        """What nobody has come for is given up, and gone with all that was asked."""
        return await self._of_jobs(sql.waiting_too_long, age, forget_prompts, forget_media)

    async def _of_jobs(
        self,
        query: str,
        age: timedelta,
        *steps: Callable[[Transaction, Sequence[Case]], Awaitable[None]],
    ) -> int:
        async with self._units.begin() as tx:
            rows = await tx.connection.fetch(query, age, AT_ONCE)
            cases = await tx.lock(row["id"] for row in rows)
            for step in steps:
                await step(tx, list(cases.values()))
            return len(rows)

    async def _bodies(self, age: timedelta) -> int:
        async with self._units.database.transaction() as connection:
            await connection.execute(sql.forget_dead_letters, age)
            rows = await connection.fetch(sql.old_bodies, age, AT_ONCE)
            await connection.execute(sql.forget_bodies, [row["id"] for row in rows])
            return len(rows)


async def forget_prompts(tx: Transaction, cases: Sequence[Case]) -> None:
    """Take out what was asked of these locked jobs."""
    for case in cases:
        forgetting.forget_prompt(case)
    await _forget(tx, cases, sql.forget_prompts, sql.forget_words, sql.forget_outcomes)


async def forget_media(tx: Transaction, cases: Sequence[Case]) -> None:
    """Take out what these locked jobs were to show."""
    for case in cases:
        forgetting.forget_media(case)
    await _forget(
        tx, cases, sql.forget_media, sql.forget_parts, sql.forget_words, sql.forget_outcomes
    )


async def forget_whole(tx: Transaction, cases: Sequence[Case]) -> None:
    """Take out all that these locked jobs tell of their user, and where that is."""
    await forget_prompts(tx, cases)
    await forget_media(tx, cases)
    for case in cases:
        forgetting.forget_chat(case)
    await _forget(
        tx,
        cases,
        *(sql.forget_chats, sql.forget_carriers, sql.forget_event_chats, sql.forget_outcome_chats),
    )
    bodies = await tx.connection.fetch(sql.bodies_of_jobs, _ids(cases))
    await tx.connection.execute(sql.forget_bodies, [row["id"] for row in bodies])


async def _forget(tx: Transaction, cases: Sequence[Case], *queries: str) -> None:
    ids = _ids(cases)
    if ids:
        for query in queries:
            await tx.connection.execute(query, ids)


def _ids(cases: Sequence[Case]) -> list[UUID]:
    return [case.job.id for case in cases]
