"""Five services under orders, on real servers and both doubles; one job at a time lives and is judged."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import nats
from nats.aio.client import Client

import crash
from chassis import clock
from contracts import subjects
from contracts.api import JobView
from contracts.ops import DoctorView
from contracts.values import JobState
from crash.child import ORDERS
from crash.lives import PRICE, Ended, Life, is_settled
from crash.points import SERVICES
from deployment import HMAC_KEY, KEY, TOKEN, eventually
from job_store.migrate import migrate_bus
from sendonce import SendOnce, Unavailable
from testkit.kie import FakeKie, Plan
from testkit.kie.profiles import Durations
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec, holds, python_module
from testkit.telegram import FakeTelegram

TESTS: Final = str(Path(crash.__file__).parents[1])
DIES_WITHIN: Final = 12.0  # seconds for a point to be reached after the job was asked for
SETTLES_WITHIN: Final = 60.0  # every lease once, an expiry, and a restart
ANSWERS_WITHIN: Final = 1.0  # seconds
EXPIRES_AFTER: Final = 25.0  # seconds; a submission nobody can know about ends then
FROZEN_FOR: Final = 5.0  # seconds; longer than the leases of whoever is frozen
QUICK: Final = Durations(shortest=0.05, longest=0.1)


class NotSettled(Exception):
    """A job did not come to rest; the message says where it stands."""


@dataclass(kw_only=True)
class Stage:
    """A deployment in which any service can be told where to die."""

    services: dict[str, ServiceProcess]
    orders: Path
    sendonce: SendOnce
    kie: FakeKie
    telegram: FakeTelegram
    client: Client

    async def doctor(self) -> list[str]:
        """Return the laws that do not hold; what is uncertain is for a person to see, and no break."""
        ask = {"not_after": (clock.SYSTEM.now() + timedelta(seconds=30)).isoformat()}
        reply = await self.client.request(
            subjects.ops("doctor"), json.dumps(ask).encode(), timeout=10
        )
        view = DoctorView.model_validate_json(reply.data)
        return [one.check for one in view.findings if not one.ok and one.check != "uncertain_parts"]

    def order(self, service: str, **order: str) -> None:
        """Give a service an order; it is obeyed once, at the next time the point is reached."""
        path = self._orders_of(service)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(order), "utf-8")
        fresh.rename(path)

    def take_back(self, service: str) -> None:
        """Take back an order that was not obeyed."""
        self._orders_of(service).unlink(missing_ok=True)

    def is_obeyed(self, service: str) -> bool:
        """Tell whether the service came to the point and obeyed."""
        return not self._orders_of(service).exists()

    async def undisturbed(self, life: Life) -> None:
        """Live through a job while nobody dies."""
        await self._settled(await self._ask(life, _key(life)), life)

    async def killed(self, service: str, life: Life) -> Ended | None:
        """Live through a job while a service dies; None when it never came to its point."""
        return await self._disturbed(life, lambda asking: self._died(service, asking, life))

    async def frozen(self, service: str, life: Life) -> Ended | None:
        """The same with a service that stands still for longer than its leases, then goes on."""
        return await self._disturbed(life, lambda _asking: self._stood_still(service))

    async def killed_when(self, service: str, life: Life, fact: Callable[[], bool]) -> Ended | None:
        """The same with a service that is killed as soon as something is so."""

        async def struck(_asking: "asyncio.Task[JobView]") -> bool:
            if not await holds(fact, within=DIES_WITHIN):
                return False
            await self.services[service].kill()
            await self.services[service].start()
            return True

        return await self._disturbed(life, struck)

    async def _disturbed(
        self, life: Life, fault: "Callable[[asyncio.Task[JobView]], Awaitable[bool]]"
    ) -> Ended | None:
        key = _key(life)
        asking = asyncio.create_task(self._ask(life, key))
        reached = await fault(asking)
        job = await self._settled(await asking, life)
        return await self._judged(life, job, key) if reached else None

    async def _ask(self, life: Life, key: str) -> JobView:
        user = 1 + uuid4().int % 10**9
        await self.sendonce.topup(user, currency="RUB", amount=PRICE, reference=key, timeout=60)
        return await self.sendonce.create(
            key=key,
            chat_id=user,
            user_id=user,
            model="nano-banana-2",
            input={"prompt": f"{life.prompt} {key}"},
            price=PRICE,
            timeout=60,
            **life.asked,
        )

    async def _died(self, service: str, asking: "asyncio.Task[JobView]", life: Life) -> bool:
        process = self.services[service]

        async def is_over() -> bool:
            if not process.running:
                return True
            if not asking.done():
                return False
            try:
                job = await self.sendonce.get(job_id=asking.result().id, timeout=ANSWERS_WITHIN)
            except Unavailable:  # job-store died in between
                return False
            return is_settled(job, life)

        with suppress(TimeoutError):
            await eventually(is_over, within=DIES_WITHIN)
        if process.running:
            self.take_back(service)
            return False
        await process.start()
        return True

    async def _stood_still(self, service: str) -> bool:
        if not await holds(lambda: self.is_obeyed(service), within=DIES_WITHIN):
            self.take_back(service)
            return False
        await asyncio.sleep(FROZEN_FOR)  # noqa: TID251 - the fault itself
        self.services[service].resume()
        return True

    async def _settled(self, job: JobView, life: Life) -> JobView:
        latest = job

        async def settled() -> bool:
            nonlocal latest
            latest = await self.sendonce.get(job_id=job.id, timeout=30)
            return is_settled(latest, life)

        try:
            await eventually(settled, within=SETTLES_WITHIN)
        except TimeoutError as late:
            parts = [(part.state, part.refusal) for part in latest.parts]
            raise NotSettled(
                f"{latest.state}, parts {parts}, after {SETTLES_WITHIN:.0f} s"
            ) from late
        return latest

    async def _judged(self, life: Life, job: JobView, key: str) -> Ended:
        await self.telegram.settle()
        contents = [part.url or part.text or "" for part in job.parts if part.ordinal]
        if life.ends is JobState.FAILED:
            contents = [f"Job {job.label}. Nothing was charged"]
        return Ended(
            life=life,
            job=job,
            showings=tuple(map(self.telegram.ever_shown_count, contents)),
            tasks=sum(key in json.dumps(task.request) for task in self.kie.tasks()),
        )

    def _orders_of(self, service: str) -> Path:
        return self.orders / f"{service}.json"


def _key(life: Life) -> str:
    return f"{life.name}-{uuid4()}"


@asynccontextmanager
async def stage(*, database_url: str, nats_url: str, directory: Path) -> AsyncIterator[Stage]:
    """Start everything; `database_url` is migrated already."""
    await migrate_bus(nats_url)
    orders = directory / "orders"
    orders.mkdir()
    async with AsyncExitStack() as stack:
        kie = FakeKie(hmac_key=HMAC_KEY, create_rate=None, durations=QUICK)
        await stack.enter_async_context(kie)
        kie.plan_marked("two", Plan(outputs=2))
        telegram = await stack.enter_async_context(FakeTelegram())
        telegram.add_bot(TOKEN)
        gateway = free_port()
        shared = {
            "NATS_URL": nats_url,
            "LOG_LEVEL": "warning",
            "DATABASE_URL": database_url,
            "PUBLIC_URL": f"http://{LOOPBACK}:{gateway}",
            "GATEWAY_PORT": str(gateway),
            "CALLBACK_KEYS": f"k1:{KEY}",
            "KIE_HMAC_KEYS": f"default:{HMAC_KEY}",
            "KIE_API_URL": kie.url,
            "KIE_API_KEY": kie.api_key,
            "KIE_CREATES_PER_10S": "100000",
            "TELEGRAM_API_URL": telegram.url,
            "TELEGRAM_SHARE": "1",
            "BOT_TOKEN": TOKEN,
            "POLL_AFTER_SECONDS": "1",
            "JOB_TTL_SECONDS": str(EXPIRES_AFTER),
        }
        services = {}
        for name in SERVICES:
            service = _process(name, shared, orders=orders, logs=directory)
            await service.start()
            stack.push_async_callback(service.stop)
            services[name] = service
        sendonce = await stack.enter_async_context(SendOnce(nats_url, bot="default"))
        client = await nats.connect(nats_url)
        stack.push_async_callback(client.close)
        yield Stage(
            services=services,
            orders=orders,
            sendonce=sendonce,
            kie=kie,
            telegram=telegram,
            client=client,
        )


def _process(name: str, shared: dict[str, str], *, orders: Path, logs: Path) -> ServiceProcess:
    port = free_port()
    env = {f"SENDONCE_{key}": value for key, value in shared.items()}
    return ServiceProcess(
        ServiceSpec(
            name=name,
            command=python_module("crash.child", name),
            log=logs / f"{name}.log",
            env=env
            | {
                "SENDONCE_HEALTH_PORT": str(port),
                "PYTHONPATH": TESTS,
                ORDERS: str(orders / f"{name}.json"),
            },
            ready_url=f"http://{LOOPBACK}:{port}/readyz",
        )
    )
