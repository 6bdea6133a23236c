"""Sendonce as five processes, and what the bench asks of it."""

import asyncio
import base64
import json
import time
import zlib
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import nats

from bench.doubles.kie import finished
from bench.ground import HMAC_KEY, Ground
from bench.play import Prepared, with_code
from contracts import subjects
from kie.tokens import CallbackToken, mint
from sendonce import SendOnce
from sendonce_cli.settings import DELIVERER, GATEWAY, RECONCILER, STORE, SUBMITTER
from sendonce_cli.stack.services import START_ORDER, ServicePlan, Wiring, plan_services
from testkit.kie import signing
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec, python_module

BOTS: Final = ("default", "second")
TOKENS: Final = {name: f"700000000{no}:" + name.ljust(35, "x") for no, name in enumerate(BOTS)}
KEY: Final = "bench:" + base64.b64encode(b"a callback key of enough bytes").decode()
AT_ONCE: Final = 48  # requests of the bot side by side
NEVER: Final = "3600"  # seconds; nobody polls while callbacks are measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How this deployment differs from another."""

    telegram_url: str
    paced: bool = False
    deliverers: int = 1
    measured: bool = True  # else nothing is counted
    otlp_endpoint: str | None = None
    trace_ratio: float = 1.0


@dataclass(kw_only=True)
class System:
    """A running deployment."""

    services: dict[str, ServiceProcess]
    plans: dict[str, ServicePlan]
    start_seconds: dict[str, float]
    gateway_url: str
    bots: dict[str, SendOnce]

    @property
    def pids(self) -> list[int]:
        """The processes of the services."""
        return [service.pid for service in self.services.values()]

    async def registered(
        self, marks: Collection[str], *, bots: Iterable[str] = BOTS[:1]
    ) -> list[Prepared]:
        """Make a running job for each mark, evenly over the bots, and its callback."""
        slots, names = asyncio.Semaphore(AT_ONCE), tuple(bots)

        async def one(number: int, mark: str) -> Prepared:
            async with slots:
                return await self._register(self.bots[names[number % len(names)]], mark)

        return await asyncio.gather(*(one(number, mark) for number, mark in enumerate(marks)))

    async def _register(self, bot: SendOnce, mark: str) -> Prepared:
        chat = chat_of(mark)
        job = await bot.expect(
            key=mark, chat_id=chat, user_id=chat, status="none", notify="fresh", timeout=60
        )
        await bot.attach(job.id, f"task-{mark}", timeout=60)
        return _callback(urlsplit(job.callback_url or "").path, mark)


def chat_of(mark: str) -> int:
    """A private chat for each mark, so that no chat's own pace is met."""
    return 1 + zlib.crc32(mark.encode())


@asynccontextmanager
async def system(ground: Ground, wish: Wish, *, workplace: Path) -> AsyncIterator[System]:
    """Start the services one after the other on an empty database and empty streams."""
    await ground.new_streams()
    database_url = await ground.migrated_database()
    gateway_port = free_port()
    plans = plan_services(
        _wiring(ground, wish, database_url=database_url, gateway_port=gateway_port,
                secrets=_secrets(workplace)),
        logs=workplace / "logs",
    )  # fmt: skip
    services = {name: _process(plans[name], wish) for name in START_ORDER}
    for number in range(2, wish.deliverers + 1):
        plan = _another(plans[DELIVERER], number)
        plans[plan.name] = plan
        services[plan.name] = _process(plan, wish, module="deliverer")
    async with AsyncExitStack() as stack:
        seconds = {}
        for name, service in services.items():
            began = time.monotonic()
            stack.push_async_callback(service.stop)
            await service.start()
            seconds[name] = time.monotonic() - began
        await _add_bots(ground.nats.url)
        bots = {
            name: await stack.enter_async_context(SendOnce(ground.nats.url, bot=name))
            for name in BOTS
        }
        yield System(
            services=services,
            plans=plans,
            start_seconds=seconds,
            gateway_url=f"http://{LOOPBACK}:{gateway_port}",
            bots=bots,
        )


@asynccontextmanager
async def gateway_alone(ground: Ground, *, workplace: Path) -> AsyncIterator[tuple[str, int]]:
    """Start the gateway and nobody who reads what it stores; its address and process id."""
    await ground.new_streams()
    port = free_port()
    wish = Wish(telegram_url=ground.screen.url, paced=True)
    wiring = _wiring(
        ground,
        wish,
        database_url="",
        gateway_port=port,
        secrets=workplace,
    )
    plan = plan_services(wiring, logs=workplace / "logs")[GATEWAY]
    async with _process(plan, wish) as gateway:
        yield f"http://{LOOPBACK}:{port}", gateway.pid


def signed_callback(mark: str) -> Prepared:
    """A callback with a valid token, of a job nobody made."""
    key_id, _, encoded = KEY.partition(":")
    token = CallbackToken(key_id=key_id, job_id=uuid4(), attempt=1)
    return _callback(f"/callbacks/kie/{mint(token, base64.b64decode(encoded))}", mark)


def _callback(path: str, mark: str) -> Prepared:
    task_id = f"task-{mark}"
    return Prepared(
        mark=mark,
        path=path,
        body=finished(task_id, mark=mark).decode(),
        headers=signing.signed_headers(key=HMAC_KEY, task_id=task_id, timestamp=int(time.time())),
    )


def _process(plan: ServicePlan, wish: Wish, *, module: str | None = None) -> ServiceProcess:
    unpaced = plan.name == STORE and not wish.paced
    runs = ("bench.unpaced" if unpaced else module or plan.module,)
    return ServiceProcess(
        ServiceSpec(
            name=plan.name,
            command=python_module(*(runs if wish.measured else ("bench.unmeasured", *runs))),
            log=plan.log,
            env=with_code(dict(plan.env)),
            ready_url=f"{plan.health_url}/readyz",
        )
    )


def _another(plan: ServicePlan, number: int) -> ServicePlan:
    port = free_port()
    return ServicePlan(
        name=f"{plan.name}-{number}",
        env={**plan.env, "SENDONCE_HEALTH_PORT": str(port)},
        health_port=port,
        log=plan.log.with_name(f"{plan.name}-{number}.log"),
    )


def _wiring(
    ground: Ground, wish: Wish, *, database_url: str, gateway_port: int, secrets: Path
) -> Wiring:
    kie = {"KIE_API_URL": ground.kie.url, "KIE_API_KEY": "bench"}
    store = {
        "DATABASE_URL": database_url,
        "PUBLIC_URL": f"http://{LOOPBACK}:{gateway_port}",
        "CALLBACK_KEYS": KEY,
        "BOT_TOKEN": TOKENS["default"],
        "KIE_CREATES_PER_10S": "100000",
        "POLL_AFTER_SECONDS": NEVER,
    }
    traces = {"OTLP_ENDPOINT": wish.otlp_endpoint, "TRACE_RATIO": str(wish.trace_ratio)}
    return Wiring(
        shared={"NATS_URL": ground.nats.url}
        | {name: value for name, value in traces.items() if value is not None},
        own={
            STORE: store | ({"TELEGRAM_SHARE": "1"} if wish.paced else {}),
            GATEWAY: {
                "GATEWAY_PORT": str(gateway_port),
                "CALLBACK_KEYS": KEY,
                "KIE_HMAC_KEYS": f"default:{HMAC_KEY}",
            },
            SUBMITTER: {**kie, "KIE_CREATES_PER_10S": "100000"},
            RECONCILER: kie,
            DELIVERER: {
                "TELEGRAM_API_URL": wish.telegram_url,
                "MEDIA_FROM_LOOPBACK": "true",
                "BOT_TOKEN": TOKENS["default"],
                "SECRETS_DIR": str(secrets),
            },
        },
    )


def _secrets(workplace: Path) -> Path:
    directory = workplace / "secrets"
    directory.mkdir(parents=True, exist_ok=True)
    for name, token in TOKENS.items():
        (directory / name).write_text(token, "utf-8")
    return directory


async def _add_bots(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    try:
        for name in BOTS[1:]:
            deadline = datetime.now(UTC) + timedelta(seconds=30)  # noqa: TID251 - asked of a server
            ask = {"slug": name, "token_ref": name, "not_after": deadline.isoformat()}
            answer = await client.request(
                subjects.ops("bots.add"), json.dumps(ask).encode(), timeout=10
            )
            if b'"error"' in answer.data:
                raise RuntimeError(answer.data.decode())
    finally:
        await client.close()
