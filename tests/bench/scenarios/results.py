"""Callback to chat, both sides side by side: a burst as fast as it goes, and a calm stream."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from bench.cost import Meter
from bench.doubles.load import Posted
from bench.figures import Figure, Name, at_most, beside, percentile, ratio_at_least
from bench.play import Prepared, post
from bench.run import Run
from bench.system import BOTS, System, Wish, system
from bench.yardstick.side import Yardstick, yardstick

CONNECTIONS: Final = 64
CALM: Final = 20.0  # callbacks a second over two bots, two Telegram calls each
WITHIN: Final = 60.0
BURST, STREAM = "burst", "stream"

Register = Callable[[Collection[str]], Awaitable[list[Prepared]]]


@dataclass(kw_only=True)
class _Side:
    """One side: how it takes jobs and callbacks, what its processes are, and its rounds."""

    register: Register
    url: str
    meter: Callable[[], Meter]
    rounds: list["_Round"] = field(default_factory=list)

    def all(self, read: Callable[["_Round"], float]) -> list[float]:
        return [read(one) for one in self.rounds]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """What one round of one side took; seconds."""

    posted: list[Posted]
    shown: dict[str, float]
    spent: dict[str, float]

    @property
    def began(self) -> float:
        return min(one.began for one in self.posted)

    @property
    def delivered_per_second(self) -> float:
        return len(self.shown) / (max(self.shown.values()) - self.began)

    @property
    def acknowledged_per_second(self) -> float:
        return len(self.posted) / (max(one.ended for one in self.posted) - self.began)

    def waits(self) -> list[float]:
        """Milliseconds from the callback's first byte to the chat."""
        return [(self.shown[one.mark] - one.began) * 1_000 for one in self.posted]

    def cpu(self, group: str) -> float:
        return self.spent[group] / len(self.shown) * 1_000


async def results(run: Run) -> list[Figure]:
    """Burst and stream on the same pair of deployments."""
    place = run.workplace("results")
    wish = Wish(telegram_url=run.ground.screen.url)
    async with (
        system(run.ground, wish, workplace=place) as ours,
        yardstick(run.ground, workplace=place, with_worker=True) as theirs,
    ):
        burst = await _burst(run, ours, theirs)
        stream = await _stream(run, ours, theirs)
    twice = (await run.ground.screen.counts())["shown_twice"]
    if twice:
        raise AssertionError(f"{twice} results were shown twice")
    return [*burst, *stream]


async def _burst(run: Run, ours: System, theirs: Yardstick) -> list[Figure]:
    sides = _sides(run, ours, theirs, bots=BOTS[:1])
    rounds, size = run.either(quick=1, full=3), run.either(quick=400, full=1_200)
    await _alternate(run, BURST, sides, rounds=rounds, size=size, rate=None)
    mine, other = sides
    results_per_second = beside(
        Name(BURST, "results delivered", "/s"),
        mine.all(lambda one: one.delivered_per_second),
        other.all(lambda one: one.delivered_per_second),
        target=ratio_at_least(0.7),
        note="two Telegram calls each, the yardstick makes one",
    )
    acknowledged = beside(
        Name(BURST, "callbacks acknowledged meanwhile", "/s"),
        mine.all(lambda one: one.acknowledged_per_second),
        other.all(lambda one: one.acknowledged_per_second),
    )
    return [results_per_second, acknowledged, *_costs(mine, other)]


def _costs(mine: _Side, other: _Side) -> list[Figure]:
    return [
        beside(
            Name(BURST, f"CPU of {group} per 1,000 results", "s"),
            mine.all(lambda one, group=group: one.cpu(group)),  # type: ignore[misc]  # bound now
            other.all(lambda one, group=group: one.cpu(group)),  # type: ignore[misc]  # bound now
        )
        for group in ("services", "NATS", "Postgres", "doubles")
    ]


async def _stream(run: Run, ours: System, theirs: Yardstick) -> list[Figure]:
    sides = _sides(run, ours, theirs, bots=BOTS)
    rounds, seconds = run.either(quick=1, full=2), run.either(quick=4, full=12)
    await _alternate(run, STREAM, sides, rounds=rounds, size=int(CALM * seconds), rate=CALM)
    mine, other = sides
    figures = []
    for share, bound in ((0.5, 40.0), (0.99, 200.0)):

        def read(one: _Round, share: float = share) -> float:
            return percentile(one.waits(), share)

        name = Name(STREAM, f"callback to chat, p{share * 100:.0f}", "ms")
        note = f"{CALM:.0f} jobs/s over {len(BOTS)} bots"
        figures.append(
            beside(name, mine.all(read), other.all(read), target=at_most(bound), note=note)
        )
    return figures


def _sides(
    run: Run, ours: System, theirs: Yardstick, *, bots: tuple[str, ...]
) -> tuple[_Side, _Side]:
    ground = run.ground
    shared = {
        "NATS": [ground.nats.pid],
        "Postgres": [ground.postgres.pid],
        "doubles": ground.doubles,
    }

    async def register(marks: Collection[str]) -> list[Prepared]:
        return await ours.registered(marks, bots=bots)

    return (
        _Side(
            register=register,
            url=ours.gateway_url,
            meter=lambda: Meter({"services": ours.pids, **shared}),
        ),
        _Side(
            register=theirs.registered,
            url=theirs.url,
            meter=lambda: Meter({"services": theirs.pids, **shared}),
        ),
    )


async def _alternate(
    run: Run,
    scenario: str,
    sides: tuple[_Side, _Side],
    *,
    rounds: int,
    size: int,
    rate: float | None,
) -> None:
    """Take turns; a first small round warms both up and does not count."""
    for number in range(rounds + 1):
        run.say(f"{scenario}: round {number} of {rounds}")
        for side in reversed(sides):
            one = await _round(run, scenario, side, size=size if number else size // 5, rate=rate)
            if number:
                side.rounds.append(one)


async def _round(run: Run, scenario: str, side: _Side, *, size: int, rate: float | None) -> _Round:
    screen, marks = run.ground.screen, run.marks(size)
    before = (await screen.counts())["shown"]
    prepared = await side.register(marks)
    meter = side.meter()
    posted = await post(
        prepared,
        side.url,
        connections=CONNECTIONS,
        rate=rate,
        workplace=run.workplace(scenario),
    )
    shown = await screen.until_shown(marks, more=before, within=WITHIN)
    return _Round(posted=posted, shown=shown, spent=meter.spent())
