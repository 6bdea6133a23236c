"""Laws of the submitter's decisions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.effects import Go
from contracts.message import Attempt
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.submissions import (
    SubmissionOutcome,
    SubmissionRequested,
    SubmissionResult,
    TaskCreated,
)
from submitter import domain

HOLDER = uuid4()
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def requested(*, attempt_id: UUID | None = None, call_timeout: float = 30.0) -> SubmissionRequested:
    attempt = Attempt(
        id=attempt_id or uuid4(), no=1, lease=45.0, not_after=NOW + timedelta(minutes=5)
    )
    return SubmissionRequested(
        id=f"submission:{attempt.id}",
        at=NOW,
        attempt=attempt,
        job_id=uuid4(),
        bot="shop",
        account="default",
        family="market",
        operation="generate",
        model="wan/3-0-video-prime",
        input={"prompt": "a lake"},
        callback_url="https://bot.example/callbacks/kie/token",
        call_timeout=call_timeout,
    )


seconds = st.floats(min_value=0, max_value=600, allow_nan=False)
anything = st.text(max_size=3_000) | st.sampled_from(["\x00", "\ud800", ""])
results: st.SearchStrategy[SubmissionResult] = st.one_of(
    st.text("0123456789abcdef", min_size=1, max_size=200).map(
        lambda task: TaskCreated(task_id=task)
    ),
    anything.map(lambda text: NotSent(reason=domain.line(text))),
    anything.map(lambda text: Ambiguous(reason=domain.line(text))),
    anything.map(lambda text: Later(reason=domain.line(text), after=10, scope="account")),
    anything.map(
        lambda text: Refused(code=domain.word(text, otherwise="unknown"), reason=domain.line(text))
    ),
)


@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.floats(0, 5)), min_size=1, max_size=120
    )
)
def test_no_span_ever_holds_more_starts_of_an_account_than_the_limit(
    moves: list[tuple[str, float]],
) -> None:
    pace, now = domain.Pace(limit=3, span=10.0), 0.0
    starts: dict[str, list[float]] = {"a": [], "b": []}

    for account, pause in moves:
        now += pause
        wait = pace.wait(account, now)
        pace.reserve(account, now + wait)
        starts[account].append(now + wait)

    for taken in starts.values():
        assert all(
            fourth - first >= 10.0 - 1e-6 for first, fourth in zip(taken, taken[3:], strict=False)
        )


def test_an_account_within_its_limit_never_waits() -> None:
    pace = domain.Pace(limit=3, span=10.0)

    waits = []
    for _ in range(3):
        waits.append(pace.wait("a", 1.0))
        pace.reserve("a", 1.0)

    assert waits == [0.0, 0.0, 0.0]
    assert pace.wait("a", 1.0) == pytest.approx(10.0)
    assert pace.wait("b", 1.0) == 0.0


@given(lease=seconds, elapsed=seconds, call_timeout=st.floats(min_value=0.1, max_value=300))
def test_a_call_that_is_made_ends_within_its_lease(
    lease: float, elapsed: float, call_timeout: float
) -> None:
    request = requested(call_timeout=call_timeout)

    slack = domain.slack(Go(lease=max(lease, 0.1)), request, elapsed=elapsed)

    if slack >= 0:
        assert elapsed + slack + call_timeout + domain.MARGIN == pytest.approx(max(lease, 0.1))
        assert elapsed + call_timeout < max(lease, 0.1)


@given(result=results)
def test_every_result_makes_a_valid_outcome_with_a_stable_id(result: SubmissionResult) -> None:
    request = requested()

    first = domain.outcome_of(request, result, holder=HOLDER, now=NOW)
    again = domain.outcome_of(request, result, holder=HOLDER, now=NOW + timedelta(seconds=9))

    assert SubmissionOutcome.read(first.wire()) == first
    assert first.id == again.id
    assert first.id.startswith(f"{request.attempt.id}:{result.kind}:")


def test_two_task_ids_of_one_attempt_are_two_facts() -> None:
    request = requested()

    first = domain.outcome_of(request, TaskCreated(task_id="a"), holder=HOLDER, now=NOW)
    second = domain.outcome_of(request, TaskCreated(task_id="b"), holder=HOLDER, now=NOW)

    assert first.id != second.id


def test_an_attempt_is_handled_once_at_a_time_and_its_outcome_is_repeated() -> None:
    attempts, request = domain.Attempts(), requested()
    outcome = domain.outcome_of(request, TaskCreated(task_id="a"), holder=HOLDER, now=NOW)

    assert attempts.take(request.attempt.id) is domain.Taken.FRESH
    assert attempts.take(request.attempt.id) is domain.Taken.BUSY
    attempts.settle(outcome)
    attempts.release(request.attempt.id)

    assert attempts.take(request.attempt.id) == outcome


def test_an_attempt_without_an_outcome_is_fresh_again() -> None:
    attempts, attempt_id = domain.Attempts(), uuid4()
    attempts.take(attempt_id)

    attempts.release(attempt_id)

    assert attempts.take(attempt_id) is domain.Taken.FRESH


@given(count=st.integers(1, 40))
def test_memory_is_bounded_and_the_newest_attempts_are_kept(count: int) -> None:
    attempts = domain.Attempts(keep=10)
    outcomes = [
        domain.outcome_of(requested(), NotSent(reason="x"), holder=HOLDER, now=NOW)
        for _ in range(count)
    ]

    for outcome in outcomes:
        attempts.take(outcome.attempt_id)
        attempts.settle(outcome)
        attempts.release(outcome.attempt_id)

    found = [attempts.take(outcome.attempt_id) for outcome in outcomes]
    assert [known for known in found if isinstance(known, SubmissionOutcome)] == outcomes[-10:]


def test_while_kie_is_silent_one_call_is_let_through_in_a_while() -> None:
    doubts = domain.Doubts()
    assert not doubts.stand("a")

    doubts.begin("a", 0.0)
    doubts.begin("a", domain.DOUBT / 2)
    asked = [doubts.admit_one("a", domain.DOUBT * share) for share in (0.9, 1.0, 1.1, 1.9, 2.0)]

    assert doubts.stand("a")
    assert not doubts.stand("b")
    assert asked == [False, True, False, False, True]
    doubts.end("a")
    assert not doubts.stand("a")
