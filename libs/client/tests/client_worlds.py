"""Two worlds for one behaviour suite: the double, and the SDK on real NATS, Postgres and five services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import asyncpg
import httpx

from contracts.api import JobView
from contracts.values import JobState
from deployment import Deployment
from sendonce import SendOnce
from sendonce.testing import SendOnceDouble
from testkit.kie import Plan

HELD, DOOMED = "plan:held", "plan:doomed"  # prompts: ends when told to, and how
MODEL = "nano-banana-2"
_people = count(5_001)
_bots = count(1)


class World(Protocol):
    """A bot's sendonce, and a hand on what the others do."""

    @property
    def sendonce(self) -> SendOnce:
        """The bot's."""

    @property
    def person(self) -> int:
        """A user of this test's own; their private chat has the same id."""

    async def until(self, job: JobView, *states: JobState) -> JobView:
        """Wait until the job is in one of the states."""

    async def own_task(self, callback_url: str | None) -> str:
        """Create a KIE task as a bot that keeps its own call; return its id."""

    async def succeed(self, job: JobView) -> JobView:
        """KIE finishes the task; wait until the result is known."""

    async def fail(self, job: JobView) -> JobView:
        """KIE gives up the task of a doomed prompt; wait until the job says so."""

    async def hold_submissions(self) -> None:
        """From now on a new job waits before it is submitted."""

    async def pause(self) -> None:
        """The owner's KIE account takes no work."""

    async def block(self, chat_id: int) -> None:
        """The user blocks the bot."""

    async def unblock(self, chat_id: int) -> None:
        """The user is back."""


@dataclass(slots=True)
class Played:
    """The double."""

    sendonce: SendOnceDouble
    person: int

    async def until(self, job: JobView, *states: JobState) -> JobView:
        found = await self.sendonce.get(job.id)
        if found.state is JobState.CREATED and JobState.RUNNING in states:
            return self.sendonce.start(job)
        assert found.state in states
        return found

    async def own_task(self, callback_url: str | None) -> str:
        return f"task-{next(_people)}"

    async def succeed(self, job: JobView) -> JobView:
        return self.sendonce.succeed(job)

    async def fail(self, job: JobView) -> JobView:
        return self.sendonce.fail(job)

    async def hold_submissions(self) -> None:
        """Nothing moves by itself here."""

    async def pause(self) -> None:
        self.sendonce.pause()

    async def block(self, chat_id: int) -> None:
        self.sendonce.block(chat_id)

    async def unblock(self, chat_id: int) -> None:
        self.sendonce.unblock(chat_id)


@dataclass(slots=True)
class Real:
    """The whole system; every test is a bot of its own in it."""

    sendonce: SendOnce
    person: int
    deployment: Deployment

    async def until(self, job: JobView, *states: JobState) -> JobView:
        async def reached() -> JobView | None:
            found = await self.sendonce.get(job.id)
            return found if found.state in states else None

        found: JobView = await self.deployment.eventually(reached)
        return found

    async def own_task(self, callback_url: str | None) -> str:
        body = {"model": MODEL, "input": {"prompt": HELD}, "callBackUrl": callback_url}
        async with httpx.AsyncClient() as http:
            answer = await http.post(
                f"{self.deployment.kie.url}/api/v1/jobs/createTask",
                headers={"Authorization": f"Bearer {self.deployment.kie.api_key}"},
                json={name: value for name, value in body.items() if value is not None},
            )
        return str(answer.json()["data"]["taskId"])

    async def succeed(self, job: JobView) -> JobView:
        await self._finish(job)
        blocked = await self.until(job, JobState.SUCCEEDED, JobState.DELIVERED)
        if blocked.state is JobState.SUCCEEDED:
            return await self._shown_or_parked(job)
        return blocked

    async def fail(self, job: JobView) -> JobView:
        await self._finish(job)
        return await self.until(job, JobState.FAILED)

    async def hold_submissions(self) -> None:
        await self._own_account(needs_owner=None)

    async def pause(self) -> None:
        await self._own_account(needs_owner="no credits")

    async def block(self, chat_id: int) -> None:
        self.deployment.telegram.block(chat_id)

    async def unblock(self, chat_id: int) -> None:
        self.deployment.telegram.unblock(chat_id)

    async def _finish(self, job: JobView) -> None:
        async def submitted() -> JobView | None:
            found = await self.sendonce.get(job.id)
            return found if found.task_ids else None

        found: JobView = await self.deployment.eventually(submitted)
        self.deployment.kie.finish(found.task_ids[-1])

    async def _shown_or_parked(self, job: JobView) -> JobView:
        async def settled() -> JobView | None:
            found = await self.sendonce.get(job.id)
            waits = found.ended_at is None and all(p.state != "parked" for p in found.parts)
            return None if waits else found

        found: JobView = await self.deployment.eventually(settled)
        return found

    async def _own_account(self, *, needs_owner: str | None) -> None:
        account = f"account-{self.sendonce.bot}"
        await self.deployment.ops("bots.add", slug=self.sendonce.bot, kie_account=account)
        connection = await asyncpg.connect(self.deployment.database_url)
        try:
            await connection.execute(
                "INSERT INTO sendonce.pacing (key, tat, parked_until, needs_owner)"
                " VALUES ($1, now(), now() + interval '1 hour', $2)",
                f"creates:{account}",
                needs_owner,
            )
        finally:
            await connection.close()


@asynccontextmanager
async def played() -> AsyncIterator[World]:
    """A double of this test's own."""
    async with SendOnceDouble() as double:
        yield Played(double, next(_people))


@asynccontextmanager
async def real(deployment: Deployment) -> AsyncIterator[World]:
    """A bot of this test's own in a running system."""
    deployment.kie.plan_marked("held", Plan(held=True))
    deployment.kie.plan_marked("doomed", Plan(held=True, fails=True))
    bot = f"bot-{next(_bots)}"
    await deployment.ops("bots.add", slug=bot)
    async with SendOnce(deployment.nats_url, bot=bot) as sendonce:
        yield Real(sendonce, next(_people), deployment)
