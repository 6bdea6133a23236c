"""Laws of the buckets: never faster than the limit, nobody waits for somebody else's backlog."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given

from job_store.domain.pacing import SPARE_PAUSE, Ask, Bucket, Limits, Turn, decide, limits

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


@given(st.integers(121, 7_200))
def test_fault_52_a_bucket_that_a_clock_set_back_left_in_the_future_counts_as_just_spent(
    seconds: int,
):
    ahead = NOW + timedelta(seconds=seconds)
    keys = ("bot:x", "chat:a", "group:c", "creates:k", "polls:k", "hints:k")
    for key in keys:
        stale = {key: Bucket(key=key, tat=ahead)}
        (at,), after = decide([Ask(keys=(key,), units=1)], stale, LIMITS, NOW)
        limit = LIMITS.of(key)
        assert NOW < at <= NOW + limit.burst * limit.interval
        assert decide([Ask(keys=(key,), units=1, turn=Turn.QUEUED)], after, LIMITS, at)[0] == [at]


@given(st.integers(1, 3_600))
def test_nobody_goes_while_it_is_parked(seconds: int):
    until = NOW + timedelta(seconds=seconds)
    parked = fresh("bot:x") | {"chat:a": Bucket(key="chat:a", tat=LONG_AGO, parked_until=until)}
    answers, after = decide([Ask(keys=("bot:x", "chat:a"), units=1)] * 3, parked, LIMITS, NOW)
    assert answers == sorted(answers)
    assert answers[0] == until
    assert {key: bucket.tat for key, bucket in after.items()} == dict.fromkeys(parked, LONG_AGO)


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


# -- the queue ---------------------------------------------------------------------------------------


class Waiting:
    """Rounds of claims: whoever is told to wait comes back at his slot, as the store does it."""

    def __init__(self, *keys: str) -> None:
        self.now = NOW
        self.buckets = fresh("bot:x", *keys)
        self.asks: dict[str, tuple[datetime, Ask]] = {}
        self.went: dict[str, datetime] = {}

    def come(self, name: str, chat: str, units: int = 1) -> None:
        self.asks[name] = (self.now, Ask(keys=("bot:x", chat), units=units))

    def round(self) -> None:
        due = sorted(
            ((at, name) for name, (at, _) in self.asks.items() if at <= self.now),
            key=lambda each: each[0],
        )
        asks = [self.asks[name][1] for _, name in due]
        answers, self.buckets = decide(asks, self.buckets, LIMITS, self.now)
        for (_, name), asked, at in zip(due, asks, answers, strict=True):
            if at <= self.now:
                self.went[name] = self.now
                del self.asks[name]
            else:
                self.asks[name] = (at, replace(asked, turn=Turn.QUEUED))

    def run(self, seconds: float) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.round()
            self.now += timedelta(seconds=0.25)


albums = st.lists(st.integers(1, 10), min_size=1, max_size=12)


@given(albums)
def test_messages_of_one_chat_go_in_the_order_they_came(units: list[int]):
    waiting = Waiting("chat:a")
    for no, size in enumerate(units):
        waiting.come(f"{no:03}", "chat:a", size)
        waiting.round()
    waiting.run(sum(units) + 20)
    assert list(waiting.went) == sorted(waiting.went)
    assert not waiting.asks


@given(albums, st.integers(1, 8))
def test_one_chats_albums_never_delay_another_chat(units: list[int], others: int):
    """Whatever waits for chat a waits in chat a's line; the bot's own limit stays free."""
    waiting = Waiting("chat:a", *(f"chat:{n}" for n in range(others)))
    for no, size in enumerate(units * 20):
        waiting.come(f"a{no}", "chat:a", size)
    waiting.run(20)
    for n in range(others):
        waiting.come(f"b{n}", f"chat:{n}")
    came = waiting.now
    waiting.run(1)
    assert [waiting.went.get(f"b{n}") for n in range(others)] == [came] * others


@given(st.integers(1, 12))
def test_a_short_stop_of_the_bot_gives_no_chat_the_whole_line(albums_of_a: int):
    """A backlog that waits for bot and chat alike stands in the bot's line once."""
    busy = fresh("bot:x", "chat:a", "chat:b")
    busy["bot:x"] = Bucket(key="bot:x", tat=NOW + LIMITS.bot.interval * LIMITS.bot.burst)
    backlog = [Ask(keys=("bot:x", "chat:a"), units=10)] * albums_of_a
    answers, _ = decide([*backlog, Ask(keys=("bot:x", "chat:b"), units=1)], busy, LIMITS, NOW)
    assert answers[-1] <= answers[0] + LIMITS.bot.interval * 10


@given(albums)
def test_slots_that_a_stop_made_void_are_given_anew_one_by_one(units: list[int]):
    until = NOW + timedelta(seconds=60)
    stopped = fresh("bot:x") | {"chat:a": Bucket(key="chat:a", tat=LONG_AGO, parked_until=until)}
    asks = [Ask(keys=("bot:x", "chat:a"), units=size, turn=Turn.QUEUED) for size in units]
    answers, after = decide(asks, stopped, LIMITS, NOW)
    gaps = [later - earlier for earlier, later in pairwise(answers)]
    assert answers[0] == until
    assert gaps == [size * LIMITS.chat.interval for size in units[:-1]]
    assert after["chat:a"].tail == answers[-1] + units[-1] * LIMITS.chat.interval


def test_an_album_gets_its_turn_in_a_chat_that_never_rests():
    waiting = Waiting("chat:a")
    for second in range(120):
        waiting.come(f"one {second}", "chat:a")
        if second == 10:
            waiting.come("album", "chat:a", 10)
        waiting.run(1)
    assert waiting.went["album"] - NOW < timedelta(seconds=45)


@given(st.floats(0, 30))
def test_a_spare_slot_leaves_half_the_burst(used: float):
    for key in ("chat:a", "group:c"):
        limit = LIMITS.of(key)
        busy = fresh("bot:x") | {key: Bucket(key=key, tat=NOW + used * limit.interval)}
        asked = Ask(keys=("bot:x", key), units=1, turn=Turn.SPARE)
        (at,), after = decide([asked], busy, LIMITS, NOW)
        assert (at == NOW) == (used + 1 <= limit.burst / 2)
        assert at in (NOW, NOW + SPARE_PAUSE)
        assert at == NOW or after == busy


def test_a_spare_ask_goes_after_everybody_and_stands_in_nobodys_way():
    spare = Ask(keys=("bot:x", "chat:a"), units=1, turn=Turn.SPARE)
    result = Ask(keys=("bot:x", "chat:a"), units=2)
    answers, after = decide([spare, result], fresh("bot:x", "chat:a"), LIMITS, NOW)
    assert answers == [NOW + SPARE_PAUSE, NOW]
    assert after["chat:a"].tail is None


def test_a_spare_ask_never_goes_while_others_wait():
    queue = {"chat:a": Bucket(key="chat:a", tat=LONG_AGO, tail=NOW + timedelta(seconds=1))}
    asked = Ask(keys=("bot:x", "chat:a"), units=1, turn=Turn.SPARE)
    answers, _ = decide([asked], fresh("bot:x") | queue, LIMITS, NOW)
    assert answers == [NOW + SPARE_PAUSE]


def test_who_only_passes_by_leaves_no_line_behind():
    hints = [Ask(keys=("hints:a",), units=1, turn=Turn.PASSING)] * 9
    answers, after = decide(hints, fresh("hints:a"), LIMITS, NOW)
    assert sum(at == NOW for at in answers) == LIMITS.hints.burst
    assert after["hints:a"].tail is None
