"""Five services, NATS, Postgres, KIE and Telegram as one thing that tests drive through the SDK."""

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
UNLIMITED = 100_000  # creates in 10 s: what is tested is not the pace
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


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the settings of all services are made of."""

    nats_url: str
    store_url: str
    port: int  # of the gateway
    public_url: str | None
    poll_after: float
    kie: FakeKie
    telegram: FakeTelegram


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
        enter = stack.enter_async_context
        kie = await enter(FakeKie(seed=seed, profile=faults, hmac_key=HMAC_KEY, create_rate=None))
        telegram = await enter(FakeTelegram(seed=seed, faults=faults))
        telegram.add_bot(TOKEN)
        told = _Told(
            nats_url=nats_url,
            # With job-store's own rights, however the tests reach the database.
            store_url=store_url or as_role(database_url, STORE_ROLE),
            port=port,
            public_url=gateway_url if public else None,
            poll_after=poll_after,
            kie=kie,
            telegram=telegram,
        )
        for module, settings in _services(told):
            known = settings.model_copy(update={"nats_creds": creds(module.NAME)})
            await enter(lifecycle.service(module.build, known, name=module.NAME))
        client = await enter(SendOnce(nats_url, bot="default", creds=creds(bot_user("default"))))
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


def _services(told: _Told) -> Iterator[tuple[Any, Any]]:
    """Say of each service, in the order of their start, what it is told."""
    everybody: Any = {"nats_url": told.nats_url, "log_level": "warning"}
    at_kie: Any = {"kie_api_url": told.kie.url, "kie_api_key": SecretStr(told.kie.api_key)}
    keys, token = SecretStr(f"k1:{KEY}"), SecretStr(TOKEN)
    yield (
        job_store.app,
        job_store.app.Settings(
            database_url=SecretStr(told.store_url),
            public_url=told.public_url,
            callback_keys=keys,
            bot_token=token,
            kie_creates_per_10s=UNLIMITED,
            telegram_share=1,
            poll_after_seconds=told.poll_after,
            **everybody,
        ),
    )
    yield (
        callback_gateway.app,
        callback_gateway.settings.Settings(
            gateway_port=told.port,
            callback_keys=keys,
            kie_hmac_keys=SecretStr(f"default:{HMAC_KEY}"),
            **everybody,
        ),
    )
    yield (
        submitter.app,
        submitter.app.Settings(kie_creates_per_10s=UNLIMITED, **at_kie, **everybody),
    )
    yield reconciler.app, reconciler.app.Settings(**at_kie, **everybody)
    yield (
        deliverer.app,
        deliverer.app.Settings(
            bot_token=token,
            telegram_api_url=told.telegram.url,
            media_from_loopback=True,
            **everybody,
        ),
    )
