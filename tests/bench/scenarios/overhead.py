"""What watching costs: the same burst of results uncounted, counted, and with traces besides."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final

import aiohttp

from bench.cost import Meter
from bench.figures import Aim, Figure, Target
from bench.play import Double, post
from bench.run import Run
from bench.system import System, Wish, system

SCENARIO: Final = "overhead"
CONNECTIONS: Final = 64
WITHIN: Final = 60.0
SCRAPE_EVERY: Final = 1.0  # seconds; most scrape every fifteen
FLUSH: Final = 1.5  # seconds in which the last spans are sent off; waited for by every variant
UNWATCHED: Final = "neither"
CHEAP: Final = Target(aim=Aim.AT_MOST, bound=1.1, of_ratio=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """How much is watched."""

    measured: bool = True
    trace_ratio: float = 0.0

    def wish(self, run: Run, collector: Double) -> Wish:
        return Wish(
            telegram_url=run.ground.screen.url,
            measured=self.measured,
            otlp_endpoint=collector.url if self.trace_ratio else None,
            trace_ratio=self.trace_ratio,
        )


VARIANTS: Final = {
    UNWATCHED: Variant(measured=False),
    "metrics": Variant(),
    "metrics and a tenth of the traces": Variant(trace_ratio=0.1),
    "metrics and all traces": Variant(trace_ratio=1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One round of one variant."""

    cpu: float  # seconds of the services for 1,000 results
    rate: float  # results a second
    spans: float  # recorded for each result; those that were lost too


async def overhead(run: Run) -> list[Figure]:
    """Start each variant anew for each of its rounds, one after the other, so that all meet the same minutes."""
    rounds, size = run.either(quick=1, full=3), run.either(quick=200, full=600)
    costs: dict[str, list[Cost]] = {name: [] for name in VARIANTS}
    logs = run.workplace(SCENARIO) / "collector"
    collector = Double("bench.doubles.collector", logs=logs, ready="/counts")
    async with collector.process:
        for number in range(rounds):
            for name, variant in VARIANTS.items():
                run.say(f"{SCENARIO}: round {number + 1} of {rounds}, {name}")
                wish = variant.wish(run, collector)
                async with system(run.ground, wish, workplace=run.workplace(SCENARIO)) as running:
                    await _burst(run, running, size=size // 5)  # warms up
                    costs[name].append(await _burst(run, running, size=size))
    return [figure for name in VARIANTS if name != UNWATCHED for figure in _figures(costs, name)]


def _figures(costs: dict[str, list[Cost]], name: str) -> list[Figure]:
    ours, bare = costs[name], costs[UNWATCHED]
    spans = median(one.spans for one in ours)
    return [
        Figure(
            scenario=SCENARIO,
            name=f"CPU of services per 1,000 results, {name}",
            unit="s",
            value=median(one.cpu for one in ours),
            ratio=_ratio([one.cpu for one in ours], [one.cpu for one in bare]),
            target=CHEAP if name == "metrics" else None,
            note=f"ratio to neither; {spans:.1f} spans a result",
        ),
        Figure(
            scenario=SCENARIO,
            name=f"results delivered, {name}",
            unit="/s",
            value=median(one.rate for one in ours),
            ratio=_ratio([one.rate for one in ours], [one.rate for one in bare]),
            note="ratio to neither",
        ),
    ]


def _ratio(ours: Sequence[float], bare: Sequence[float]) -> float:
    return median(mine / other for mine, other in zip(ours, bare, strict=True))


async def _burst(run: Run, running: System, *, size: int) -> Cost:
    screen, marks = run.ground.screen, run.marks(size)
    before, spans = (await screen.counts())["shown"], await _spans(running)
    prepared = await running.registered(marks)
    meter = Meter({"services": running.pids})
    async with _scraped(running):
        posted = await post(
            prepared,
            running.gateway_url,
            connections=CONNECTIONS,
            workplace=run.workplace(SCENARIO),
        )
        shown = await screen.until_shown(marks, more=before, within=WITHIN)
        await asyncio.sleep(FLUSH)  # noqa: TID251 - see there
    spent = meter.spent()["services"]
    began = min(one.began for one in posted)
    return Cost(
        cpu=spent / size * 1_000,
        rate=size / (max(shown.values()) - began),
        spans=(await _spans(running) - spans) / size,
    )


@asynccontextmanager
async def _scraped(running: System) -> AsyncIterator[None]:
    """Ask every service for its metrics meanwhile, as a Prometheus in a hurry would."""

    async def scrape() -> None:
        while True:
            await _metrics(running)
            await asyncio.sleep(SCRAPE_EVERY)  # noqa: TID251 - the interval

    scraping = asyncio.create_task(scrape())
    try:
        yield
    finally:
        scraping.cancel()


async def _spans(running: System) -> float:
    """Spans that were recorded so far."""
    lines = [line for text in await _metrics(running) for line in text.splitlines()]
    return sum(
        float(line.split()[-1]) for line in lines if line.startswith("sendonce_trace_spans_total{")
    )


async def _metrics(running: System) -> list[str]:
    async with aiohttp.ClientSession() as client:
        texts = []
        for plan in running.plans.values():
            async with client.get(f"{plan.health_url}/metrics") as answer:
                texts.append(await answer.text())
        return texts
