"""The store in a few dictionaries: what every verb promises. It shares no code with what it judges."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from contracts.api import CreateJob, JobRequest, TopUp
from contracts.deliveries import (
    DeliveryOutcome,
    RefusalCode,
    Sent,
    Shown,
)
from contracts.outcomes import Later, Refused
from contracts.refusals import RefusalName
from contracts.reports import ReportReceived
from contracts.submissions import SubmissionOutcome, TaskCreated
from contracts.values import JobState, PartState
from model_delivery import Clock, Part
from model_desk import Desk
from model_job import ENTRIES, Job, Wallet
from model_tasks import Tasks

Picture: TypeAlias = dict[str, dict[str, object]]


class Model:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: dict[UUID, Job] = {}
        self.keys: dict[tuple[str, str], Job] = {}
        self.wallets: dict[tuple[str, int], Wallet] = {}
        self.payments: dict[tuple[str, str], tuple[int, int]] = {}
        self.tasks = Tasks(clock, self.jobs)
        self.desk = Desk(clock, self.jobs)
        self.known: set[str] = set()  # ids of outcomes

    # -- the doors -------------------------------------------------------------------------------

    def topup(self, bot: str, ask: TopUp) -> RefusalName | None:
        wallet = self.wallets.setdefault((bot, ask.user_id), Wallet())
        payment = (ask.user_id, ask.amount)
        if (bot, ask.reference) not in self.payments:
            self.payments[bot, ask.reference] = payment
            wallet.balance += ask.amount
        is_same = self.payments[bot, ask.reference] == payment
        return None if is_same else RefusalName.REFERENCE_CONFLICT

    def refusal_of(self, bot: str, asked: JobRequest) -> RefusalName | None:
        """Say why a request changes nothing; a key that is known answers with its job."""
        before = self.keys.get((bot, asked.key))
        if before is not None:
            return None if _same(before.asked, asked) else RefusalName.KEY_CONFLICT
        if isinstance(asked, CreateJob) and self.clock.now < self.desk.paused_until:
            return RefusalName.PAUSED
        wallet = self.wallets.get((bot, asked.user_id), Wallet())
        return RefusalName.INSUFFICIENT_FUNDS if wallet.balance < asked.price else None

    def created(self, bot: str, asked: JobRequest, job_id: UUID) -> None:
        assert job_id not in self.jobs, "one id for two jobs"
        wallet = self.wallets.get((bot, asked.user_id), Wallet())
        job = self.jobs[job_id] = Job(job_id, bot, asked, wallet, self.clock)
        self.keys[bot, asked.key] = job

    def returned(self, bot: str, chat_id: int) -> int:
        found = [j for j in self.jobs.values() if (j.bot, j.asked.chat_id) == (bot, chat_id)]
        return sum(job.delivery.returned() for job in found)

    def chats_left(self) -> list[tuple[str, int]]:
        """Name the chats whose users must come back before they can be shown what waits."""
        return sorted(
            {
                (job.bot, job.asked.chat_id)
                for job in self.jobs.values()
                if any(part.state is PartState.PARKED for part in job.delivery.parts)
            }
        )

    # -- what workers ask and answer -------------------------------------------------------------

    def may_begin(self, attempt_id: UUID, holder: UUID) -> bool:
        attempt = self.desk.attempts[attempt_id]
        job, work = attempt.job, attempt.work
        wanted = {"submit": JobState.SUBMITTING, "send": JobState.SUCCEEDED}[work.kind]
        is_open = work.until is not None and work.until > self.clock.now
        in_time = work.kind != "submit" or job.may_submit
        return work.listens_to(attempt_id, holder) and is_open and in_time and job.state is wanted

    def begun(self, attempt_id: UUID, holder: UUID, *, lease: float) -> None:
        work = self.desk.attempts[attempt_id].work
        work.holder, work.until = holder, self.clock.after(lease)

    def carried(self, attempt_id: UUID, message: int) -> int | None:
        attempt = self.desk.attempts[attempt_id]
        assert attempt.part is not None
        return attempt.job.delivery.carried(attempt.part, attempt_id, message)

    def hear(self, batch: Sequence[SubmissionOutcome | DeliveryOutcome | ReportReceived]) -> bool:
        """Apply what came together; False when one names a task that is another job's."""
        named = [self.tasks.job_named(one) for one in batch if isinstance(one, ReportReceived)]
        for message in batch:
            match message:
                case SubmissionOutcome():
                    is_heard = self._submitted(message)
                case DeliveryOutcome():
                    is_heard = self._delivered(message)
                case ReportReceived():
                    is_heard = self.tasks.heard(message, named.pop(0))
            if not is_heard:
                return False
        return True

    def _submitted(self, outcome: SubmissionOutcome) -> bool:
        job, result = self.jobs[outcome.job_id], outcome.result
        if outcome.id in self.known:
            return True
        if isinstance(result, TaskCreated):
            if not self.tasks.attach(job, result.task_id):
                return False
            job.task_was_made()
        else:
            job.not_submitted(outcome)
        if isinstance(result, Later) and result.needs_owner:
            until = self.clock.after(result.after)
            self.desk.paused_until = max(self.desk.paused_until, until)
        self.known.add(outcome.id)
        return True

    def _delivered(self, outcome: DeliveryOutcome) -> bool:
        if outcome.id in self.known:
            return True
        self.known.add(outcome.id)
        attempt = self.desk.attempts[outcome.attempt_id]
        job, work, part = attempt.job, attempt.work, attempt.part
        match work.kind, outcome.result:
            case "show", _ if part is not None:
                job.delivery.on_show(part, outcome)
            case "send", Sent() as sent:
                job.delivery.on_sent(sent, self.desk.parts)
            case "send", _ if part is not None:
                job.delivery.on_send(part, outcome)
            case "stage", _ if part is not None:
                _staged(job, part, outcome)
            case "post_status", Shown(message_id=message):
                job.delivery.lines.add(message)
        job.end_when_settled()
        return True

    # -- the clocks ------------------------------------------------------------------------------

    def end_leases(self) -> None:
        for attempt_id, attempt in self.desk.attempts.items():
            job, work, part = attempt.job, attempt.work, attempt.part
            if work.attempt != attempt_id or work.until is None or work.until >= self.clock.now:
                continue
            if work.kind == "submit":
                job.submission_is_silent(work)
            elif work.kind in ("show", "send") and part is not None:
                job.delivery.on_silence(part, work)
            else:
                work.end("over")

    def expire_jobs(self) -> None:
        for job in self.jobs.values():
            job.expire()

    def settle(self) -> None:
        """End a transaction: what waited for a task meets its job."""
        self.tasks.meet()
        for job, work, part in self.desk.placed():
            if part is not None and job.delivery.waits(part):
                work.since = self.clock.now

    # -- all of it -------------------------------------------------------------------------------

    def picture(self) -> Picture:
        """Everything that the store's rows must say."""
        jobs = self.jobs.items()
        parts = [(f"{i} {p.delivery}.{p.ordinal}", p) for i, j in jobs for p in j.delivery.parts]
        works = [(f"{i} submit", j.submit) for i, j in jobs]
        works += [(f"{name} {p.work.kind}", p.work) for name, p in parts if p.work is not None]
        return {
            "jobs": {str(i): [j.state, j.money, sorted(j.tasks)] for i, j in jobs},
            "entries": {str(i): ENTRIES[j.money] for i, j in jobs},
            "wallets": {f"{b} {u}": [w.balance, w.held] for (b, u), w in self.wallets.items()},
            "orphans": {task: orphan.state for task, orphan in self.tasks.orphans.items()},
            "parts": {name: [p.state, p.message, p.showings] for name, p in parts},
            "works": {
                name: [w.state, str(w.attempt) if w.attempt else None]
                for name, w in works
                if w is not None
            },
            "unwatched": {},  # a task that runs is asked about, always
        }


def _same(one: JobRequest, other: JobRequest) -> bool:
    """Say whether two requests ask for the same, whatever status message and deadline they name."""
    beside = {"status", "not_after"}
    return type(one) is type(other) and one.model_dump(exclude=beside) == other.model_dump(
        exclude=beside
    )


def _staged(job: Job, part: Part, outcome: DeliveryOutcome) -> None:
    is_current = part.stage is not None and part.stage.attempt == outcome.attempt_id
    if part.stage is not None and (is_current or isinstance(outcome.result, Shown)):
        part.stage.end("over")
    match outcome.result:
        case Refused(code=RefusalCode.MEDIA_GONE) if is_current:
            job.delivery.lose_medium(part)
