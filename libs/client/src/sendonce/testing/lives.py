"""How the double's jobs come to their ends: money, parts and events move together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from contracts.api import JobView
from contracts.events import JobEvent
from contracts.reports import ReportedMedia
from contracts.values import Cause, FailureClass, JobState, MoneyState, PartState
from sendonce.errors import InvalidRequest
from sendonce.testing import parts
from sendonce.testing.entry import OPEN, UNSUBMITTED, Entry
from sendonce.testing.purse import Purse, now


def _nothing() -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Lives:
    """Every job of one bot, and what may become of it."""

    bot: str
    public_url: str | None
    entries: list[Entry] = field(default_factory=list)
    events: list[JobEvent] = field(default_factory=list)
    purse: Purse = field(default_factory=Purse)
    blocked: set[int] = field(default_factory=set)
    is_paused: bool = False
    open_jobs: int | None = None  # how many a user may have at once
    tasks: int = 0
    on_news: Callable[[], None] = _nothing

    def by_id(self, job_id: UUID) -> Entry | None:
        """A job, if there is one."""
        return next((entry for entry in self.entries if entry.view.id == job_id), None)

    def start(self, entry: Entry) -> JobView:
        """KIE took the task."""
        self._require(entry, OPEN, "start")
        if not entry.view.task_ids:
            self.tasks += 1
            self.learn(entry, f"task-{self.tasks}")
        return entry.view

    def succeed(self, entry: Entry, media: Sequence[ReportedMedia]) -> JobView:
        """KIE is done, and what can be shown is."""
        self._reach_success(entry)
        self.finish(entry, media)
        return entry.view

    def fail(self, entry: Entry, failure: FailureClass, error: str) -> JobView:
        """KIE gave up."""
        self.start(entry)
        entry.change(failure=failure, error=error)
        self._end(entry, JobState.FAILED, cause=Cause.PROVIDER, money="release")
        return entry.view

    def expire(self, entry: Entry) -> JobView:
        """Nothing came in time."""
        self._require(entry, OPEN, "expire")
        entry.change(failure=FailureClass.TIMEOUT)
        self._end(entry, JobState.EXPIRED, cause=Cause.OURS, money="release")
        return entry.view

    def fail_to_show(self, entry: Entry) -> JobView:
        """KIE is done, and no way to show it worked."""
        if entry.view.state is not JobState.SUCCEEDED:
            self._reach_success(entry)
            self._capture(entry)
            self._move(entry, JobState.SUCCEEDED)
        entry.mark(PartState.REFUSED)
        refunds = "refund" if entry.view.money is MoneyState.CAPTURED else None
        self._end(entry, JobState.UNDELIVERABLE, cause=Cause.OURS, money=refunds)
        return entry.view

    def learn(self, entry: Entry, task_id: str) -> None:
        """A task id became known."""
        if task_id not in entry.view.task_ids:
            entry.change(task_ids=(*entry.view.task_ids, task_id))
        if entry.view.state in UNSUBMITTED:
            self._move(entry, JobState.RUNNING)

    def _reach_success(self, entry: Entry) -> None:
        self._require(entry, OPEN | {JobState.EXPIRED}, "succeed")
        if entry.view.state in OPEN:
            self.start(entry)

    def finish(self, entry: Entry, media: Sequence[ReportedMedia]) -> None:
        """The result is known: take the price, and show what can be shown."""
        self._capture(entry)
        entry.change(
            parts=parts.of(media, caption=entry.request.caption),
            failure=None,
            error=None,
            cause=None,
            ended_at=None,
        )
        if entry.is_shown_by_bot:
            entry.change(cause=Cause.PROVIDER, ended_at=now())
        self._move(entry, JobState.SUCCEEDED)
        self.show(entry)

    def _capture(self, entry: Entry) -> None:
        match entry.view.money:
            case MoneyState.HELD:
                entry.change(money=self.purse.move(entry.view, "capture"))
            case MoneyState.RELEASED:
                # The expiry gave the money back; the late result is a gift.
                entry.change(money=MoneyState.WAIVED)
            case _:
                pass

    def show(self, entry: Entry) -> None:
        """Show what is due, unless the user blocked the bot."""
        if not entry.is_undelivered:
            return
        if entry.view.chat_id in self.blocked:
            entry.mark(PartState.PARKED)
            return
        entry.mark(PartState.SHOWN)
        self._end(entry, JobState.DELIVERED, cause=Cause.PROVIDER, money=None)

    def _end(self, entry: Entry, state: JobState, *, cause: Cause, money: str | None) -> None:
        moved = self.purse.move(entry.view, money) if money else entry.view.money
        entry.change(money=moved, cause=cause, ended_at=now(), callback_url=None)
        self._move(entry, state)

    def _move(self, entry: Entry, state: JobState) -> None:
        entry.change(state=state, version=entry.view.version + 1)
        self.tell(entry)

    def tell(self, entry: Entry) -> None:
        """Write the event of the state the job has come to."""
        self.events.append(entry.event(seq=len(self.events) + 1, at=now()))
        self.on_news()

    def _require(self, entry: Entry, states: frozenset[JobState], verb: str) -> None:
        if entry.view.state not in states:
            raise InvalidRequest(f"a job that is {entry.view.state} cannot {verb}")
