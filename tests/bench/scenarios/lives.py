"""Whole lives of jobs: create, KIE, callback, shown; as many as go, and how much the machine pays."""

import asyncio
import time
from typing import Final

from bench.bot import CALM, WITHIN, create, stream
from bench.cost import Meter, memory
from bench.figures import Figure
from bench.run import Run
from bench.system import System, Wish, system
from sendonce_cli.stack.services import START_ORDER

AT_ONCE: Final = 48  # conversations of the bot side by side
SCENARIO: Final = "lives"


async def lives(run: Run) -> list[Figure]:
    """Start five services, let them rest, let them work calmly, then as fast as they go."""
    place = run.workplace(SCENARIO)
    wish = Wish(telegram_url=run.ground.screen.url)
    async with system(run.ground, wish, workplace=place) as running:
        figures = _starts(running)
        run.say("lives: at rest")
        figures += await _at_rest(run, running)
        run.say(f"lives: {CALM:g} jobs/s")
        bot = running.bots["default"]
        await stream(run, bot, seconds=run.either(quick=3, full=10))
        figures += _memories(run, running, f"at {CALM:g} jobs/s")
        run.say("lives: as fast as it goes")
        await _burst(run, running, size=40)
        figures += await _burst(run, running, size=run.either(quick=250, full=800))
    return figures


def _starts(running: System) -> list[Figure]:
    return [
        Figure(
            scenario="start",
            name=f"{name}, spawn to ready",
            unit="s",
            value=running.start_seconds[name],
        )
        for name in START_ORDER
    ]


async def _at_rest(run: Run, running: System) -> list[Figure]:
    seconds = run.either(quick=2, full=6)
    meter = Meter({"services": running.pids})
    began = time.monotonic()
    await asyncio.sleep(seconds)  # noqa: TID251 - how long is looked
    spent = meter.spent()["services"] / (time.monotonic() - began)
    idle = Figure(
        scenario="memory", name="five services, CPU at rest", unit="% core", value=spent * 100
    )
    return [*_memories(run, running, "at rest"), idle]


def _memories(run: Run, running: System, when: str) -> list[Figure]:
    """Proportional shares: what the processes share is counted once."""
    groups = {name: [running.services[name].pid] for name in START_ORDER}
    groups |= {"NATS": [run.ground.nats.pid], "Postgres": [run.ground.postgres.pid]}
    found = {name: memory(pids) for name, pids in groups.items()}
    figures = [
        Figure(
            scenario="memory",
            name=f"{name}, {when}",
            unit="MB",
            value=one.pss,
            note=f"RSS {one.rss:.0f} MB",
        )
        for name, one in found.items()
    ]
    whole = sum(one.pss for one in found.values())
    return [
        *figures,
        Figure(scenario="memory", name=f"everything, {when}", unit="MB", value=whole),
    ]


async def _burst(run: Run, running: System, *, size: int) -> list[Figure]:
    ground, marks = run.ground, run.marks(size)
    meter = Meter(
        {
            "services": running.pids,
            "NATS": [ground.nats.pid],
            "Postgres": [ground.postgres.pid],
            "doubles": ground.doubles,
        }
    )
    before = (await ground.screen.counts())["shown"]
    began = time.monotonic()
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(mark: str) -> None:
        async with slots:
            await create(running.bots["default"], mark)

    async with asyncio.TaskGroup() as group:
        for mark in marks:
            group.create_task(one(mark))
    shown = await ground.screen.until_shown(marks, more=before, within=WITHIN)
    rate = len(marks) / (max(shown.values()) - began)
    costs = [
        Figure(
            scenario=SCENARIO,
            name=f"CPU of {group} per 1,000 jobs",
            unit="s",
            value=spent / len(marks) * 1_000,
        )
        for group, spent in meter.spent().items()
    ]
    return [
        Figure(
            scenario=SCENARIO, name="whole lives", unit="/s", value=rate, note="create to shown"
        ),
        *costs,
    ]
