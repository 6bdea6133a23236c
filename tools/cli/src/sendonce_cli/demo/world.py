"""Everything a demo runs on: embedded servers, five services, a sandbox KIE and a sandbox Telegram."""

import base64
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.permissions import MIGRATE
from sendonce_cli.demo.errands import Errand
from sendonce_cli.demo.options import Faults
from sendonce_cli.demo.outside import InProcess
from sendonce_cli.settings import (
    DELIVERER,
    GATEWAY,
    RECONCILER,
    STORE,
    SUBMITTER,
    Storage,
    traced,
)
from sendonce_cli.stack import migration
from sendonce_cli.stack.servers import Addresses, servers
from sendonce_cli.stack.services import (
    Wiring,
    as_process,
    plan_services,
    start_all,
    stop_all,
)
from sendonce_cli.stack.supply import rights
from testkit.kie import SANDBOX_API_KEY, FakeKie
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess
from testkit.telegram import FakeTelegram, Limits

BOT: Final = "default"
HANG: Final = 1.5  # seconds a hanging Telegram keeps silent; the real one may take longer
# A killed submitter's call may leave a task nobody will ever tell of; its job must expire in the run.
EXPIRES_AFTER: Final = {Faults.NONE: 120, Faults.LIGHT: 120, Faults.HARD: 150}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running system and its hostile surroundings."""

    kie: FakeKie
    telegram: FakeTelegram
    addresses: Addresses
    services: dict[str, ServiceProcess]
    gateway_url: str
    hmac_key: str
    logs: Path

    @property
    def outside(self) -> InProcess:
        """Both sandboxes, as who drives and judges sees them."""
        return InProcess(self.kie, self.telegram)

    @property
    def chat_page(self) -> str:
        """Where a browser sees every chat."""
        return self.telegram.url


@asynccontextmanager
async def world(
    directory: Path,
    *,
    errands: tuple[Errand, ...],
    faults: Faults,
    seed: int,
    storage: Storage,
    say: Say,
) -> AsyncIterator[World]:
    """Start everything, and end it in order."""
    hmac_key = secrets.token_urlsafe(24)
    async with AsyncExitStack() as stack:
        say("starting NATS and Postgres" if storage is Storage.POSTGRES else "starting NATS")
        addresses = await stack.enter_async_context(servers(directory, storage=storage))
        kie = await stack.enter_async_context(_kie(errands, seed=seed, hmac_key=hmac_key))
        telegram = await stack.enter_async_context(_telegram(errands, faults=faults, seed=seed))
        say("making schema and streams")
        creds = addresses.creds(MIGRATE)
        await migration.up(addresses.database_url or None, addresses.nats_url, creds=creds)
        gateway_port = free_port()
        gateway_url = f"http://{LOOPBACK}:{gateway_port}"
        wiring = _wiring(
            addresses,
            kie_url=kie.url,
            telegram_url=telegram.url,
            hmac_key=hmac_key,
            gateway_port=gateway_port,
            expires_after=EXPIRES_AFTER[faults],
        )
        logs = directory / "logs"
        services = {
            name: as_process(plan) for name, plan in plan_services(wiring, logs=logs).items()
        }
        stack.push_async_callback(stop_all, services.values())
        say("starting five services")
        await start_all(services.values())
        yield World(
            kie=kie,
            telegram=telegram,
            addresses=addresses,
            services=services,
            gateway_url=gateway_url,
            hmac_key=hmac_key,
            logs=logs,
        )


def _kie(errands: tuple[Errand, ...], *, seed: int, hmac_key: str) -> FakeKie:
    kie = FakeKie(
        seed=seed, hmac_key=hmac_key, create_rate=None, keep_tasks=4 * len(errands) + 1_000
    )
    for errand in errands:
        kie.plan_marked(errand.marker, errand.plan)
    return kie


def _telegram(errands: tuple[Errand, ...], *, faults: Faults, seed: int) -> FakeTelegram:
    telegram = FakeTelegram(seed=seed, faults=faults.value, limits=Limits(), hang_seconds=HANG)
    for user in {errand.user for errand in errands}:
        telegram.add_chat(user.id, kind="private", title=user.name)
    return telegram


def _wiring(
    addresses: Addresses,
    *,
    kie_url: str,
    telegram_url: str,
    hmac_key: str,
    gateway_port: int,
    expires_after: int,
) -> Wiring:
    signing = base64.b64encode(secrets.token_bytes(32)).decode()
    known_by = rights(addresses)
    return Wiring(
        shared={
            "NATS_URL": addresses.nats_url,
            "LOG_LEVEL": "info",
            "LOG_FORMAT": "console",
        }
        | traced(),
        own={
            STORE: addresses.kept_in()
            | known_by[STORE]
            | {
                "PUBLIC_URL": f"http://{LOOPBACK}:{gateway_port}",
                "CALLBACK_KEYS": f"demo:{signing}",
                "BOT_TOKEN": demo_token(),
                "TELEGRAM_SHARE": "1",
                "KIE_CREATES_PER_10S": "100000",
                "POLL_AFTER_SECONDS": "2",
                "JOB_TTL_SECONDS": str(expires_after),
            },
            GATEWAY: known_by[GATEWAY]
            | {
                "GATEWAY_PORT": str(gateway_port),
                "CALLBACK_KEYS": f"demo:{signing}",
                "KIE_HMAC_KEYS": f"default:{hmac_key}",
            },
            SUBMITTER: known_by[SUBMITTER]
            | {
                "KIE_API_URL": kie_url,
                "KIE_API_KEY": SANDBOX_API_KEY,
                "KIE_CREATES_PER_10S": "100000",
            },
            RECONCILER: known_by[RECONCILER]
            | {"KIE_API_URL": kie_url, "KIE_API_KEY": SANDBOX_API_KEY},
            DELIVERER: known_by[DELIVERER]
            | {
                "TELEGRAM_API_URL": telegram_url,
                "BOT_TOKEN": demo_token(),
                "MEDIA_FROM_LOOPBACK": "true",
            },
        },
    )


def demo_token() -> str:
    """Return a token as Telegram shapes it; the sandbox takes any."""
    return "7000000001:" + "sandbox".ljust(35, "x")
