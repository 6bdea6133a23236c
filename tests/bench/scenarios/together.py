"""`sendonce up --one-process`: how soon it serves and how much memory everything takes."""

import asyncio
import re
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.bot import CALM, stream
from bench.cost import cpu_seconds, memory
from bench.figures import Figure, Target, at_most
from bench.ground import HMAC_KEY
from bench.play import with_code
from bench.run import Run
from bench.system import KEY, TOKENS
from sendonce import SendOnce
from testkit.ports import LOOPBACK, free_port
from testkit.processes import Child, ChildFailed
from testkit.processes.service import environment

SCENARIO: Final = "together"
READY_WITHIN: Final = 90.0  # seconds; the first start makes a database
LISTENS: Final = re.compile(r'^listen: "[^:]+:(\d+)"', re.MULTILINE)
COMMAND: Final = "from sendonce_cli.main import app; app()"
SETTLED: Final = 3.0  # seconds after the start until memory is looked at


async def together(run: Run) -> list[Figure]:
    """Start it twice, for the first start makes the database; a quick run has time for one."""
    place = run.workplace(SCENARIO)
    starts = run.either(quick=("first start",), full=("first start", "start"))
    figures: list[Figure] = []
    for name in starts:
        async with _up(run, place) as (seconds, child):
            figures.append(Figure(scenario=SCENARIO, name=name, unit="s", value=seconds))
            if name == starts[-1]:
                figures += await _watched(run, child, place)
    return figures


async def _watched(run: Run, child: Child, place: Path) -> list[Figure]:
    """What it takes at rest, and while it works calmly."""
    await asyncio.sleep(SETTLED)  # noqa: TID251 - how long it rests
    idle_cpu = await _cpu_at_rest(child.pid)
    if not child.running:
        raise ChildFailed(f"it stopped by itself\n{child.log_tail(12)}")
    at_rest = _memories(child.pid, "at rest", at_most(300))
    run.say(f"{SCENARIO}: {CALM:g} jobs/s")
    async with SendOnce(_nats_url(place), bot="default") as bot:
        await stream(run, bot, seconds=run.either(quick=3, full=10))
    return [
        Figure(scenario=SCENARIO, name="CPU at rest", unit="% core", value=idle_cpu),
        at_rest,
        _memories(child.pid, f"at {CALM:g} jobs/s", at_most(400)),
    ]


@asynccontextmanager
async def _up(run: Run, place: Path) -> AsyncIterator[tuple[float, Child]]:
    """Start it, and tell after how many seconds its gateway listens."""
    port = free_port()
    told = {
        "DATA_DIR": str(place / "data"),
        "GATEWAY_PORT": str(port),
        "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "KIE_API_URL": run.ground.kie.url,
        "KIE_API_KEY": "bench",
        "KIE_HMAC_KEYS": f"default:{HMAC_KEY}",
        "KIE_CREATES_PER_10S": "1000",
        "CALLBACK_KEYS": KEY,
        "TELEGRAM_API_URL": run.ground.screen.url,
        "MEDIA_FROM_LOOPBACK": "true",
        "BOT_TOKEN": TOKENS["default"],
    }
    env = with_code({f"SENDONCE_{name}": value for name, value in told.items()})
    child = Child(
        name="sendonce-up",
        command=(sys.executable, "-c", COMMAND, "up", "--one-process"),
        log=place / "up.log",
        env=environment(env),
    )

    async def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, port)) == 0

    run.say(f"{SCENARIO}: starting")
    began = time.monotonic()
    child.spawn()
    try:
        await child.ready(listens, within=READY_WITHIN)
        yield time.monotonic() - began, child
    finally:
        await child.stop()


async def _cpu_at_rest(pid: int) -> float:
    began, before = time.monotonic(), cpu_seconds([pid])
    await asyncio.sleep(SETTLED)  # noqa: TID251 - how long is looked
    return (cpu_seconds([pid]) - before) / (time.monotonic() - began) * 100


def _memories(pid: int, when: str, target: Target) -> Figure:
    """Python, NATS and Postgres, each with what it shares counted once."""
    whole = memory([pid])
    return Figure(
        scenario=SCENARIO,
        name=f"memory of everything, {when}",
        unit="MB",
        value=whole.pss,
        target=target,
        note=f"PSS; RSS {whole.rss:.0f} MB",
    )


def _nats_url(place: Path) -> str:
    config = next((place / "data").rglob("nats.conf")).read_text("utf-8")
    found = LISTENS.search(config)
    if found is None:
        raise ValueError("the embedded NATS does not say where it listens")
    return f"nats://{LOOPBACK}:{found[1]}"
