"""Services in two copies whose secrets stand in files, and who replaces them."""

import asyncio
import hashlib
import json
import secrets as random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

import aiohttp
import asyncpg
from typer.testing import CliRunner

from contracts.api import JobView
from contracts.permissions import MIGRATE, OPERATOR, USERS, bot_user
from contracts.values import JobState
from deployment import TOKEN, eventually
from ensemble import service
from job_store.migrate import migrate_bus
from job_store.privileges import STORE_ROLE
from nursery import nursery
from sendonce import SendOnce
from sendonce_cli.access.conf import of_table
from sendonce_cli.access.keys import Keys
from sendonce_cli.keeping import callback_key, write
from sendonce_cli.main import app
from testkit.kie import FakeKie, Plan
from testkit.links import Link
from testkit.logging_kept import logging_kept
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess
from testkit.processes.nursery import Nursery
from testkit.servers import Durability, NatsServer
from testkit.telegram import FakeTelegram, Limits

WITHIN: Final = 30.0
USER, CHAT = 7, 41
JSON: Final = {"Content-Type": "application/json"}
NEXT_KIE_KEY: Final = "the-next-key-of-the-account"
COPIES: Final = {
    "job_store": 2,
    "callback_gateway": 2,
    "submitter": 2,
    "deliverer": 2,
    "reconciler": 1,
}
# Which service reads which secret from a file.
READ_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "database_url": ("job_store",),
    "callback_keys": ("job_store", "callback_gateway"),
    "kie_hmac_keys": ("callback_gateway",),
    "kie_api_key": ("submitter", "reconciler"),
    "bot_token": ("job_store", "deliverer"),
}


@dataclass(kw_only=True)
class World:
    """The running system, and what its owner does by hand."""

    kie: FakeKie
    telegram: FakeTelegram
    nats: NatsServer
    keys: Keys
    files: Path
    owner_url: str  # of the database
    login: str  # of job-store there
    door: str  # where KIE calls back
    bot: SendOnce
    services: dict[str, list[ServiceProcess]]

    def file(self, service: str, name: str) -> Path:
        return self.files / service / name

    def read(self, service: str, name: str) -> str:
        return self.file(service, name).read_text().strip()

    def put(self, service: str, name: str, text: str) -> None:
        """Replace a secret of one service; nobody is told."""
        write(self.file(service, name), text)

    async def roll(self, *names: str) -> None:
        """Restart the copies of services, one after the other."""
        for name in names:
            for copy in self.services[name]:
                await copy.stop()
                await copy.start()

    def pids(self) -> list[int]:
        return [copy.pid for copies in self.services.values() for copy in copies]

    async def in_flight(self, key: str) -> JobView:
        """Have a job made that KIE works on until it `lands`."""
        self.kie.plan_marked(key, Plan(held=True))
        job = await self.bot.create(
            key=key,
            chat_id=CHAT,
            user_id=USER,
            model="nano-banana-2",
            input={"prompt": f"plan:{key}"},
        )
        return await self._until(job, JobState.RUNNING)

    def task_of(self, job: JobView) -> str:
        (task_id,) = [
            task.task_id for task in self.kie.tasks() if f"plan:{job.key}" in str(task.request)
        ]
        return task_id

    def finish(self, job: JobView) -> None:
        self.kie.finish(self.task_of(job))

    async def lands(self, job: JobView) -> None:
        """Finish a job's task; KIE is believed at its first word, and the result stands in the chat, once."""
        self.finish(job)
        await self.is_shown_once(job)
        assert self.kie.task(self.task_of(job)).polls == 0

    async def is_shown_once(self, job: JobView) -> None:
        shown = await self._until(job, JobState.DELIVERED)
        (part,) = shown.parts
        assert self.telegram.ever_shown_count(part.url or "") == 1

    async def _until(self, job: JobView, state: JobState) -> JobView:
        async def reached() -> JobView | None:
            found = await self.bot.get(job_id=job.id)
            return found if found.state is state else None

        return await eventually(reached, within=WITHIN)

    async def calls_back(
        self, url: str, task_id: str, headers: Mapping[str, str] = {}
    ) -> int | str:
        """Say to the gateway that KIE works on a task; returns how far that is believed, or the refusal's code."""
        said = {"code": 200, "data": {"taskId": task_id, "state": "generating", "n": str(uuid4())}}
        body = json.dumps(said).encode()
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=body, headers={**JSON, **headers}) as answer,
        ):
            if not answer.ok:
                return answer.status
        digest = hashlib.sha256(body).hexdigest()

        async def trust() -> str | None:
            found: str | None = await self.in_database(
                "SELECT trust || ' ' || hmac FROM sendonce.reports WHERE digest = $1", digest
            )
            return found

        return await eventually(trust, within=WITHIN)

    async def in_database(self, statement: str, *arguments: str) -> str | None:
        """Say something to Postgres as its owner; returns the first value."""
        owner = await asyncpg.connect(self.owner_url)
        try:
            found: str | None = await owner.fetchval(statement, *arguments)
            return found
        finally:
            await owner.close()

    async def eventually(self, query: str) -> None:
        """Wait until a query has an answer."""
        await eventually(lambda: self.in_database(query), within=WITHIN)

    async def command(self, *arguments: str) -> str:
        """Type a command as the operator."""
        env = {
            "SENDONCE_NATS_URL": self.nats.url,
            "SENDONCE_NATS_CREDS": str(self.keys.seed(OPERATOR)),
        }
        with logging_kept():
            done = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=env)
        assert done.exit_code == 0, done.output
        return done.stdout

    def address(self, password: str) -> str:
        """Return where job-store finds its database."""
        at = urlsplit(self.owner_url)
        return f"postgresql://{self.login}:{quote(password)}@{at.hostname}:{at.port}{at.path}"


@asynccontextmanager
async def world(directory: Path, *, owner_url: str) -> AsyncIterator[World]:
    """Start everything with the rights and files of production, and end it in order."""
    keys = Keys(directory / "keys")
    keys.ensure((*USERS, bot_user("default")))
    nats = NatsServer(
        directory / "nats", durability=Durability.KILL, more_config=of_table(keys.known())
    )
    gateways = [free_port() for _ in range(COPIES["callback_gateway"])]
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(nats)
        stack.push_async_callback(nats.discard)
        await migrate_bus(nats.url, creds=keys.seed(MIGRATE))
        made = World(
            kie=await enter(FakeKie(create_rate=None, more_api_keys=(NEXT_KIE_KEY,))),
            telegram=await enter(FakeTelegram(limits=Limits.off(), auto_bots=False)),
            nats=nats,
            keys=keys,
            files=directory / "secrets",
            owner_url=owner_url,
            login=f"rotating_{uuid4().hex}",
            door=f"http://{LOOPBACK}:{(await enter(Link(*gateways, port=free_port()))).port}/callbacks/kie",
            bot=SendOnce(nats.url, bot="default", creds=keys.seed(bot_user("default"))),
            services={},
        )
        made.telegram.add_bot(TOKEN)
        made.telegram.add_chat(CHAT, kind="private", title="chat")
        await enter(_logging_in(made))
        born = await enter(nursery(directory))
        made.services = _services(made, gateways, directory, born)
        started = [copy for copies in made.services.values() for copy in copies]
        for copy in started:
            copy.spawn()
            stack.push_async_callback(copy.stop)
        await asyncio.gather(*(copy.wait_ready() for copy in started))
        await enter(made.bot)
        yield made


@asynccontextmanager
async def _logging_in(made: World) -> AsyncIterator[None]:
    password = random.token_urlsafe(16)
    await made.in_database(
        f"CREATE ROLE {made.login} LOGIN PASSWORD '{password}' IN ROLE {STORE_ROLE}"
    )
    given = {
        "database_url": made.address(password),
        "callback_keys": callback_key("k1"),
        "kie_hmac_keys": "default:the-first-hmac-key",
        "kie_api_key": made.kie.api_key,
        "bot_token": TOKEN,
    }
    for name, readers in READ_BY.items():
        for reader in readers:
            made.put(reader, name, given[name])
    try:
        yield
    finally:
        await made.in_database(f"DROP ROLE {made.login}")


def _services(
    made: World, gateways: list[int], directory: Path, born: Nursery
) -> dict[str, list[ServiceProcess]]:
    services: dict[str, list[ServiceProcess]] = {name: [] for name in COPIES}
    for name, copies in COPIES.items():
        for number in range(copies):
            place = directory / f"copy-{number}"
            place.mkdir(exist_ok=True)
            told = {
                "NATS_URL": made.nats.url,
                "NATS_CREDS": str(made.keys.seed(name.replace("_", "-"))),
                "PUBLIC_URL": made.door.removesuffix("/callbacks/kie"),
                "GATEWAY_PORT": str(gateways[number]),
                "KIE_API_URL": made.kie.url,
                "TELEGRAM_API_URL": made.telegram.url,
                "MEDIA_FROM_LOOPBACK": "true",
                "POLL_AFTER_SECONDS": "600",  # what lands was called back
            } | {
                f"{secret.upper()}_FILE": str(made.file(name, secret))
                for secret, readers in READ_BY.items()
                if name in readers
            }
            services[name].append(service(name, told, logs=place, nursery=born))
    return services
