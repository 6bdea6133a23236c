"""Five services under orders, on real servers and both doubles."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import nats
from nats.aio.client import Client

from contracts import streams
from crash.book import OrderBook
from crash.bot import Around, Bot
from crash.child import ORDERS
from crash.points import SERVICES
from crash.wires import wired
from deployment import HMAC_KEY, KEY, TOKEN
from ensemble import PATIENT
from job_store.migrate import migrate_bus, migrate_database
from sendonce import SendOnce
from testkit.kie import FakeKie, Plan
from testkit.kie.profiles import Durations
from testkit.links import Link
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec, python_module
from testkit.processes.nursery import Nursery, process_of
from testkit.servers import PostgresServer
from testkit.telegram import FakeTelegram

# Longer than any life in which Postgres is put back; what is older the streams of a long run forget.
KEPT_FOR: Final = timedelta(seconds=30)
EXPIRES_AFTER: Final = 25.0  # seconds; a submission nobody can know about ends then
QUIET_WITHIN: Final = (
    40.0  # seconds for whoever stood still to be heard, and be told that it is late
)
QUICK: Final = Durations(shortest=0.05, longest=0.1)


@dataclass(frozen=True, kw_only=True)
class Stage(Around):
    """A deployment in which any service can be told where to die."""

    services: dict[str, ServiceProcess]
    orders: OrderBook
    _sendonce: SendOnce
    _client: Client = field(repr=False)

    def bot(self) -> Bot:
        """Return a bot for one life."""
        return Bot(self._sendonce, self._client, self)

    async def doctor(self) -> list[str]:
        """Return the laws that do not hold; what is uncertain is for a person to see, and no break."""
        findings = (await self.bot().ops("doctor"))["findings"]
        broken = [one["check"] for one in findings if not one["ok"]]
        return [check for check in broken if check != "uncertain_parts"]

    async def unrest(self, *, of_workers: bool) -> list[str]:
        """Return what job-store has still to hear or to send on; and what a worker holds, if asked."""
        status = await self.bot().ops("status")
        found = [name for name in ("effects_acting", "outbox_rows") if status[name]]
        js = self._client.jetstream()
        for durable, spec in streams.CONSUMER.items():
            if not of_workers and not durable.startswith("job-store"):
                continue
            info = await js.consumer_info(spec.stream, durable)
            if info.num_ack_pending or info.num_pending:
                found.append(f"{durable} {info.num_ack_pending} unacked {info.num_pending} unread")
        return found


@asynccontextmanager
async def stage(
    *, postgres: PostgresServer | None, nats_url: str, directory: Path, nursery: Nursery
) -> AsyncIterator[Stage]:
    """Start everything, on a Postgres of its own or on a journal."""
    if postgres is not None:
        await migrate_database(postgres.url)
    await migrate_bus(nats_url)
    orders, never, secrets = (directory / name for name in ("orders", "twins", "secrets"))
    orders.mkdir()
    secrets.mkdir()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        kie = await enter(_kie())
        telegram = await enter(FakeTelegram(auto_bots=False))
        telegram.add_bot(TOKEN)
        gateways = [free_port(), free_port()]
        door = await enter(Link(*gateways, port=free_port()))
        told = _told(kie, telegram, door) | _stored(postgres, directory)
        told |= {"NATS_URL": nats_url, "SECRETS_DIR": str(secrets)}
        wires, told = await enter(wired(told))
        services = _processes(told, nursery, port=gateways[0], orders=orders, logs=directory)
        twins = _processes(told, nursery, port=gateways[1], orders=never, logs=never)
        for process in (*services.values(), *twins.values()):
            stack.push_async_callback(process.stop)
        for process in services.values():
            await process.start()
        sendonce = await enter(SendOnce(nats_url, bot="default"))
        client = await nats.connect(nats_url, **PATIENT)
        stack.push_async_callback(client.close)
        yield Stage(
            services=services,
            twins=twins,
            kie=kie,
            telegram=telegram,
            gateway_url=f"http://{LOOPBACK}:{door.port}",
            wires=wires,
            orders=OrderBook(orders),
            postgres=postgres,
            secrets=secrets,
            _sendonce=sendonce,
            _client=client,
        )


def _kie() -> FakeKie:
    port = free_port()
    kie = FakeKie(
        port=port,
        public_url=f"http://localhost:{port}",  # results lie at a name, as in the world
        hmac_key=HMAC_KEY,
        create_rate=None,
        durations=QUICK,
    )
    kie.plan_marked("two", Plan(outputs=2))
    return kie


def _told(kie: FakeKie, telegram: FakeTelegram, door: Link) -> dict[str, str]:
    return {
        "LOG_LEVEL": "warning",
        "PUBLIC_URL": f"http://{LOOPBACK}:{door.port}",
        "CALLBACK_KEYS": f"k1:{KEY}",
        "KIE_HMAC_KEYS": f"default:{HMAC_KEY}",
        "KIE_API_URL": kie.url,
        "KIE_API_KEY": kie.api_key,
        "KIE_CREATES_PER_10S": "100000",
        "TELEGRAM_API_URL": telegram.url,
        "MEDIA_FROM_LOOPBACK": "true",
        "TELEGRAM_SHARE": "1",
        "BOT_TOKEN": TOKEN,
        "POLL_AFTER_SECONDS": "1",
        "JOB_TTL_SECONDS": str(EXPIRES_AFTER),
        "KEEP_STREAMS_DAYS": str(KEPT_FOR / timedelta(days=1)),
        # Limits that nobody comes to: counting for them is what is attacked.
        **{f"{who}_JOBS_PER_MINUTE": "100000" for who in ("USER", "BOT")},
        **{f"{who}_OPEN_JOBS": "10000" for who in ("USER", "BOT")},
    }


def _stored(postgres: PostgresServer | None, directory: Path) -> dict[str, str]:
    if postgres is None:
        return {"STORAGE": "json", "DATA_DIR": str(directory / "data")}
    return {"DATABASE_URL": postgres.url}


def _processes(
    told: Mapping[str, str], nursery: Nursery, *, port: int, orders: Path, logs: Path
) -> dict[str, ServiceProcess]:
    return {
        name: process_of(_spec(name, told, port=port, orders=orders, logs=logs), nursery)
        for name in SERVICES
    }


def _spec(
    name: str, told: Mapping[str, str], *, port: int, orders: Path, logs: Path
) -> ServiceSpec:
    health = free_port()
    own = {**told, "GATEWAY_PORT": str(port), "HEALTH_PORT": str(health)}
    return ServiceSpec(
        name=name,
        command=python_module(name),
        log=logs / f"{name}.log",
        env={f"SENDONCE_{key}": value for key, value in own.items()}
        | {ORDERS: str(orders / f"{name}.json")},
        ready_url=f"http://{LOOPBACK}:{health}/readyz",
    )
