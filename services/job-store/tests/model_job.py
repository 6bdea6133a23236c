"""One job of the model: its money, its task and its end, as the promises say them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.api import CreateJob, DeliverJob, ExpectJob, JobRequest
from contracts.deliveries import RefusalCode
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.submissions import SubmissionOutcome
from contracts.values import JobState, MoneyState, PartState, label
from model_delivery import SETTLED, Clock, Delivery, Work

LIFE = timedelta(hours=1)
WORKING_TIME = timedelta(minutes=15)  # kept for the task: nobody begins to make it any later
OPEN = {JobState.CREATED, JobState.SUBMITTING, JobState.RUNNING}
UNSUBMITTED = {JobState.CREATED, JobState.SUBMITTING}
USERS_FAULT = {RefusalCode.CHAT_GONE, RefusalCode.NO_RIGHTS}
ENTRIES = {
    MoneyState.NONE: [],
    MoneyState.HELD: ["hold"],
    MoneyState.CAPTURED: ["capture", "hold"],
    MoneyState.RELEASED: ["hold", "release"],
    MoneyState.WAIVED: ["hold", "release"],
    MoneyState.REFUNDED: ["capture", "hold", "refund"],
}


@dataclass
class Wallet:
    balance: int = 0
    held: int = 0


@dataclass
class Job:
    id: UUID
    bot: str
    asked: JobRequest
    wallet: Wallet
    clock: Clock
    state: JobState = JobState.CREATED
    money: MoneyState = MoneyState.NONE
    tasks: list[str] = field(default_factory=list)
    submit: Work | None = None
    delivery: Delivery = field(init=False)
    expires: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.expires = self.clock.now + LIFE
        self.delivery = Delivery(self.asked, self.clock)
        if self.asked.price:
            self._move_money(MoneyState.HELD, balance=-1, held=1)
        match self.asked:
            case CreateJob():
                self.submit = Work("submit", self.clock)
            case ExpectJob():
                self.state = JobState.SUBMITTING
            case DeliverJob():
                self.succeed(len(self.asked.media))

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """Stand short in a failing example."""
        printer.text(f"{self.state} job {label(self.id)}")

    @property
    def is_expected(self) -> bool:
        """Say whether the bot makes the task."""
        return isinstance(self.asked, ExpectJob)

    @property
    def has_task(self) -> bool:
        return not isinstance(self.asked, DeliverJob)

    @property
    def takes_results(self) -> bool:
        """Say whether a result still counts: also after our own end."""
        return self.state in OPEN or self.state is JobState.EXPIRED

    # -- money -----------------------------------------------------------------------------------

    def _move_money(self, to: MoneyState, *, balance: int = 0, held: int = 0) -> None:
        self.wallet.balance += balance * self.asked.price
        self.wallet.held += held * self.asked.price
        self.money = to

    def _capture(self) -> None:
        if self.money is MoneyState.HELD:
            self._move_money(MoneyState.CAPTURED, held=-1)
        elif self.money is MoneyState.RELEASED:
            self.money = MoneyState.WAIVED

    def _release(self) -> None:
        if self.money is MoneyState.HELD:
            self._move_money(MoneyState.RELEASED, balance=1, held=-1)

    def _refund(self) -> None:
        if self.money is MoneyState.CAPTURED:
            self._move_money(MoneyState.REFUNDED, balance=1)

    # -- the task --------------------------------------------------------------------------------

    def learn(self, task: str) -> None:
        if task not in self.tasks:
            self.tasks.append(task)
        if self.state in UNSUBMITTED:
            self.state = JobState.RUNNING
            self._task_exists()

    def _task_exists(self) -> None:
        """Whoever was making it has made it, and nobody begins to any more."""
        work = self.submit
        if work is not None and work.state in ("acting", "uncertain"):
            work.end("done")
        self._nobody_submits()

    def _nobody_submits(self) -> None:
        work = self.submit
        if work is not None and (work.is_live or work.state == "uncertain"):
            work.end("cancelled")

    def task_was_made(self) -> None:
        """Whoever says so: the call is over."""
        if self.submit is not None:
            self.submit.done_by_evidence()

    def not_submitted(self, outcome: SubmissionOutcome) -> None:
        work = self.submit
        assert work is not None
        if not work.listens_to(outcome.attempt_id, outcome.holder):
            return
        match outcome.result:
            case NotSent(after=after) | Later(after=after):
                work.again(after)
            case Ambiguous():
                work.end("uncertain")
            case Refused():
                work.end("refused")
                if self.state in UNSUBMITTED:
                    self.fail()

    def submission_is_silent(self, work: Work) -> None:
        if work.holder is None:
            work.again()
        else:
            work.end("uncertain")

    # -- its end ---------------------------------------------------------------------------------

    def succeed(self, media: int) -> None:
        self.state = JobState.SUCCEEDED
        self._capture()
        self._task_exists()
        self.delivery.make(media)

    def fail(self) -> None:
        self._end(JobState.FAILED)

    def failed_by_provider(self, task: str | None) -> None:
        """A failure ends its own task: the job only when that is its last, and it has not ended."""
        is_superseded = task is not None and bool(self.tasks) and self.tasks[-1] != task
        if self.state in OPEN and not is_superseded:
            self._task_exists()
            self.fail()

    @property
    def may_submit(self) -> bool:
        """Say whether what is left of its life is enough for a task."""
        return self.clock.now < self.expires - WORKING_TIME

    def expire(self) -> None:
        """End what is over, and what nobody has begun to submit and may begin no more."""
        work = self.submit
        is_unbegun = work is not None and work.is_live and work.holder is None
        is_over = self.expires <= self.clock.now or (is_unbegun and not self.may_submit)
        if self.state in OPEN and is_over:
            self._end(JobState.EXPIRED)

    def _end(self, state: JobState) -> None:
        self.state = state
        self._release()
        self._nobody_submits()
        self.delivery.say_so()

    def cancel(self) -> bool:
        """Cancel while certainly nothing was submitted; return whether it is cancelled."""
        is_pending = self.submit is not None and self.submit.state == "pending"
        if self.state in UNSUBMITTED and is_pending:
            self.state = JobState.CANCELLED
            self._release()
            self._nobody_submits()
        return self.state is JobState.CANCELLED

    def end_when_settled(self) -> None:
        """The last part that settles ends the job; what nobody saw through our fault is paid back."""
        parts = self.delivery.current
        if self.state is not JobState.SUCCEEDED or any(p.state not in SETTLED for p in parts):
            return
        if any(part.state is PartState.SHOWN for part in parts):
            self.state = JobState.DELIVERED
            return
        self.state = JobState.UNDELIVERABLE
        if not {part.refusal for part in parts} <= USERS_FAULT:
            self._refund()
            self.delivery.say_so()
