"""A run is drawn by its seed alone, and one of a minute breaks no promise."""

from collections import Counter

import pytest

from chaos.faults import BY_SUBJECT
from chaos.report import offenders
from chaos.run import run
from chaos.schedule import DURABLES, FAULTS, ONCE, WEIGHTS, draw
from contracts import streams
from nursery import nursery

SECONDS, SEED = 60.0, 1


def test_a_schedule_is_its_seeds_and_nothing_elses() -> None:
    assert draw(seconds=120, seed=1) == draw(seconds=120, seed=1)
    assert draw(seconds=120, seed=1) != draw(seconds=120, seed=2)


def test_two_minutes_kill_at_least_twenty_five_processes_and_strike_with_every_kind() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(1, 11):
        strikes = draw(seconds=120, seed=seed)
        assert sum(strike.kind == "process-killed" for strike in strikes) >= 25
        assert [strike.at for strike in strikes] == sorted(strike.at for strike in strikes)
        kinds.update(strike.kind for strike in strikes)
    assert kinds.keys() == {*WEIGHTS, *ONCE, "process-killed"}
    assert {kind.partition("-")[0] for kind in kinds} == BY_SUBJECT.keys()
    assert FAULTS.keys() <= kinds.keys()


def test_every_durable_may_be_removed() -> None:
    assert set(DURABLES) == streams.CONSUMER.keys()


@pytest.mark.e2e
@pytest.mark.alone
@pytest.mark.timeout(420)
async def test_everything_fails_at_once_and_no_promise_is_broken(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("chaos")
    said: list[str] = []

    async with nursery(directory) as born:
        told = await run(directory, seconds=SECONDS, seed=SEED, say=said.append, nursery=born)

    assert told.is_clean, [*offenders(told), *said[-3:]]
    assert told.verdict.jobs == sum(
        (
            told.verdict.shown_once,
            len(told.shown_again),
            told.verdict.failed_by_provider,
            sum(end.is_expired and not end.is_shown_once for end in told.verdict.endings),
        )
    )
    assert told.kills >= 10
