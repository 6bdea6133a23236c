"""What an upgrade happens to: servers, doubles, two replicas of each service of the old version, and its bot."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import nats

from ensemble import PATIENT, Ensemble, outside
from job_store.privileges import STORE_ROLE, as_role
from sendonce import SendOnce
from sendonce_cli.asking import Desk
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.errands import Errand
from testkit.links import Link
from testkit.ports import LOOPBACK, free_port
from testkit.servers import Durability, NatsServer, PostgresServer
from upgrade.other_sdk import OtherSdk, other_sdk
from upgrade.replicas import NUMBERS, Replicas
from upgrade.versions import Say, Version

# A job that nobody can know of ends in the run, and is seen: a replica that is told to stop leaves none.
EXPIRES_AFTER: Final = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running system of the old version, and what is needed to change it."""

    replicas: Replicas
    running: Ensemble
    bot: OtherSdk
    judge: Bot
    told: Mapping[str, str]  # as the owner of the schema, who migrates
    room: Path  # where commands are typed


def migrated(version: Version, told: Mapping[str, str], room: Path) -> str:
    """Have a version's own command migrate up; returns what it said."""
    code, said = version.command("migrate", "up", told=told, room=room)
    if code:
        raise RuntimeError(f"migrate up by {version.name} ended with {code}\n{said}")
    return said


@asynccontextmanager
async def staged(
    directory: Path, errands: tuple[Errand, ...], *, old: Version, new: Version, say: Say
) -> AsyncIterator[Stage]:
    """Start everything of the old version on its own schema, and end it in order."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        bus = await enter(NatsServer(directory / "nats", durability=Durability.KILL))
        postgres = await enter(PostgresServer(directory / "postgres", durability=Durability.KILL))
        # By kept connections one gateway alone would hear everything.
        out = await enter(outside(errands, calls_anew=True))
        gateways = {number: free_port() for number in NUMBERS}
        door = await enter(Link(*gateways.values(), port=free_port()))
        told = out.told(gateway=door.port) | {
            "NATS_URL": bus.url,
            "DATABASE_URL": postgres.url,
            "JOB_TTL_SECONDS": str(EXPIRES_AFTER),
        }
        room = directory / "commands"
        room.mkdir(parents=True)
        say(f"migrate up, by {old.name}")
        await asyncio.to_thread(migrated, old, told, room)
        restricted = {new.name, old.name} if await _has_roles(postgres.url) else {new.name}

        def told_to(version: Version) -> Mapping[str, str]:
            """Say what a version's services are told: with job-store's own rights as soon as there are any."""
            if version.name not in restricted:
                return told
            return {**told, "DATABASE_URL": as_role(postgres.url, STORE_ROLE)}

        (directory / "logs").mkdir()
        replicas = Replicas(told_to, gateways=gateways, logs=directory / "logs")
        stack.push_async_callback(replicas.stop)
        say(f"starting two of each service of {old.name}")
        await replicas.start(old)
        bot = await enter(other_sdk(old, nats_url=bus.url, log=directory / "logs" / "bot.log"))
        client = await nats.connect(bus.url, **PATIENT)
        stack.push_async_callback(client.close)
        running = Ensemble(
            services={},
            kie=out.kie,
            telegram=out.telegram,
            links=out.links,
            bot=Bot(bot),
            desk=Desk(client),
            database_url=postgres.url,
            gateway_url=f"http://{LOOPBACK}:{door.port}",
            errands=errands,
        )
        yield Stage(
            replicas=replicas,
            running=running,
            bot=bot,
            judge=Bot(await enter(SendOnce(bus.url, bot="default"))),
            told=told,
            room=room,
        )


async def _has_roles(database_url: str) -> bool:
    connection = await asyncpg.connect(database_url)
    try:
        found = await connection.fetchval(
            "SELECT true FROM pg_roles WHERE rolname = $1", STORE_ROLE
        )
    finally:
        await connection.close()
    return bool(found)
