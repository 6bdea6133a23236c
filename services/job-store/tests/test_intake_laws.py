"""Laws of what users and bots may ask for: never more than the limit, refused at no cost, let in when told to come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given

from job_store.domain.intake import (
    SOONEST,
    Allowance,
    Intake,
    Knock,
    Quota,
    Standing,
    bot_key,
    pace_of,
    user_key,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
ANN, BOB = user_key("shop", 1), user_key("shop", 2)
SHOP = bot_key("shop")

knocks = st.lists(
    st.builds(
        Knock,
        bot=st.just("shop"),
        user_id=st.sampled_from([1, 2]),
        holds=st.booleans(),
        takes=st.none() | st.timedeltas(min_value=SOONEST, max_value=timedelta(minutes=15)),
    ),
    max_size=40,
)
limits = st.none() | st.integers(1, 12)
quotas = st.builds(
    Quota,
    **dict.fromkeys(
        ("user", "bot"),
        st.builds(Allowance, jobs_per_minute=limits, open_jobs=limits, open_holds=limits),
    ),
)


def knock(user_id: int = 1, *, holds: bool = False, takes: timedelta | None = None) -> Knock:
    return Knock(bot="shop", user_id=user_id, holds=holds, takes=takes)


def fresh(quota: Quota, now: datetime = NOW, **standings: Standing) -> Intake:
    empty = {key: Standing(tat=LONG_AGO) for key in (ANN, BOB, SHOP)}
    return Intake(quota, empty | standings, now)


def let_in(intake: Intake, asked: Sequence[Knock]) -> list[Knock]:
    return [one for one in asked if intake.refuse(one) is None]


@given(quotas, knocks)
def test_nobody_gets_more_than_the_limit_and_who_is_refused_counts_for_nothing(
    quota: Quota, asked: list[Knock]
):
    intake = fresh(quota)

    gone = let_in(intake, asked)

    for key, allowance, mine in (
        (ANN, quota.user, [one for one in gone if one.user_id == 1]),
        (BOB, quota.user, [one for one in gone if one.user_id == 2]),
        (SHOP, quota.bot, gone),
    ):
        holds = sum(one.holds for one in mine)
        standing = intake.standings[key]
        assert (standing.open_jobs, standing.open_holds) == (len(mine), holds)
        assert len(mine) <= (allowance.open_jobs or len(mine))
        assert holds <= (allowance.open_holds or holds)
        if allowance.jobs_per_minute is not None:
            assert len(mine) <= pace_of(allowance.jobs_per_minute).burst


@given(quotas, knocks)
def test_whoever_is_refused_met_a_limit_that_is_full(quota: Quota, asked: list[Knock]):
    intake = fresh(quota)

    for one in asked:
        before = dict(intake.standings)
        hit = intake.refuse(one)
        if hit is None:
            continue
        standing = before[SHOP if hit.whose == "bot" else user_key("shop", one.user_id)]
        assert intake.standings == before
        assert hit.wait > timedelta(0)
        assert hit.allowed == getattr(quota.of(hit.whose), hit.what)
        if hit.what != "jobs_per_minute":
            assert getattr(standing, hit.what) == hit.allowed


@given(st.integers(1, 200), st.lists(st.integers(0, 90_000), max_size=120))
def test_no_span_sees_more_jobs_than_half_a_minutes_at_once_and_the_rate(
    fast: int, moments: list[int]
):
    quota, standing, gone = Quota(user=Allowance(jobs_per_minute=fast)), Standing(tat=LONG_AGO), []
    for millis in sorted(moments):
        now = NOW + timedelta(milliseconds=millis)
        intake = Intake(quota, {ANN: standing}, now)
        if intake.refuse(knock()) is None:
            gone.append(now)
        standing = intake.standings[ANN]

    pace = pace_of(fast)
    for first, begin in enumerate(gone):
        for last in range(first, len(gone)):
            span = gone[last] - begin
            assert last - first + 1 <= pace.burst + span / pace.interval + 1e-6


@given(st.integers(1, 200), st.integers(1, 300))
def test_who_comes_back_when_told_is_let_in(fast: int, times: int):
    quota = Quota(user=Allowance(jobs_per_minute=fast))
    intake = fresh(quota)
    hits = [hit for _ in range(times) if (hit := intake.refuse(knock())) is not None]

    if hits:
        later = Intake(quota, intake.standings, NOW + hits[-1].wait)
        assert later.refuse(knock()) is None


def test_what_stands_in_the_way_the_longest_is_said():
    quota = Quota(user=Allowance(jobs_per_minute=60, open_jobs=1), bot=Allowance(open_holds=1))
    intake = fresh(quota)
    assert intake.refuse(knock(holds=True, takes=timedelta(minutes=2))) is None

    same = intake.refuse(knock(holds=True, takes=timedelta(minutes=2)))
    other = intake.refuse(knock(2, holds=True))
    free = intake.refuse(knock(2))

    assert same is not None
    assert (same.whose, same.what, same.wait) == ("user", "open_jobs", timedelta(minutes=2))
    assert other is not None
    assert (other.whose, other.what) == ("bot", "open_holds")
    assert free is None


def test_the_wait_for_a_place_is_what_the_oldest_still_needs_and_never_nothing():
    quota = Quota(user=Allowance(open_jobs=1))

    def wait(passed: timedelta) -> timedelta:
        full = Standing(tat=LONG_AGO, open_jobs=1, oldest_at=NOW - passed)
        hit = Intake(quota, {ANN: full}, NOW).refuse(knock(takes=timedelta(seconds=40)))
        assert hit is not None
        return hit.wait

    assert wait(timedelta(seconds=15)) == timedelta(seconds=25)
    assert wait(timedelta(hours=1)) == timedelta(seconds=10)


def test_a_clock_that_was_set_back_locks_nobody_out():
    quota = Quota(user=Allowance(jobs_per_minute=2))
    ahead = Standing(tat=NOW + timedelta(days=1))

    hit = Intake(quota, {ANN: ahead}, NOW).refuse(knock())

    assert hit is not None
    assert hit.wait == timedelta(seconds=30)
