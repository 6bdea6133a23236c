"""Five services, NATS, Postgres, KIE and Telegram as one thing that tests drive through the SDK."""

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import nats
from nats.aio.client import Client
from pydantic import SecretStr

import callback_gateway.app
import callback_gateway.settings
import deliverer.app
import job_store.app
import reconciler.app
import submitter.app
from chassis import clock, lifecycle
from contracts import subjects
from contracts.api import JobView
from contracts.permissions import MIGRATE, OPERATOR, bot_user
from contracts.values import JobState
from job_store.migrate import migrate_bus
from job_store.privileges import STORE_ROLE, as_role
from sendonce import SendOnce
from sendonce_cli.asking import connect
from testkit.kie import FakeKie
from testkit.ports import free_port
from testkit.processes import environment
from testkit.telegram import FakeTelegram

T = TypeVar("T")
Creds = Callable[[str], Path | None]
COMMAND = (sys.executable, "-c", "from sendonce_cli.main import app; app()")
TOKEN = "123456789:AAsandboxsandboxsandboxsandboxsandbo"
KEY = base64.b64encode(b"a callback key of enough bytes").decode()
HMAC_KEY = "webhook-key"
FINAL = frozenset(
    {
        JobState.DELIVERED,
        JobState.FAILED,
        JobState.UNDELIVERABLE,
        JobState.EXPIRED,
        JobState.CANCELLED,
    }
)


@dataclass(kw_only=True)
class Deployment:
    kie: FakeKie
    telegram: FakeTelegram
    sendonce: SendOnce
    gateway_url: str
    nats_url: str
    database_url: str
    client: Client

    async def until_final(self, *jobs: JobView, within: float = 30) -> list[JobView]:
        """Wait until these jobs have ended and nothing more is shown about them."""

        async def ended() -> list[JobView] | None:
            found = [await self.sendonce.get(job_id=job.id) for job in jobs]
            return found if all(job.state in FINAL for job in found) else None

        return await eventually(ended, within=within)

    async def until_part(self, job: JobView, state: str, within: float = 15) -> None:
        """Wait until a part of the job is in this state."""

        async def reached() -> bool:
            found = await self.sendonce.get(job_id=job.id)
            return any(part.state == state for part in found.parts)

        await eventually(reached, within=within)

    async def eventually(self, fact: Callable[[], Awaitable[T | None]], within: float = 15) -> T:
        return await eventually(fact, within=within)

    async def ops(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask as the operator's command line does."""
        body = {"not_after": (clock.SYSTEM.now() + timedelta(seconds=30)).isoformat()} | fields
        reply = await self.client.request(subjects.ops(verb), json.dumps(body).encode(), timeout=10)
        answer: dict[str, Any] = json.loads(reply.data)
        return answer

    async def command(self, *arguments: str, columns: int = 200) -> str:
        """Type a command as an operator does, and return what it says; it must succeed."""
        # A process of its own: the command quietens the logs of the one it runs in.
        typed = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            env=environment({"SENDONCE_NATS_URL": self.nats_url, "COLUMNS": str(columns)}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await typed.communicate()
        assert typed.returncode == 0, said.decode()
        return said.decode()

    async def until_state(self, job: JobView, *states: JobState, within: float = 15) -> JobView:
        async def reached() -> JobView | None:
            found = await self.sendonce.get(job_id=job.id)
            return found if found.state in states else None

        return await eventually(reached, within=within)

    def showings(self, job: JobView) -> list[int]:
        """In how many messages each result of a job has ever stood."""
        return [
            self.telegram.ever_shown_count(part.url or part.text or "")
            for part in job.parts
            if part.ordinal
        ]


async def eventually(fact: Callable[[], Awaitable[T | None]], *, within: float) -> T:
    """Wait for a fact: anything true. Raises ``TimeoutError`` with the last answer."""
    deadline = time.monotonic() + within
    while True:
        found = await fact()
        if found:
            return found
        if time.monotonic() > deadline:
            msg = f"not within {within} s: {fact.__qualname__} last said {found!r}"
            raise TimeoutError(msg)
        await asyncio.sleep(0.02)  # noqa: TID251 - the rate at which a fact is looked at


def nobodys(_user: str) -> None:
    """Have no credentials, for a NATS that asks for none."""


@asynccontextmanager
async def deployed(
    *,
    database_url: str,
    nats_url: str,
    faults: str = "none",
    public: bool = True,
    poll_after: float = 1.0,
    seed: int = 1,
    creds: Creds = nobodys,
    store_url: str | None = None,
) -> AsyncIterator[Deployment]:
    """Start everything in this event loop; services are stopped in reverse order.

    `creds` says by which file each user is known to NATS, `store_url` as whom job-store reaches Postgres.
    """
    await migrate_bus(nats_url, creds=creds(MIGRATE))
    port = free_port()
    gateway_url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        kie = await stack.enter_async_context(
            FakeKie(seed=seed, profile=faults, hmac_key=HMAC_KEY, create_rate=None)
        )
        telegram = await stack.enter_async_context(FakeTelegram(seed=seed, faults=faults))
        telegram.add_bot(TOKEN)
        keys = SecretStr(f"k1:{KEY}")
        key = SecretStr(kie.api_key)
        parts = [
            (
                job_store.app,
                job_store.app.Settings(
                    nats_url=nats_url,
                    log_level="warning",
                    # With job-store's own rights, however the tests reach the database.
                    database_url=SecretStr(store_url or as_role(database_url, STORE_ROLE)),
                    public_url=gateway_url if public else None,
                    callback_keys=keys,
                    bot_token=SecretStr(TOKEN),
                    kie_creates_per_10s=100_000,
                    telegram_share=1,
                    poll_after_seconds=poll_after,
                ),
            ),
            (
                callback_gateway.app,
                callback_gateway.settings.Settings(
                    nats_url=nats_url,
                    log_level="warning",
                    gateway_port=port,
                    callback_keys=keys,
                    kie_hmac_keys=SecretStr(f"default:{HMAC_KEY}"),
                ),
            ),
            (
                submitter.app,
                submitter.app.Settings(
                    nats_url=nats_url,
                    log_level="warning",
                    kie_api_url=kie.url,
                    kie_api_key=key,
                    kie_creates_per_10s=100_000,
                ),
            ),
            (
                reconciler.app,
                reconciler.app.Settings(
                    nats_url=nats_url, log_level="warning", kie_api_url=kie.url, kie_api_key=key
                ),
            ),
            (
                deliverer.app,
                deliverer.app.Settings(
                    nats_url=nats_url,
                    log_level="warning",
                    bot_token=SecretStr(TOKEN),
                    telegram_api_url=telegram.url,
                    media_from_loopback=True,
                ),
            ),
        ]
        for module, told in parts:
            settings = told.model_copy(update={"nats_creds": creds(module.NAME)})
            await stack.enter_async_context(
                lifecycle.service(module.build, settings, name=module.NAME)
            )
        client = await stack.enter_async_context(
            SendOnce(nats_url, bot="default", creds=creds(bot_user("default")))
        )
        operator = creds(OPERATOR)
        raw = await (connect(nats_url, creds=operator) if operator else nats.connect(nats_url))
        stack.push_async_callback(raw.close)
        yield Deployment(
            kie=kie,
            telegram=telegram,
            sendonce=client,
            gateway_url=gateway_url,
            nats_url=nats_url,
            database_url=database_url,
            client=raw,
        )
