"""The real store on a real database whose time stands still between steps; and all it holds, as a picture."""

from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from structlog.testing import capture_logs

from chassis import postgres
from contracts.deliveries import DeliveryRequested
from contracts.message import Message
from contracts.polls import PollRequested
from contracts.submissions import SubmissionRequested
from job_store.domain.pacing import Limit, Limits
from job_store.store.effects import Effects
from job_store.store.inbox import Inbox
from job_store.store.laws import LAWS
from store_kit import TIMELESS, Store

Ask: TypeAlias = SubmissionRequested | DeliveryRequested | PollRequested
Places: TypeAlias = Mapping[UUID, tuple[int, int]]
Picture: TypeAlias = dict[str, dict[str, Any]]

START: Final = datetime(2026, 11, 24, tzinfo=UTC)
STAGING: Final = -100_500
BOTS: Final = {"shop": None, "club": STAGING}  # with the chat where results wait
LAWS_OF_EVERY_STEP: Final = TIMELESS | {"succeeded_without_effect"}
FREE: Final = Limit(interval=timedelta(microseconds=1), burst=10**6)  # pacing has laws of its own
ASKS: Final = {
    "submissions.requested": SubmissionRequested,
    "deliveries.requested": DeliveryRequested,
    "polls.requested": PollRequested,
}

# The store asks for now() by its search path, where this one comes before Postgres' own.
OWN_TIME: Final = """
CREATE TABLE sendonce.clock (at timestamptz NOT NULL);
INSERT INTO sendonce.clock VALUES (now());
CREATE FUNCTION sendonce.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT at FROM sendonce.clock';
DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'sendonce' AND column_default = 'pg_catalog.now()'
    LOOP EXECUTE format('ALTER TABLE sendonce.%I ALTER %I SET DEFAULT sendonce.now()',
        c.table_name, c.column_name);
    END LOOP;
END $$"""
EMPTY: Final = "TRUNCATE bots, tasks, evidence, reports, events, outbox, pacing, durations CASCADE"
PICTURE: Final = """
SELECT json_build_object(
    'jobs', (SELECT json_object_agg(id, json_build_array(state, money, coalesce((
        SELECT json_agg(task_id ORDER BY task_id COLLATE "C") FROM task_owners o
        WHERE o.job_id = j.id), '[]'))) FROM jobs j),
    'entries', (SELECT json_object_agg(id, coalesce((
        SELECT json_agg(kind ORDER BY kind) FROM ledger l WHERE l.job_id = j.id), '[]')) FROM jobs j),
    'wallets', (SELECT json_object_agg(bot || ' ' || user_id, json_build_array(balance, held)) FROM wallets),
    'orphans', (SELECT json_object_agg(task_id, state) FROM orphans),
    'parts', (SELECT json_object_agg(job_id || ' ' || delivery_no || '.' || ordinal,
        json_build_array(state, message_id, showings)) FROM parts),
    'works', (SELECT json_object_agg(
        e.job_id || coalesce(' ' || p.delivery_no || '.' || p.ordinal, '') || ' ' || e.kind,
        json_build_array(e.state, e.open_attempt))
        FROM effects e LEFT JOIN parts p ON p.id = e.part_id WHERE e.kind IN ('submit', 'show', 'send')),
    'unwatched', (SELECT json_object_agg(j.id, j.state) FROM jobs j WHERE j.state = 'running' AND NOT EXISTS (
        SELECT FROM effects e WHERE e.job_id = j.id AND e.kind = 'poll' AND e.state IN ('pending', 'acting'))))"""
BROKEN: Final = "\nUNION ALL\n".join(
    f"SELECT '{name}' AS law, what FROM ({LAWS[name]}) AS found" for name in LAWS_OF_EVERY_STEP
)


class DrivenStore:
    """The kit's store, a clock, and what was handed to workers since the last look."""

    def __init__(self, kit: Store) -> None:
        self.kit = kit
        free = Limits(bot=FREE, chat=FREE, group=FREE, creates=FREE, polls=FREE, hints=FREE)
        self.kit.effects = Effects(self.kit.units, free)
        self.kit.inbox = Inbox(self.kit.units, free)

    async def empty(self) -> None:
        """Begin anew: no jobs, no money, the first moment."""
        await self.kit.run(EMPTY)
        self.kit.offered.clear()
        await self.set_time(START)
        for slug, staging in BOTS.items():
            await self.kit.add_bot(slug, staging_chat=staging)

    async def at(self, now: datetime, verb: Coroutine[Any, Any, Any]) -> Any:
        """Run a verb at a moment; nothing it does may fail and be hidden."""
        await self.set_time(now)
        with capture_logs() as lines:
            answer = await verb
        failures = [line for line in lines if line["log_level"] in ("warning", "error")]
        assert not failures, failures
        return answer

    async def set_time(self, now: datetime) -> None:
        await self.kit.run("UPDATE clock SET at = $1", now)

    async def handed_out(self) -> list[tuple[Ask, Places]]:
        """Publish what was offered, and return what workers are asked, with the parts of each job."""
        rows = list(self.kit.offered)
        self.kit.offered.clear()
        if not rows:
            return []
        await self.kit.outbox.delete_outbox([row.id for row in rows])
        asks = [_read(ASKS[row.subject], row.payload) for row in rows if row.subject in ASKS]
        jobs = list({ask.job_id for ask in asks if isinstance(ask, DeliveryRequested)})
        places: dict[UUID, dict[UUID, tuple[int, int]]] = {}
        for row in await self._parts(jobs) if jobs else ():
            place = (row["delivery_no"], row["ordinal"])
            places.setdefault(row["job_id"], {})[row["id"]] = place
        return [(ask, places.get(ask.job_id, {})) for ask in asks]

    async def _parts(self, jobs: list[UUID]) -> list[Any]:
        query = "SELECT id, job_id, delivery_no, ordinal FROM parts WHERE job_id = ANY($1::uuid[])"
        return await self.kit.fetch(query, jobs)

    async def picture(self) -> Picture:
        seen = await self.kit.value(PICTURE)
        return {name: rows or {} for name, rows in seen.items()}

    async def broken_laws(self) -> list[tuple[str, str]]:
        """Name the laws of the doctor that hold at any moment, where they do not."""
        return [(row["law"], row["what"]) for row in await self.kit.fetch(BROKEN)]

    async def doctor(self) -> set[str]:
        return {found.check for found in (await self.kit.ops.doctor()).findings if not found.ok}

    async def claim(self) -> None:
        while await self.kit.effects.claim_due(300) >= 300:
            pass


def _read(kind: type[Message], payload: bytes) -> Any:
    return kind.read(payload)


@asynccontextmanager
async def driven(url: str) -> AsyncIterator[DrivenStore]:
    """Open the store on a migrated database of its own."""
    async with postgres.connected(
        url, application_name="model", schema="sendonce, pg_catalog", max_size=2
    ) as database:
        store = DrivenStore(Store(database))
        await store.kit.run(OWN_TIME)
        yield store
