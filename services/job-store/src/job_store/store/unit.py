"""One transaction over a set of jobs: lock them, let the rules decide, write what changed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from chassis import clock
from chassis.outbox import OutboxRow
from chassis.queries import load
from chassis.storage import Connection, Database
from contracts.events import OrphanEventName
from contracts.message import Message
from contracts.subjects import job_event
from job_store.domain.case import Case
from job_store.domain.rows import Bot, Owner
from job_store.domain.rules import Rules
from job_store.store.counting import Tally, count
from job_store.store.durations import Took
from job_store.store.ledger import StaleVersionError, save_money
from job_store.store.matching import apply_orphan
from job_store.store.news import begin_traces, event_of, orphan_news
from job_store.store.rows import (
    bot_of,
    effect_of,
    job_of,
    outbox_row,
    owner_of,
    part_of,
    rowset,
)

sql = load("job_store.store", "cases.sql", "orphans.sql")

R = TypeVar("R")


class TaskTakenError(Exception):
    """A task id belongs to another job already."""


class Transaction:
    """What a store verb holds: locked cases by id, and the connection for its own queries."""

    def __init__(self, connection: Connection, rules: Rules) -> None:
        self.connection = connection
        self.rules = rules
        self.cases: dict[UUID, Case] = {}
        self.owners: dict[str, list[Owner]] = {}
        self.outgoing: list[tuple[str, Message]] = []
        self.tally = Tally()
        self.replayed: list[tuple[str, str, bytes]] = []  # subject, id and bytes as they once came

    async def meet_at_tasks(self, task_ids: Iterable[str]) -> None:
        """Upsert and lock the rows of these task ids; before any job is locked."""
        ids = sorted(set(task_ids))
        if not ids:
            return
        await self.connection.execute(sql.meet_at_tasks, ids)
        await self.connection.fetch(sql.lock_tasks, ids)
        for row in await self.connection.fetch(sql.owners_of_tasks, ids):
            self.owners.setdefault(row["task_id"], []).append(owner_of(row))

    async def lock(self, job_ids: Iterable[UUID]) -> dict[UUID, Case]:
        """Lock jobs in id order and load all that belongs to them."""
        return await self._load(sql.lock_jobs, job_ids)

    async def see(self, job_ids: Iterable[UUID]) -> dict[UUID, Case]:
        """Load jobs as they are, to be shown and not changed; see ``Units.look``."""
        return await self._load(sql.see_jobs, job_ids)

    async def _load(self, query: str, job_ids: Iterable[UUID]) -> dict[UUID, Case]:
        ids = sorted(set(job_ids) - self.cases.keys())
        if not ids:
            return self.cases
        job_rows = await self.connection.fetch(query, ids)
        found = [row["id"] for row in job_rows]
        if not found:
            return self.cases
        effects = _grouped(await self.connection.fetch(sql.effects_of_jobs, found), effect_of)
        parts = _grouped(await self.connection.fetch(sql.parts_of_jobs, found), part_of)
        owners = _grouped(await self.connection.fetch(sql.owners_of_jobs, found), owner_of)
        bots = await self.bots({row["bot"] for row in job_rows})
        for row in job_rows:
            self.cases[row["id"]] = Case(
                job=job_of(row),
                bot=bots[row["bot"]],
                now=row["now"],
                is_held=row["is_held"],
                effects=effects.get(row["id"], ()),
                parts=parts.get(row["id"], ()),
                owners=owners.get(row["id"], ()),
            )
        return self.cases

    async def bots(self, slugs: Iterable[str]) -> dict[str, Bot]:
        rows = await self.connection.fetch(sql.bots_by_slug, list(slugs))
        return {row["slug"]: bot_of(row) for row in rows}

    async def save(self) -> list[OutboxRow]:
        """Match the orphans of task ids learned here, then write everything that changed."""
        await self.match_orphans()
        touched = [case for case in self.cases.values() if case.touched]
        for case in touched:
            case.change(version=case.loaded_version + 1)
        await self._save_jobs(touched)
        await self._save_children(touched)
        transfers = [transfer for case in touched for transfer in case.transfers]
        await save_money(self.connection, transfers)
        return await self._announce(touched)

    def _refuse_taken_tasks(self) -> None:
        for case in self.cases.values():
            for owner in case.new_owners:
                others = self.owners.get(owner.task_id, [])
                if any(
                    replace(other, job_id=owner.job_id) == owner and other != owner
                    for other in others
                ):
                    raise TaskTakenError(owner.task_id)

    async def match_orphans(self) -> None:
        """The other half of the meeting: whoever learns a task id applies what waited for it."""
        self._refuse_taken_tasks()
        learned = {owner.task_id: case for case in self.cases.values() for owner in case.new_owners}
        if not learned:
            return
        orphans = await self.connection.fetch(sql.orphans_of_tasks, list(learned))
        if not orphans:
            return
        rows = await self.connection.fetch(
            sql.reports_of_orphans, [row["task_id"] for row in orphans]
        )
        for row in rows:
            apply_orphan(row, learned[row["task_id"]], self.rules)
        for row in orphans:
            job = learned[row["task_id"]]
            name = OrphanEventName.MATCHED
            self.outgoing.append(
                orphan_news(name, row, at=job.now, mark=str(job.job.id), job_id=job.job.id)
            )
        matches = [(row["id"], learned[row["task_id"]].job.id) for row in orphans]
        await self.connection.executemany(sql.match_orphan, matches)
        await self.connection.executemany(
            sql.adopt_reports, [(row["task_id"], learned[row["task_id"]].job.id) for row in orphans]
        )

    async def _save_jobs(self, touched: Sequence[Case]) -> None:
        fresh = [case.job for case in touched if case.stored_job is None]
        known = [case.job for case in touched if case.stored_job is not None]
        if fresh:
            await self.connection.execute(sql.insert_jobs, rowset(sql.insert_jobs, fresh))
        if known:
            rows = rowset(sql.update_jobs, known)
            updated = await self.connection.fetch(sql.update_jobs, rows)
            if len(updated) != len(known):
                raise StaleVersionError

    async def _save_children(self, touched: Sequence[Case]) -> None:
        new_parts, parts = _written([(case.parts, case.stored_parts) for case in touched])
        new_effects, effects = _written([(case.effects, case.stored_effects) for case in touched])
        for query, values in (
            (sql.insert_parts, new_parts),
            (sql.update_parts, parts),
            (sql.insert_effects, new_effects),
            (sql.update_effects, effects),
            (sql.insert_carriers, [carrier for case in touched for carrier in case.carriers]),
            (sql.insert_attempts, [opened for case in touched for opened in case.opened]),
            (sql.insert_owners, [owner for case in touched for owner in case.new_owners]),
            (sql.insert_durations, [Took.of(case) for case in touched if case.took is not None]),
        ):
            if values:
                await self.connection.execute(query, rowset(query, values))

    async def _announce(self, touched: Sequence[Case]) -> list[OutboxRow]:
        events = [event_of(case, name) for case in touched for name in case.news]
        told = [event.wire() for event in events]
        messages = self.outgoing + [request for case in touched for request in case.requests]
        rows = await self._hand_over(
            [(*replayed, None) for replayed in self.replayed]
            + [(subject, each.id, each.wire(), each.trace) for subject, each in messages]
            + [
                (job_event(event.event, event.bot), event.id, wire, event.trace)
                for event, wire in zip(events, told, strict=True)
            ]
        )
        if events:
            await self.connection.execute(sql.order_events, sorted({event.bot for event in events}))
            await self.connection.execute(
                sql.insert_events,
                [event.bot for event in events],
                [event.job_id for event in events],
                [event.event for event in events],
                [wire.decode() for wire in told],
            )
        return rows

    async def _hand_over(
        self, messages: Sequence[tuple[str, str, bytes, str | None]]
    ) -> list[OutboxRow]:
        if not messages:
            return []
        columns = zip(*messages, strict=True)
        rows = await self.connection.fetch(sql.insert_outbox, *columns)
        return [outbox_row(row) for row in rows]


class Units:
    """Opens transactions; tells the relay and the clocks what a commit made due."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        *,
        offer: Callable[[Sequence[OutboxRow]], None],
        wake: Callable[[], None],
        confirm: Callable[[Connection], Awaitable[None]],
    ) -> None:
        self.database = database
        self.confirm = confirm
        self.rules = rules
        self._offer = offer
        self._wake = wake

    def wake(self) -> None:
        """Have the clocks look at once: something is due that no case of a transaction shows."""
        self._wake()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """One transaction: saved and committed on leaving, nothing of it on raising."""
        began = clock.SYSTEM.monotonic()
        async with self.database.connection() as connection:
            await self.confirm(connection)
            async with connection.transaction():
                transaction = Transaction(connection, self.rules)
                yield transaction
                rows = await transaction.save()
        count(transaction.cases.values(), transaction.outgoing, transaction.tally)
        begin_traces(transaction.cases.values(), since=began)
        if rows:
            self._offer(rows)
        if any(_has_due(case) for case in transaction.cases.values()):
            self._wake()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Transaction]:
        """One snapshot to read from: nobody waits for it and nothing of it is saved."""
        async with (
            self.database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield Transaction(connection, self.rules)


def _has_due(case: Case) -> bool:
    return any(case.is_due(effect) for effect in case.effects.values())


def _written(
    cases: Iterable[tuple[Mapping[UUID, R], Mapping[UUID, R]]],
) -> tuple[list[R], list[R]]:
    """Tell rows that are new and rows that changed apart from those that stayed as they were."""
    new: list[R] = []
    changed: list[R] = []
    for held, stored in cases:
        for key, row in held.items():
            before = stored.get(key)
            if before is None:
                new.append(row)
            elif before is not row and before != row:
                changed.append(row)
    return new, changed


def _grouped(rows: Iterable[Any], make: Callable[[Any], Any]) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = {}
    for row in rows:
        groups.setdefault(row["job_id"], []).append(make(row))
    return groups
