"""Callbacks acknowledged: the two doors alone, while nobody reads what they store."""

from typing import Final

from bench.cost import Meter
from bench.figures import Figure, Name, beside, percentile, ratio_at_least
from bench.play import Prepared, post
from bench.run import Run
from bench.system import gateway_alone, signed_callback
from bench.yardstick.side import yardstick

CONNECTIONS: Final = 64
SCENARIO: Final = "door"


async def door(run: Run) -> list[Figure]:
    """Post as fast as each answers, in turns."""
    place = run.workplace(SCENARIO)
    rounds, size = run.either(quick=1, full=3), run.either(quick=1_000, full=2_500)
    ours, theirs = _Side(), _Side()
    async with (
        gateway_alone(run.ground, workplace=place) as (gateway_url, pid),
        yardstick(run.ground, workplace=place, with_worker=False) as other,
    ):
        for number in range(rounds + 1):
            run.say(f"door: round {number} of {rounds}")
            count = size if number else size // 5  # round 0 warms both up
            theirs_now = await other.registered(run.marks(count))
            await theirs.post(run, theirs_now, other.url, other.pids)
            ours_now = [signed_callback(mark) for mark in run.marks(count)]
            await ours.post(run, ours_now, gateway_url, [pid])
            if not number:
                ours, theirs = _Side(), _Side()
    names = {name: Name(SCENARIO, name, unit) for name, unit in UNITS.items()}
    return [
        beside(
            names["callbacks acknowledged"],
            ours.rates,
            theirs.rates,
            target=ratio_at_least(1.0),
            note=f"{CONNECTIONS} connections",
        ),
        beside(names["acknowledged, p50"], ours.p50, theirs.p50),
        beside(names["acknowledged, p99"], ours.p99, theirs.p99),
        beside(names["CPU of the door per 1,000"], ours.cpu, theirs.cpu),
    ]


UNITS: Final = {
    "callbacks acknowledged": "/s",
    "acknowledged, p50": "ms",
    "acknowledged, p99": "ms",
    "CPU of the door per 1,000": "s",
}


class _Side:
    """One side's rounds."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.p50: list[float] = []
        self.p99: list[float] = []
        self.cpu: list[float] = []

    async def post(self, run: Run, prepared: list[Prepared], url: str, pids: list[int]) -> None:
        meter = Meter({"door": pids})
        posted = await post(
            prepared, url, connections=CONNECTIONS, workplace=run.workplace(SCENARIO)
        )
        seconds = max(one.ended for one in posted) - min(one.began for one in posted)
        waits = [(one.ended - one.began) * 1_000 for one in posted]
        self.rates.append(len(posted) / seconds)
        self.p50.append(percentile(waits, 0.5))
        self.p99.append(percentile(waits, 0.99))
        self.cpu.append(meter.spent()["door"] / len(posted) * 1_000)
