"""Who asks in a life: a bot, its operator and its user; each asks again until there is an answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import aiohttp
import nats.errors
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from chassis import clock
from contracts import streams, subjects
from contracts.api import JobView
from contracts.reports import ReportedMedia
from contracts.values import JobState, PartState
from crash.wires import Wires
from deployment import eventually
from sendonce import DeadlinePassed, SendOnce, Unavailable, WalletView
from testkit.kie import FakeKie
from testkit.processes import ServiceProcess
from testkit.servers import PostgresServer
from testkit.telegram import FakeTelegram

PRICE: Final = 100
CURRENCY: Final = "RUB"
ANSWERS_WITHIN: Final = 5.0  # seconds; a service that died is up again after three
STEP_WITHIN: Final = 60.0  # seconds between two steps of a life, with a death in between
QUESTIONS: Final[dict[str, dict[str, Any]]] = {
    "bots.list": {},
    "bots.add": {"slug": "default"},
    "bots.texts": {"slug": "default", "texts": {}},
    "jobs.list": {},
    "orphans.list": {},
    "status": {},
    "doctor": {},
    "resume": {},
    "schema": {},
    "audit.list": {},
    "dead.list": {},
    "deliveries.uncertain": {},
}

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Around:
    """What stands around every life of one deployment."""

    kie: FakeKie
    telegram: FakeTelegram
    gateway_url: str
    postgres: PostgresServer | None  # none: the storage is a journal
    wires: Wires
    secrets: Path  # where workers find what a reference stands for
    twins: Mapping[str, ServiceProcess]  # not running, until one has to take over or to share


class Bot:
    """One user's bot in one life; `key` tells this life from every other."""

    def __init__(self, sendonce: SendOnce, client: Client, around: Around) -> None:
        self.key = str(uuid4())
        self.chat_id = 1 + uuid4().int % 10**9
        self.paid = 0
        self.marker = ""  # what finds its tasks at the sandbox KIE
        self.kie, self.telegram, self.postgres = around.kie, around.telegram, around.postgres
        self.gateway_url, self.secrets, self.wires = (
            around.gateway_url,
            around.secrets,
            around.wires,
        )
        self.called = asyncio.Event()  # who is to stop in the middle of it may stop now
        self._sendonce, self._client, self._around = sendonce, client, around

    def neighbour(self) -> "Bot":
        """Return the bot of somebody else, whose job stands beside this life."""
        return Bot(self._sendonce, self._client, self._around)

    async def create(self, plan: str, **asked: Any) -> JobView:
        """Have sendonce submit the job."""
        await self._pay()
        return await self._insist(
            lambda: self._sendonce.create(
                model="nano-banana-2", input=self._input(plan), **self._options(asked)
            )
        )

    async def expect(self) -> JobView:
        """Announce a task of the bot's own."""
        await self._pay()
        return await self._insist(lambda: self._sendonce.expect(**self._options({})))

    async def attach(self, job: JobView, task_id: str) -> JobView:
        """Tell which task the job has become."""
        return await self._insist(lambda: self._sendonce.attach(job.id, task_id))

    async def cancel(self, job: JobView) -> JobView:
        """Give the job up."""
        return await self._insist(lambda: self._sendonce.cancel(job.id))

    async def deliver(self, *media: ReportedMedia) -> JobView:
        """Show a result the bot has already."""
        options = {name: what for name, what in self._options({}).items() if name != "price"}
        return await self._insist(lambda: self._sendonce.deliver(media=media, **options))

    async def returned(self) -> None:
        """Tell that the user can be written to again."""
        await self._insist(lambda: self._sendonce.returned(self.chat_id))

    async def get(self, job_id: UUID) -> JobView:
        """Look at the job."""
        return await self._insist(lambda: self._sendonce.get(job_id))

    async def wallet(self) -> WalletView:
        """Look at the user's money."""
        return await self._insist(lambda: self._sendonce.wallet(self.chat_id, CURRENCY))

    async def own_task(self, plan: str, *, callback_url: str | None) -> str:
        """Have KIE make it without sendonce; returns the task's id."""
        body = {
            "model": "nano-banana-2",
            "input": self._input(plan),
            "callBackUrl": callback_url or f"{self.gateway_url}/callbacks/kie",
        }
        headers = {"Authorization": f"Bearer {self.kie.api_key}"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.kie.url}/api/v1/jobs/createTask", json=body, headers=headers) as said,
        ):
            return str((await said.json())["data"]["taskId"])

    async def orphan_of(self, task_id: str) -> dict[str, Any]:
        """Wait until the task's callback is kept as an orphan."""

        async def kept() -> dict[str, Any] | None:
            found = await self.ops("orphans.list", limit=500)
            return next((one for one in found["orphans"] if one["task_id"] == task_id), None)

        return await eventually(kept, within=STEP_WITHIN)

    async def until(self, job: JobView, fact: Callable[[JobView], bool]) -> JobView:
        """Wait until something is so of the job."""

        async def reached() -> JobView | None:
            found = await self.get(job.id)
            return found if fact(found) else None

        return await eventually(reached, within=STEP_WITHIN)

    async def until_part(self, job: JobView, state: PartState) -> None:
        """Wait until a part of the job is in this state."""
        await self.until(job, lambda seen: any(part.state is state for part in seen.parts))

    async def until_state(self, job: JobView, *states: JobState) -> JobView:
        """Wait until the job is in one of these states."""
        return await self.until(job, lambda seen: seen.state in states)

    async def soon(self, job: JobView, *states: JobState, within: float) -> None:
        """Wait until the job is in one of these states, or for so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.until_state(job, *states)

    async def look_at_everything(self, job: JobView) -> None:
        """Ask every question a bot and an operator have."""
        for verb, fields in QUESTIONS.items():
            await self.ops(verb, **fields)
        await self.ops("jobs.show", job_id=str(job.id))
        wallet = {"user_id": self.chat_id, "currency": CURRENCY}
        await self.ops("wallets.statement", bot="default", **wallet)
        ask = self._sendonce
        questions: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: ask.get(key=self.key),
            lambda: ask.wallet(self.chat_id, CURRENCY),
            lambda: ask.statement(self.chat_id, CURRENCY),
            ask.undelivered,
            lambda: ask.changes(limit=1),
            lambda: ask.find_by_task_id("nobodys"),
            # Both once more: the same reference and the same key change nothing.
            lambda: ask.topup(self.chat_id, currency=CURRENCY, amount=PRICE, reference=self.key),
            lambda: self.create("ok"),
        )
        for question in questions:
            await self._insist(question)

    async def drop_durable(self, durable: str) -> None:
        """Delete a durable reader of the bus, as nobody should."""
        js = self._client.jetstream()
        with suppress(NotFoundError):
            await js.delete_consumer(streams.CONSUMER[durable].stream, durable)

    async def read_again(self, durable: str, *, within: float) -> None:
        """Wait until a durable that was deleted is back and has handed out what there is; not for ever."""
        js = self._client.jetstream()

        async def read() -> bool:
            with suppress(NotFoundError):
                info = await js.consumer_info(streams.CONSUMER[durable].stream, durable)
                return not info.num_pending
            return False

        with suppress(TimeoutError):
            await eventually(read, within=within)

    @asynccontextmanager
    async def beside(self, service: str) -> AsyncIterator[None]:
        """Have a second replica of a service share its work, unless it does already."""
        twin = self._around.twins[service]
        was_there = twin.running
        if not was_there:
            await twin.start()
        try:
            yield
        finally:
            if not was_there:
                await twin.stop()

    async def publish(self, subject: str, payload: bytes) -> None:
        """Put a message onto the bus that no service of ours would."""
        await self._client.jetstream().publish(subject, payload)

    async def dead_letter(self, *, after: int = 0, of: str = "") -> int:
        """Wait for an open dead letter that holds this word, or the key of this life; returns its id."""

        async def kept() -> int | None:
            for letter in (await self.ops("dead.list", limit=500, first=after + 1))["letters"]:
                story = await self.ops("dead.show", id=letter["id"])
                if (of or self.key) in story["payload"]:
                    return int(letter["id"])
            return None

        return await eventually(kept, within=STEP_WITHIN)

    async def change(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Change something by hand, as an operator who says why."""
        return await self.ops(verb, who="ann", why="to see whether it holds", **fields)

    async def ops(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask as the operator's command line does."""
        while True:
            not_after = clock.SYSTEM.now() + timedelta(seconds=ANSWERS_WITHIN)
            asked = json.dumps({"not_after": not_after.isoformat(), **fields}).encode()
            try:
                reply = await self._client.request(
                    subjects.ops(verb), asked, timeout=ANSWERS_WITHIN
                )
            except (TimeoutError, nats.errors.Error):
                await asyncio.sleep(0.1)  # noqa: TID251 - the rate at which an operator asks again
                continue
            answer: dict[str, Any] = json.loads(reply.data)
            if not answer.get("error", {}).get("retryable"):
                return answer

    async def _pay(self) -> None:
        self.paid = PRICE
        await self._insist(
            lambda: self._sendonce.topup(
                self.chat_id, currency=CURRENCY, amount=PRICE, reference=self.key
            )
        )

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except (Unavailable, DeadlinePassed):
                continue

    def _input(self, plan: str) -> dict[str, str]:
        self.marker = f"{plan} {self.key}"
        return {"prompt": f"plan:{self.marker}"}

    def _options(self, asked: dict[str, Any]) -> Any:
        options = {"key": self.key, "chat_id": self.chat_id, "user_id": self.chat_id}
        return {**options, "price": PRICE, **asked}
