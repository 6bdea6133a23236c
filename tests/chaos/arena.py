"""What a chaos run fights in: servers, the links before them, two replicas of each service, both doubles."""

import base64
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nats
from nats.aio.client import Client

from chaos.keeper import READY_WITHIN, Keeper
from chaos.schedule import REPLICAS, SERVICES
from deployment import TOKEN
from ensemble import PATIENT
from job_store.migrate import migrate_bus, migrate_database
from sendonce_cli.demo.errands import Errand
from testkit.kie import SANDBOX_API_KEY, FakeKie
from testkit.links import CommitReplies, Link, PubAcks
from testkit.ports import LOOPBACK, free_port, port_of
from testkit.processes import ServiceSpec, python_module
from testkit.processes.nursery import Nursery, process_of
from testkit.servers import Durability, NatsServer, PostgresServer
from testkit.telegram import FakeTelegram, Limits

HANG: Final = 1.5  # seconds a hanging Telegram keeps silent
# A killed submitter's call may leave a task nobody will ever tell of; its job must end in the run.
EXPIRES_AFTER: Final = 90
# No pace at KIE: its refusals are drawn for each job here, and each holds all of an account back for up to 15 s.
KIE_PACE: Final = "100000"


@dataclass(kw_only=True)
class Arena:
    """A running system and everything that can be done to it."""

    directory: Path
    nats: NatsServer
    postgres: PostgresServer
    kie: FakeKie
    telegram: FakeTelegram
    links: dict[str, Link]
    commit_replies: CommitReplies
    pubacks: PubAcks
    keeper: Keeper
    direct: Client  # past every link: for whoever judges

    @property
    def bus(self) -> str:
        """NATS as a bot reaches it: through the link."""
        return f"nats://{LOOPBACK}:{self.links['nats'].port}"

    @property
    def gateway_url(self) -> str:
        """Where KIE calls back: either gateway, through the link."""
        return f"http://{LOOPBACK}:{self.links['gateway'].port}"


@asynccontextmanager
async def arena(
    directory: Path, errands: tuple[Errand, ...], *, seed: int, nursery: Nursery | None = None
) -> AsyncIterator[Arena]:
    """Start everything, and end it in order; services are forked when there is a nursery."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        postgres = await enter(PostgresServer(directory / "postgres", durability=Durability.KILL))
        bus = await enter(NatsServer(directory / "nats", durability=Durability.KILL))
        await migrate_database(postgres.url)
        await migrate_bus(bus.url)
        hmac_key = secrets.token_urlsafe(24)
        kie = await enter(_kie(errands, seed=seed, hmac_key=hmac_key))
        telegram = await enter(
            FakeTelegram(seed=seed, faults="hard", limits=Limits(), hang_seconds=HANG)
        )
        for chat in {errand.chat_id for errand in errands}:
            telegram.add_chat(chat, kind="private", title=str(chat))
        commit_replies, pubacks = CommitReplies(), PubAcks()
        gateways = [free_port() for _ in range(REPLICAS)]
        links = {
            "nats": Link(bus.port, port=free_port(), robber=pubacks),
            "postgres": Link(postgres.port, port=free_port(), robber=commit_replies),
            "gateway": Link(*gateways, port=free_port()),
            "kie": Link(port_of(kie.url), port=free_port()),
            "telegram": Link(port_of(telegram.url), port=free_port()),
        }
        for link in links.values():
            await enter(link)
        told = _told(links, postgres, hmac_key)
        own = _specs(told, gateways=gateways, logs=directory / "logs")
        keeper = Keeper({spec.name: process_of(spec, nursery) for spec in own})
        await enter(keeper)
        direct = await nats.connect(bus.url, **PATIENT)
        stack.push_async_callback(direct.close)
        yield Arena(
            directory=directory,
            nats=bus,
            postgres=postgres,
            kie=kie,
            telegram=telegram,
            links=links,
            commit_replies=commit_replies,
            pubacks=pubacks,
            keeper=keeper,
            direct=direct,
        )


def _kie(errands: tuple[Errand, ...], *, seed: int, hmac_key: str) -> FakeKie:
    kie = FakeKie(seed=seed, hmac_key=hmac_key, create_rate=None, keep_tasks=8 * len(errands))
    for errand in errands:
        kie.plan_marked(errand.marker, errand.plan)
    return kie


def _told(links: dict[str, Link], postgres: PostgresServer, hmac_key: str) -> dict[str, str]:
    """Return what every service is told: the links' addresses, never what stands behind them."""
    at = {name: f"{LOOPBACK}:{link.port}" for name, link in links.items()}
    database = postgres.url.replace(f"{LOOPBACK}:{postgres.port}", at["postgres"])
    signing = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        "NATS_URL": f"nats://{at['nats']}",
        "DATABASE_URL": database,
        "PUBLIC_URL": f"http://{at['gateway']}",
        "CALLBACK_KEYS": f"chaos:{signing}",
        "KIE_HMAC_KEYS": f"default:{hmac_key}",
        "KIE_API_URL": f"http://{at['kie']}",
        "KIE_API_KEY": SANDBOX_API_KEY,
        "KIE_CREATES_PER_10S": KIE_PACE,
        "TELEGRAM_API_URL": f"http://{at['telegram']}",
        "MEDIA_FROM_LOOPBACK": "true",
        "TELEGRAM_SHARE": "1",
        "BOT_TOKEN": TOKEN,
        "POLL_AFTER_SECONDS": "2",
        "JOB_TTL_SECONDS": str(EXPIRES_AFTER),
        "LOG_LEVEL": "info",
    }


def _specs(told: dict[str, str], *, gateways: list[int], logs: Path) -> Iterator[ServiceSpec]:
    for service in SERVICES:
        for number, gateway in enumerate(gateways, start=1):
            name, health = f"{service}-{number}", free_port()
            own = {**told, "HEALTH_PORT": str(health), "GATEWAY_PORT": str(gateway)}
            yield ServiceSpec(
                name=name,
                command=python_module(service.replace("-", "_")),
                log=logs / f"{name}.log",
                env={f"SENDONCE_{key}": value for key, value in own.items()},
                ready_url=f"http://{LOOPBACK}:{health}/readyz",
                ready_within=READY_WITHIN,
            )
