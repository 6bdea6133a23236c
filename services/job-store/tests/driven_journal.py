"""The journal's store whose time stands still between steps; and all it holds, as a picture."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from driven_store import BOTS, LAWS_OF_EVERY_STEP, START, DrivenStore, Picture
from job_store.journal.values import Row
from job_store.store.ops import LAWS
from journal_kit import JournalStore


class StoppedClock:
    """Says what it was told."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits for time")


class DrivenJournal(DrivenStore):
    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.store = JournalStore(clock=clock)
        super().__init__(self.store)

    async def empty(self) -> None:
        await self.kit.run("TRUNCATE bots CASCADE")
        self.kit.offered.clear()
        await self.set_time(START)
        for slug, staging in BOTS.items():
            await self.kit.add_bot(slug, staging_chat=staging)

    async def set_time(self, now: datetime) -> None:
        self.clock.at = now

    async def _parts(self, jobs: list[UUID]) -> list[Any]:
        return self.store.tables.parts.by("job_id", *jobs)

    async def broken_laws(self) -> list[tuple[str, str]]:
        async with self.kit.database.transaction() as connection:
            return [
                (law, row["what"])
                for law in LAWS_OF_EVERY_STEP
                for row in await connection.fetch(LAWS[law])
            ]

    async def picture(self) -> Picture:
        t = self.store.tables
        return {
            "jobs": {
                str(job["id"]): [
                    job["state"],
                    job["money"],
                    self._of_job("task_owners", job, "task_id"),
                ]
                for job in t.jobs.all()
            },
            "entries": {
                str(job["id"]): self._of_job("ledger", job, "kind") for job in t.jobs.all()
            },
            "wallets": {
                f"{row['bot']} {row['user_id']}": [row["balance"], row["held"]]
                for row in t.wallets.all()
            },
            "orphans": {row["task_id"]: row["state"] for row in t.orphans.all()},
            "parts": {
                f"{part['job_id']} {_place(part)}": [
                    part["state"],
                    part["message_id"],
                    part["showings"],
                ]
                for part in t.parts.all()
            },
            "works": {
                self._work(effect): [effect["state"], _text(effect["open_attempt"])]
                for effect in t.effects.all()
                if effect["kind"] in ("submit", "show", "send")
            },
            "unwatched": {
                str(job["id"]): job["state"]
                for job in t.jobs.by("state", "running")
                if not _is_watched(t.effects.by("job_id", job["id"]))
            },
        }

    def _of_job(self, table: str, job: Row, name: str) -> list[str]:
        rows = self.store.tables.by_name[table].by("job_id", job["id"])
        return sorted(row[name] for row in rows)

    def _work(self, effect: Row) -> str:
        part = self.store.tables.parts.get(effect["part_id"])
        place = f" {_place(part)}" if part else ""
        return f"{effect['job_id']}{place} {effect['kind']}"


def _place(part: Row) -> str:
    return f"{part['delivery_no']}.{part['ordinal']}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _is_watched(effects: Iterable[Row]) -> bool:
    return any(
        effect["kind"] == "poll" and effect["state"] in ("pending", "acting") for effect in effects
    )


@asynccontextmanager
async def driven_journal() -> AsyncIterator[DrivenStore]:
    """Open the store on an empty journal."""
    yield DrivenJournal(StoppedClock())
