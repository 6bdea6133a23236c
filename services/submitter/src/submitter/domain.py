"""When one createTask may be made and how its outcome is told. Pure: no clock, no network."""

from collections import OrderedDict, deque
from datetime import datetime
from enum import Enum, auto
from hashlib import sha256
from typing import Final
from uuid import UUID

from contracts.effects import Go
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.submissions import (
    SubmissionOutcome,
    SubmissionRequested,
    SubmissionResult,
    TaskCreated,
)
from kie.body import storable

MARGIN: Final = 3.0  # seconds of a lease left for the outcome to reach job-store
LIMIT: Final = 20  # createTask calls KIE takes per account …
SPAN: Final = 10.0  # … in this many seconds; it refuses the rest without queueing
# Attempts; at KIE's rate more than half an hour of one account, far above ack_wait.
REMEMBERED: Final = 5_000
DOUBT: Final = 60.0  # seconds; then one call is made, whether KIE answers questions or not
LONGEST_WORD: Final = 100
LONGEST_LINE: Final = 2_000
LONGEST_TASK_ID: Final = 200


class Taken(Enum):
    """What a handling finds when it takes up an attempt."""

    FRESH = auto()  # nobody in this process has seen it
    BUSY = auto()  # another handling holds it right now


class Attempts:
    """What this process knows of recent attempts; the oldest settled ones are forgotten first."""

    def __init__(self, keep: int = REMEMBERED) -> None:
        self._keep = keep
        self._busy: set[UUID] = set()
        self._settled: OrderedDict[UUID, SubmissionOutcome] = OrderedDict()

    def take(self, attempt_id: UUID) -> Taken | SubmissionOutcome:
        """Begin to handle an attempt, or return what came of it before."""
        if (known := self._settled.get(attempt_id)) is not None:
            self._settled.move_to_end(attempt_id)
            return known
        if attempt_id in self._busy:
            return Taken.BUSY
        self._busy.add(attempt_id)
        return Taken.FRESH

    def settle(self, outcome: SubmissionOutcome) -> None:
        """Remember an outcome before it is told: a redelivery repeats it instead of acting."""
        self._settled[outcome.attempt_id] = outcome
        while len(self._settled) > self._keep:
            self._settled.popitem(last=False)

    def release(self, attempt_id: UUID) -> None:
        """End the handling of an attempt; its outcome, if there is one, stays."""
        self._busy.discard(attempt_id)


class Doubts:
    """Accounts whose last createTask had no answer.

    Such a call may have made a task nobody will ever hear of. A KIE that is away must not be given one
    job after the other: it is asked something harmless first, and while it is silent they wait. Once in
    ``DOUBT`` seconds a call is made all the same, for the question may fail for reasons of its own.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def begin(self, account: str, now: float) -> None:
        """Note a call without an answer; a doubt that stands already is not made longer."""
        self._until.setdefault(account, now + DOUBT)

    def end(self, account: str) -> None:
        """Note that KIE answered."""
        self._until.pop(account, None)

    def stand(self, account: str) -> bool:
        """Tell whether KIE must be asked before it is called."""
        return account in self._until

    def admit_one(self, account: str, now: float) -> bool:
        """Tell whether a call may be made although nothing is answered; the next such is a ``DOUBT`` later."""
        if now < self._until[account]:
            return False
        self._until[account] = now + DOUBT
        return True


class Pace:
    """At most ``limit`` starts of an account in any ``span``: the net below job-store's pacing."""

    def __init__(self, *, limit: int = LIMIT, span: float = SPAN) -> None:
        self._limit = limit
        self._span = span
        self._starts: dict[str, deque[float]] = {}

    def wait(self, account: str, now: float) -> float:
        """Return the seconds until the next free start of an account."""
        starts = self._starts.get(account)
        if starts is None or len(starts) < self._limit:
            return 0.0
        return max(0.0, starts[0] + self._span - now)

    def reserve(self, account: str, at: float) -> None:
        """Take one start at a moment that ``wait`` allowed."""
        starts = self._starts.setdefault(account, deque(maxlen=self._limit))
        starts.append(max(at, starts[-1]) if starts else at)


def slack(go: Go, request: SubmissionRequested, *, elapsed: float) -> float:
    """Return how long the call may still be put off; below zero it must not be made at all.

    ``elapsed`` counts from the moment the question was sent: the lease may have begun then.
    """
    return go.lease - elapsed - request.call_timeout - MARGIN


def is_first_delivery(delivered: int) -> bool:
    """Tell whether nobody else can have acted on the message.

    Whoever was never told ``go`` may vouch for "not sent" only then: an earlier receiver of the
    same message may have made the call, and "not sent" would have it made again.
    """
    return delivered <= 1


def outcome_of(
    request: SubmissionRequested,
    result: SubmissionResult,
    *,
    holder: UUID,
    now: datetime,
    credits_left: float | None = None,
) -> SubmissionOutcome:
    """Make the fact that is told; the same attempt and result always get the same id."""
    attempt_id = request.attempt.id
    evidence = sha256(_evidence(result).encode()).hexdigest()[:16]
    return SubmissionOutcome(
        id=f"{attempt_id}:{result.kind}:{evidence}",
        at=now,
        trace=request.trace,
        attempt_id=attempt_id,
        holder=holder,
        job_id=request.job_id,
        result=result,
        credits=credits_left,
    )


def _evidence(result: SubmissionResult) -> str:
    match result:
        case TaskCreated():
            return result.task_id
        case Refused():
            return result.code
        case NotSent() | Later() | Ambiguous():
            return result.reason


def line(text: str) -> str:
    """Bound foreign text to what a message can carry."""
    return storable(text)[:LONGEST_LINE]


def word(text: str, *, otherwise: str) -> str:
    """Bound a foreign code to what a message can carry."""
    return storable(text)[:LONGEST_WORD] or otherwise


def is_task_id(text: str) -> bool:
    """Tell whether a message can carry the task id as it is."""
    return 0 < len(text) <= LONGEST_TASK_ID and storable(text) == text
