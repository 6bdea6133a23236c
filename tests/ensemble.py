"""Five services as processes on servers that are given, a load through them, and the judge of what became of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import nats

from deployment import HMAC_KEY, KEY, TOKEN, eventually
from judging import facts_of
from sendonce import SendOnce
from sendonce_cli.asking import Desk
from sendonce_cli.demo import errands as errands_of
from sendonce_cli.demo.bot import Bot
from sendonce_cli.demo.drive import Driver, Progress, top_up
from sendonce_cli.demo.errands import Errand, User
from sendonce_cli.demo.options import Faults
from sendonce_cli.demo.outside import InProcess
from sendonce_cli.demo.pulse import Pulse
from testkit import proof
from testkit.kie import FakeKie
from testkit.links import Link
from testkit.ports import LOOPBACK, free_port, port_of
from testkit.processes import ServiceProcess, ServiceSpec, python_module
from testkit.processes.nursery import Nursery, process_of
from testkit.telegram import FakeTelegram, Limits

SERVICES: Final = ("job_store", "callback_gateway", "submitter", "reconciler", "deliverer")
POLLED: Final = 5  # every so many-th job
READY_WITHIN: Final = 60.0  # seconds for five Pythons starting side by side on a small machine


@dataclass(kw_only=True)
class Ensemble:
    """A running system, the load that is put on it, and who looks at it from outside."""

    services: dict[str, ServiceProcess]
    kie: FakeKie
    telegram: FakeTelegram
    links: dict[str, Link]  # services reach `kie` and `telegram` through them
    bot: Bot
    desk: Desk
    database_url: str
    gateway_url: str
    errands: tuple[Errand, ...]
    progress: Progress = field(init=False)
    outside: InProcess = field(init=False)
    pulse: Pulse = field(init=False)
    paid: dict[User, int] = field(default_factory=dict)
    total: int = 0  # kills so far

    def __post_init__(self) -> None:
        self.progress = Progress(wanted=len(self.errands))
        self.outside = InProcess(self.kie, self.telegram)
        self.pulse = Pulse(
            outside=self.outside, desk=self.desk, progress=self.progress, killer=self
        )

    @asynccontextmanager
    async def load(self, *, every: float) -> AsyncIterator["asyncio.Task[None]"]:
        """Ask for the errands one after the other, so many seconds apart; leave when all were asked for.

        Nobody waits for another's answer: who asks while something is away insists until it is back.
        """
        self.paid |= await top_up(self.bot, self.errands)
        driver = Driver(
            self.bot,
            self.progress,
            outside=self.outside,
            gateway_url=self.gateway_url,
            every=every,
            at_once=len(self.errands),
        )
        asking = asyncio.create_task(driver.run(self.errands))
        try:
            yield asking
            await asking
        finally:
            asking.cancel()

    @asynccontextmanager
    async def load_meanwhile(self, *, every: float) -> AsyncIterator[None]:
        """Ask for errands until the block is left; those that were asked for are judged, no others."""
        asked: list[Errand] = []
        is_over = asyncio.Event()

        def turns() -> Iterator[Errand]:
            for errand in self.errands:
                if is_over.is_set():
                    return
                asked.append(errand)
                yield errand

        self.paid |= await top_up(self.bot, self.errands)
        driver = Driver(
            self.bot,
            self.progress,
            outside=self.outside,
            gateway_url=self.gateway_url,
            every=every,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(driver.run(turns()))
            yield
            is_over.set()
        self.errands, self.progress.wanted = tuple(asked), len(asked)

    async def kill(self, service: str) -> None:
        """SIGKILL to one service; nobody starts it again."""
        self.total += 1
        await self.services[service].kill()

    async def settled(self, *, within: float) -> None:
        """Wait until nothing is left to happen; `TimeoutError` with what is."""

        async def quiet() -> bool:
            await self.pulse.look()
            if not self.pulse.is_quiet:
                return False
            await self.telegram.settle()
            await self.pulse.look()
            return self.pulse.is_quiet

        try:
            await eventually(quiet, within=within)
        except TimeoutError as late:
            raise TimeoutError(f"not quiet within {within} s: {self.pulse.last}") from late

    async def verdict(self) -> proof.Verdict:
        """Judge what became of every errand that was asked for."""
        facts = await facts_of(
            self.errands,
            bot=self.bot,
            desk=self.desk,
            paid=self.paid,
            kie=self.kie,
            telegram=self.telegram,
            database_url=self.database_url,
        )
        return proof.judged(facts)


def troubles(verdict: proof.Verdict) -> dict[str, object]:
    """Return what broke a promise; empty when every one was kept."""
    found = {
        "lost": [str(one.asked.key) for one in verdict.endings if one.is_lost],
        "shown twice": [str(one.asked.key) for one in verdict.endings if one.is_doubled],
        "broken": list(verdict.broken),
    }
    return {name: what for name, what in found.items() if what}


def errands(jobs: int, *, seed: int = 1) -> tuple[Errand, ...]:
    """Draw what is asked for; KIE calls back for four of five, the others must be polled."""
    drawn = errands_of.draw(jobs=jobs, faults=Faults.NONE, seed=seed)
    return tuple(
        replace(one, plan=replace(one.plan, calls_back=one.number % POLLED != 0)) for one in drawn
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Who plays KIE and Telegram, and the links by which services reach them."""

    kie: FakeKie
    telegram: FakeTelegram
    links: dict[str, Link]

    def told(self, *, gateway: int) -> dict[str, str]:
        """Return what every service is told of them, and where KIE calls back."""
        return {
            "PUBLIC_URL": f"http://{LOOPBACK}:{gateway}",
            "GATEWAY_PORT": str(gateway),
            "CALLBACK_KEYS": f"k1:{KEY}",
            "KIE_HMAC_KEYS": f"default:{HMAC_KEY}",
            "KIE_API_URL": f"http://{LOOPBACK}:{self.links['kie'].port}",
            "KIE_API_KEY": self.kie.api_key,
            "KIE_CREATES_PER_10S": "100000",
            "TELEGRAM_API_URL": f"http://{LOOPBACK}:{self.links['telegram'].port}",
            "MEDIA_FROM_LOOPBACK": "true",
            "TELEGRAM_SHARE": "1",
            "BOT_TOKEN": TOKEN,
            "POLL_AFTER_SECONDS": "2",
            "LOG_LEVEL": "info",
        }


@asynccontextmanager
async def outside(
    errands: tuple[Errand, ...], *, calls_anew: bool = False
) -> AsyncIterator[Outside]:
    """Play KIE and Telegram, which know every errand's plan and chat; see `FakeKie.calls_anew`."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        kie = await enter(
            FakeKie(hmac_key=HMAC_KEY, create_rate=None, keep_tasks=100_000, calls_anew=calls_anew)
        )
        for errand in errands:
            kie.plan_marked(errand.marker, errand.plan)
        telegram = await enter(FakeTelegram(limits=Limits()))
        telegram.add_bot(TOKEN)
        for chat in {errand.chat_id for errand in errands}:
            telegram.add_chat(chat, kind="private", title=str(chat))
        links = {
            "kie": await enter(Link(kie.port, port=free_port())),
            "telegram": await enter(Link(port_of(telegram.url), port=free_port())),
        }
        yield Outside(kie=kie, telegram=telegram, links=links)


@asynccontextmanager
async def ensemble(
    *,
    nats_url: str,
    database_url: str,
    directory: Path,
    errands: tuple[Errand, ...],
    settings: Mapping[str, str] | None = None,
    nursery: Nursery | None = None,
) -> AsyncIterator[Ensemble]:
    """Start everything on migrated servers, and end it in order.

    `settings` come on top of the usual ones; without a `nursery` every
    service is started by itself.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        out = await enter(outside(errands))
        gateway = free_port()
        told = out.told(gateway=gateway) | {"NATS_URL": nats_url, "DATABASE_URL": database_url}
        services = {
            name: service(name, told | dict(settings or {}), logs=directory, nursery=nursery)
            for name in SERVICES
        }
        for process in services.values():
            process.spawn()
            stack.push_async_callback(process.stop)
        await asyncio.gather(*(process.wait_ready() for process in services.values()))
        sendonce = await enter(SendOnce(nats_url, bot="default"))
        client = await nats.connect(nats_url.split(","), **PATIENT)
        stack.push_async_callback(client.close)
        yield Ensemble(
            services=services,
            kie=out.kie,
            telegram=out.telegram,
            links=out.links,
            bot=Bot(sendonce),
            desk=Desk(client),
            database_url=database_url,
            gateway_url=f"http://{LOOPBACK}:{gateway}",
            errands=errands,
        )


async def _unheard(_problem: Exception) -> None:
    """Hear errors of a connection; whoever asks meets them as exceptions."""


# For a client that outlives every outage.
PATIENT: Final[dict[str, Any]] = {
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.1,
    "connect_timeout": 1,
    "ping_interval": 2,
    "error_cb": _unheard,
}


def service(
    name: str, told: Mapping[str, str], *, logs: Path, nursery: Nursery | None = None
) -> ServiceProcess:
    """Return one service with a health port of its own, not started."""
    health = free_port()
    return process_of(
        ServiceSpec(
            name=name,
            command=python_module(name),
            log=logs / f"{name}.log",
            env={f"SENDONCE_{key}": value for key, value in told.items()}
            | {"SENDONCE_HEALTH_PORT": str(health), "PYTHONPATH": str(Path(__file__).parent)},
            ready_url=f"http://{LOOPBACK}:{health}/readyz",
            ready_within=READY_WITHIN,
        ),
        nursery,
    )
