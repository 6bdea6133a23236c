"""Laws of the token bucket: no window holds more than its share, and a told wait is long enough."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback_gateway.domain.bucket import Bucket, Rate, Wait, full, take

RATES = st.builds(
    Rate,
    per_second=st.floats(min_value=0.1, max_value=10_000),
    burst=st.floats(min_value=1, max_value=1_000),
)
STARTS = st.floats(min_value=0, max_value=10_000_000)  # a machine that is up for four months
STEPS = st.lists(st.floats(min_value=0, max_value=20) | st.just(0.0), max_size=200)
JUMPS = st.lists(st.floats(min_value=-20, max_value=20) | st.just(0.0), max_size=200)
ROUNDED = 1e-3  # callbacks; what doubles of ten million seconds lose at ten thousand a second


def moments(start: float, steps: Sequence[float]) -> list[float]:
    passed = [start]
    for step in steps:
        passed.append(passed[-1] + step)
    return passed


def taken_at(rate: Rate, told: Sequence[float]) -> list[float]:
    """Ask at each moment, the bucket being full at the first; the moments that were granted one."""
    bucket, taken = full(rate, at=told[0]), []
    for at in told:
        match take(bucket, at=at):
            case Bucket() as rest:
                bucket = rest
                taken.append(at)
            case Wait():
                pass
    return taken


def emptied(rate: Rate, *, at: float) -> tuple[Bucket, Wait]:
    bucket = full(rate, at=at)
    for _ in range(int(rate.burst) + 2):
        match take(bucket, at=at):
            case Bucket() as rest:
                bucket = rest
            case wait:
                return bucket, wait
    pytest.fail("more than a burst at once")


@given(rate=RATES, start=STARTS, steps=STEPS)
def test_no_window_holds_more_than_a_burst_and_what_flowed_in(
    rate: Rate, start: float, steps: list[float]
) -> None:
    taken = taken_at(rate, moments(start, steps))

    for first, since in enumerate(taken):
        for count, until in enumerate(taken[first:], start=1):
            assert count <= rate.burst + rate.per_second * (until - since) + ROUNDED


@given(rate=RATES, start=STARTS, jumps=JUMPS)
def test_a_time_that_steps_back_and_comes_again_fills_nothing_twice(
    rate: Rate, start: float, jumps: list[float]
) -> None:
    told = moments(start, jumps)

    taken = taken_at(rate, told)

    assert len(taken) <= rate.burst + rate.per_second * (max(told) - start) + ROUNDED


def test_a_time_that_steps_back_costs_nothing() -> None:
    back = [100.0] + [40.0] * 10

    assert len(taken_at(Rate(per_second=1, burst=3), back)) == 3


@given(rate=RATES, start=STARTS)
def test_a_fresh_bucket_gives_its_whole_burst_at_once_and_no_more(rate: Rate, start: float) -> None:
    taken = taken_at(rate, [start] * (int(rate.burst) + 10))

    assert len(taken) == int(rate.burst + 1e-6)


@given(rate=RATES, start=STARTS)
def test_after_the_told_wait_one_is_taken(rate: Rate, start: float) -> None:
    bucket, wait = emptied(rate, at=start)

    assert wait.seconds >= 1
    assert isinstance(take(bucket, at=start + wait.seconds), Bucket)


@pytest.mark.parametrize("per_second, seconds", [(0.1, 10), (0.4, 3), (1, 1), (20, 1)])
def test_the_told_wait_is_whole_seconds_and_no_longer_than_needed(
    per_second: float, seconds: int
) -> None:
    _, wait = emptied(Rate(per_second=per_second, burst=1), at=5.0)

    assert wait == Wait(seconds)


def test_who_waits_has_taken_nothing() -> None:
    bucket, _ = emptied(Rate(per_second=1, burst=3), at=0)

    for at in (0.1, 0.5, 0.9):
        assert isinstance(take(bucket, at=at), Wait)
    assert isinstance(take(bucket, at=1.0), Bucket)


def test_an_idle_bucket_holds_no_more_than_a_burst() -> None:
    idle = [0.0] + [1_000_000.0] * 10

    assert len(taken_at(Rate(per_second=5, burst=3), idle)) == 1 + 3
