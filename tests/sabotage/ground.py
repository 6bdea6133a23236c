"""One running system in which a service, or the database, can lack something for a while."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import asyncpg

from contracts.ops import BotsView, ListBots
from contracts.permissions import CHECK_BOT, SMOKE_BOT
from deployment import HMAC_KEY, KEY, TOKEN, eventually
from job_store.migrate import migrate_bus
from sabotage.builds import Build
from sabotage.nursery import GUT
from sendonce_cli.asking import desk_at
from sendonce_cli.check.phases import PHASES as CHECKS
from sendonce_cli.commands.check import NO_KEY
from sendonce_cli.commands.smoke import SANDBOX_MODEL
from sendonce_cli.probes.items import Item, Phase, Verdict
from sendonce_cli.probes.stay import Stay, verdict_of
from sendonce_cli.settings import Settings
from sendonce_cli.smoke.journey import travelling
from sendonce_cli.smoke.phases import PHASES as SMOKES
from sendonce_cli.trouble import Trouble
from testkit.kie import FakeKie
from testkit.ports import LOOPBACK, free_port
from testkit.processes import ServiceProcess, ServiceSpec, python_module
from testkit.processes.nursery import Nursery, process_of
from testkit.telegram import FakeTelegram

SERVICES: Final = ("job_store", "deliverer", "submitter", "reconciler", "callback_gateway")
READY_WITHIN: Final = 60.0  # seconds for five services starting side by side on a busy machine
PATIENCE: Final = 60.0  # seconds, where what is waited for comes; a busy machine may take long
SHORT: Final = 6.0  # seconds a gutted build is waited for, where no end may come


class Quiet:
    """Shows nobody what is looked at."""

    def begin(self, phase: Phase[Any], probe: object) -> None: ...
    def tell(self, phase: Phase[Any], item: Item) -> None: ...
    def say(self, doing: str) -> None: ...


@dataclass(kw_only=True)
class Ground:
    """A deployment whose services can be gutted."""

    nursery: Nursery
    specs: Mapping[str, ServiceSpec]
    services: dict[str, ServiceProcess]
    kie: FakeKie
    telegram: FakeTelegram
    nats_url: str
    database_url: str
    gateway_url: str
    lacking: dict[str, str]  # by service

    @asynccontextmanager
    async def sabotaged(self, build: Build) -> AsyncIterator[None]:
        """Run with something missing while the block lasts; services are mended when another is gutted."""
        wanted = {build.service: build.gut} if build.service else {}
        await self.lack(wanted)
        if build.harm:
            await self._sql(build.harm)
        try:
            yield
        finally:
            if build.undo:
                await self._sql(build.undo)

    async def lack(self, wanted: Mapping[str, str]) -> None:
        """Restart what lacks something else than it should."""
        changed = [name for name in SERVICES if self.lacking.get(name) != wanted.get(name)]
        await asyncio.gather(*(self._restart(name, wanted.get(name)) for name in changed))
        self.lacking = dict(wanted)
        if changed:
            await self.answers()

    async def answers(self) -> None:
        """Wait until job-store answers: it says that it is ready a moment before that."""

        async def asked() -> bool:
            with suppress(Trouble):
                async with desk_at(self.nats_url) as desk:
                    await desk.ops("bots.list", ListBots, BotsView)
                return True
            return False

        await eventually(asked, within=READY_WITHIN)

    async def _restart(self, name: str, gut: str | None) -> None:
        await self.services[name].stop()
        spec = self.specs[name]
        if gut is not None:
            spec = replace(spec, env={**spec.env, GUT: gut})
        self.services[name] = process_of(spec, self.nursery)
        await self.services[name].start()

    async def _sql(self, statement: str) -> None:
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def check(
        self, *names: str, patience: float = PATIENCE, in_chats: bool = True
    ) -> Verdict:
        """Run the check, or the phases of these names; without chats nothing can be shown."""
        phases = [phase for phase in CHECKS if not names or phase.name in names]
        stay = self._stay(CHECK_BOT, kie_account=NO_KEY, patience=patience)
        if not in_chats:
            stay = replace(stay, telegram_url=None)
        return await verdict_of(self._settings(), stay, phases, lambda lab: lab, Quiet())

    async def smoke(self, *, patience: float = PATIENCE) -> Verdict:
        """Run the smoke test."""
        stay = self._stay(SMOKE_BOT, kie_account="default", patience=patience)
        given = {"prompt": "a lighthouse"}
        begin = travelling(self.kie.url, model=SANDBOX_MODEL, given=given)
        return await verdict_of(self._settings(), stay, SMOKES, begin, Quiet())

    def options(self, *, smoke: bool) -> list[str]:
        """Return what the command line must be told of this ground."""
        told = ["--gateway", self.gateway_url, "--telegram-sandbox", self.telegram.url]
        told += ["--patience", f"{PATIENCE:.0f}"]
        return [*told, *(("--kie-sandbox", self.kie.url) if smoke else ())]

    def _settings(self) -> Settings:
        return Settings(nats_url=self.nats_url)

    def _stay(self, bot: str, *, kie_account: str, patience: float) -> Stay:
        return Stay(
            bot=bot,
            kie_account=kie_account,
            token_ref="default",
            gateway_url=self.gateway_url,
            telegram_url=self.telegram.url,
            chat_id=None,
            media=(),
            patience=patience,
            by={"who": "sabotage", "why": "does the check bite?"},
        )


def failing(verdict: Verdict) -> dict[str, list[str]]:
    """Return the items that failed, by phase."""
    return {
        phase.name: names
        for phase in verdict.phases
        if (names := [item.name for item in phase.items if item.found == "failed"])
    }


@asynccontextmanager
async def ground(
    *, nats_url: str, database_url: str, directory: Path, nursery: Nursery
) -> AsyncIterator[Ground]:
    """Start everything on a migrated database, and end it in order."""
    await migrate_bus(nats_url)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        kie = await enter(FakeKie(hmac_key=HMAC_KEY, create_rate=None))
        telegram = await enter(FakeTelegram())
        port = free_port()
        told = _told(kie, telegram, port) | {"NATS_URL": nats_url, "DATABASE_URL": database_url}
        specs = {name: _spec(name, told, logs=directory) for name in SERVICES}
        services = {name: process_of(spec, nursery) for name, spec in specs.items()}
        for process in services.values():
            process.spawn()
        made = Ground(
            nursery=nursery,
            specs=specs,
            services=services,
            kie=kie,
            telegram=telegram,
            nats_url=nats_url,
            database_url=database_url,
            gateway_url=f"http://{LOOPBACK}:{port}",
            lacking={},
        )
        stack.push_async_callback(_stopped, made)
        await asyncio.gather(*(process.wait_ready() for process in services.values()))
        await made.answers()
        yield made


async def _stopped(made: Ground) -> None:
    for name in reversed(SERVICES):
        await made.services[name].stop()


def _told(kie: FakeKie, telegram: FakeTelegram, port: int) -> dict[str, str]:
    return {
        "LOG_LEVEL": "warning",
        "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "GATEWAY_PORT": str(port),
        "CALLBACK_KEYS": f"k1:{KEY}",
        "KIE_HMAC_KEYS": f"default:{HMAC_KEY}",
        "KIE_API_URL": kie.url,
        "KIE_API_KEY": kie.api_key,
        "KIE_CREATES_PER_10S": "100000",
        "TELEGRAM_API_URL": telegram.url,
        "MEDIA_FROM_LOOPBACK": "true",
        "BOT_TOKEN": TOKEN,
        "POLL_AFTER_SECONDS": "2",
    }


def _spec(name: str, told: Mapping[str, str], *, logs: Path) -> ServiceSpec:
    health = free_port()
    return ServiceSpec(
        name=name,
        command=python_module(name),
        log=logs / f"{name}.log",
        env={f"SENDONCE_{key}": value for key, value in told.items()}
        | {"SENDONCE_HEALTH_PORT": str(health)},
        ready_url=f"http://{LOOPBACK}:{health}/readyz",
        ready_within=READY_WITHIN,
    )


def judged(build: Build, checked: Verdict | None, smoked: Verdict | None) -> Sequence[str]:
    """Say what is wrong with what was found in a build; nothing when it was found for the right reason."""
    wrong = []
    if checked is not None:
        found = failing(checked)
        if build.item not in found.get(build.phase, []):
            wrong.append(
                f"check: {build.phase} · {build.item} passed; failed: {found or 'nothing'}"
            )
        elif build.is_alone and found != {build.phase: [build.item]}:
            wrong.append(f"check: not alone: {found}")
    if smoked is not None:
        red = next(iter(failing(smoked)), None)
        if red != build.smoke:
            wrong.append(f"smoke: first to fail is {red}, not {build.smoke}")
    return wrong
