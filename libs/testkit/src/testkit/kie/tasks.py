"""The tasks this KIE has made, and the truth about them; old finished ones are forgotten."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from testkit.kie.media import Medium
from testkit.kie.plans import Plan
from testkit.kie.wire import OK, JsonObject

if TYPE_CHECKING:
    from testkit.kie.families import Family


class State(StrEnum):
    """Where a generation stands; every family has its own words for it."""

    WAITING = "waiting"
    GENERATING = "generating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


ENDS = frozenset({State.SUCCEEDED, State.FAILED})


class CallbackKind(StrEnum):
    """What a callback was meant to be."""

    PROGRESS = "progress"
    GARBAGE = "garbage"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAttempt:
    """One request to the receiver and what came of it."""

    kind: CallbackKind
    attempt: int  # 1 is the first try, 2 to 4 are retries
    at: float
    seconds: float
    status: int | None  # None: no answer at all
    error: str | None
    answer: str
    body: bytes = field(repr=False)
    rightly_signed: bool | None  # None: not signed

    @property
    def accepted(self) -> bool:
        """The receiver took it: nothing but 200 counts."""
        return self.status == OK  # KIE takes nothing but 200


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """One generation, from the accepted create call to its last callback."""

    task_id: str
    key: str  # what the book and the files know it by; only another form of a task has two names
    account: str
    family: "Family"
    request: JsonObject
    plan: Plan
    seconds: float
    medium: Medium
    outputs: int
    media_base: str
    created_at: float
    media_life: float | None = None
    state: State = State.WAITING
    stage: int = 0  # how many progress stages are behind
    ended_at: float | None = None
    credits_consumed: float = 0.0
    polls: int = 0
    callbacks: list[CallbackAttempt] = field(default_factory=list)
    wrong_signatures_left: int = 0
    callback_failed: bool = False  # the final callback was given up
    settled: bool = False  # nothing more will be sent
    released: asyncio.Event = field(default_factory=asyncio.Event)
    called_back: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ended(self) -> bool:
        """Succeeded or failed."""
        return self.state in ENDS

    @property
    def callback_url(self) -> str | None:
        """Where to call back; None if the request named nothing usable."""
        url = self.request.get(self.family.callback_key)
        return url if isinstance(url, str) and url else None

    @property
    def cost_seconds(self) -> int | None:
        """How long it took; None before the end."""
        return None if self.ended_at is None else round(self.ended_at - self.created_at)

    @property
    def media_urls(self) -> tuple[str, ...]:
        """The result URLs; none unless the task succeeded."""
        if self.state is not State.SUCCEEDED:
            return ()
        return tuple(self.media_url(number) for number in range(1, self.outputs + 1))

    @property
    def media_expired(self) -> bool:
        """The links of its results are older than KIE lets them be."""
        if self.media_life is None or self.ended_at is None:
            return False
        return time.time() - self.ended_at >= self.media_life

    def media_url(self, number: int, *, suffix: str | None = None) -> str:
        """Where one result is served, whether or not the task has ended."""
        return f"{self.media_base}/files/{self.key}/{number}.{suffix or self.medium.value}"


class TaskBook:
    """Every task by its id, and running totals that survive forgetting."""

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self.counts: Counter[str] = Counter()

    def add(self, task: Task) -> None:
        """Remember a task; the oldest settled one beyond the limit is forgotten."""
        self._tasks[task.key] = task
        self.counts["tasks"] += 1
        if len(self._tasks) > self._keep:
            self._forget_one()

    def find(self, key: str) -> Task | None:
        """The task of this key, which is its id unless it is another form of a task."""
        return self._tasks.get(key)

    def __iter__(self) -> Iterator[Task]:
        return iter(tuple(self._tasks.values()))

    def __len__(self) -> int:
        return len(self._tasks)

    def _forget_one(self) -> None:
        # Almost always the first one; a task still running is never forgotten.
        for task in self._tasks.values():
            if task.settled:
                del self._tasks[task.key]
                return
