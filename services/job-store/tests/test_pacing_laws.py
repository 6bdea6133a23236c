"""Laws of the buckets: never faster than the limit, nobody waits for somebody else's backlog."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given

from job_store.domain.pacing import Ask, Bucket, Limits, decide, limits

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
LIMITS = limits(telegram_share=1, creates_per_10s=20)

calls = st.lists(
    st.tuples(
        st.integers(0, 3_000), st.sampled_from(["chat:a", "chat:b", "group:c"]), st.integers(1, 2)
    ),
    max_size=80,
)


def fresh(*keys: str) -> dict[str, Bucket]:
    return {key: Bucket(key=key, tat=LONG_AGO) for key in keys}


def went(rounds: Sequence[tuple[int, str, int]]) -> list[tuple[datetime, str, int]]:
    """Ask in the order of time, and again when told to wait; returns who went when."""
    buckets = fresh("bot:x", "chat:a", "chat:b", "group:c")
    gone = []
    for after, chat, units in sorted(rounds):
        now = NOW + timedelta(milliseconds=after * 10)
        answers, buckets = decide([Ask(keys=("bot:x", chat), units=units)], buckets, LIMITS, now)
        if answers[0] <= now:
            gone.append((now, chat, units))
    return gone


@given(calls)
def test_no_window_sees_more_than_burst_and_rate(rounds: list[tuple[int, str, int]]):
    gone = went(rounds)
    for key in ("bot:x", "chat:a", "chat:b", "group:c"):
        limit = LIMITS.of(key)
        mine = [(at, units) for at, chat, units in gone if key in ("bot:x", chat)]
        for first in range(len(mine)):
            for last in range(first, len(mine)):
                span = mine[last][0] - mine[first][0]
                # A call of two units passes a bucket that has room for one of them no sooner.
                assert (
                    sum(units for _, units in mine[first : last + 1])
                    <= limit.burst + span / limit.interval + 1e-6
                )


@given(st.integers(1, 300), st.integers(1, 2))
def test_one_chats_backlog_delays_no_other_chat(backlog: int, units: int):
    asks = [Ask(keys=("bot:x", "chat:a"), units=units)] * backlog + [
        Ask(keys=("bot:x", "chat:b"), units=units)
    ]
    answers, _ = decide(asks, fresh("bot:x", "chat:a", "chat:b"), LIMITS, NOW)
    assert answers[-1] == NOW


@given(st.integers(2, 300))
def test_who_waits_for_a_full_bot_waits_for_a_slot_of_his_own(chats: int):
    """Else everybody would come back at the same moment, to be looked at over and over."""
    keys = [f"chat:{n}" for n in range(chats)]
    busy = fresh("bot:x", *keys) | {"bot:x": Bucket(key="bot:x", tat=NOW + timedelta(seconds=60))}
    answers, _ = decide([Ask(keys=("bot:x", key), units=2) for key in keys], busy, LIMITS, NOW)
    assert len(set(answers)) == chats
    assert min(b - a for a, b in pairwise(answers)) >= LIMITS.bot.interval * 2


@given(st.integers(1, 3_600))
def test_nobody_goes_while_it_is_parked(seconds: int):
    until = NOW + timedelta(seconds=seconds)
    parked = fresh("bot:x") | {"chat:a": Bucket(key="chat:a", tat=LONG_AGO, parked_until=until)}
    answers, after = decide([Ask(keys=("bot:x", "chat:a"), units=1)] * 3, parked, LIMITS, NOW)
    assert answers == sorted(answers)
    assert answers[0] == until
    assert after == parked


@given(st.floats(0.01, 1), st.integers(1, 1_000))
def test_every_limit_lets_something_through(share: float, creates: int):
    made: Limits = limits(telegram_share=share, creates_per_10s=creates)
    for key in ("bot:x", "chat:x", "group:x", "creates:x", "polls:x"):
        answers, _ = decide([Ask(keys=(key,), units=2)], fresh(key), made, NOW)
        assert answers == [NOW]


@given(st.integers(1, 1_000))
def test_ten_seconds_of_creates_stay_within_what_kie_takes(creates: int):
    limit = limits(telegram_share=1, creates_per_10s=creates).creates
    # One is the least that ever moves, and an interval is whole microseconds.
    assert limit.burst + timedelta(seconds=10) / limit.interval <= max(creates, 2) + 1
