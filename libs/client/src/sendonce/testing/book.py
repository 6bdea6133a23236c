"""The double's job-store: what it answers, on one thread and without a database."""

import hashlib
from uuid import UUID

from contracts.api import (
    AttachTask,
    ByTask,
    Changes,
    ChangesView,
    ChatReturned,
    CreateJob,
    DeliverJob,
    Done,
    ExpectJob,
    JobRequest,
    JobsView,
    JobView,
    OneJob,
    Page,
)
from contracts.message import Value
from contracts.refusals import LimitHit, Refusal, RefusalName
from contracts.values import Cause, JobState, MoneyState, PartState, label, new_id
from sendonce.testing import parts
from sendonce.testing.entry import OPEN, Entry
from sendonce.testing.lives import Lives
from sendonce.testing.purse import CURRENCY, now


class Book(Lives):
    """What a bot asks of its jobs."""

    def create(self, ask: CreateJob | ExpectJob | DeliverJob) -> Value:
        """Make a job through any door; a known key answers with its job."""
        known = next((one for one in self.entries if one.view.key == ask.key), None)
        if known is not None:
            return _same_or_conflict(known, _digest(ask))
        refusal = self._refuse(ask)
        if refusal is not None:
            return refusal
        entry = self._open(ask)
        self.tell(entry)
        if isinstance(ask, DeliverJob):
            self.finish(entry, ask.media)
        return entry.view

    def attach(self, ask: AttachTask) -> Value:
        """Learn the task id of an expected job."""
        entry = self.by_id(ask.job_id)
        if entry is None:
            return _unknown(ask.job_id)
        if not isinstance(entry.request, ExpectJob):
            return Refusal(
                code=RefusalName.TASK_CONFLICT,
                message="this job's task is submitted by sendonce",
                hint="attach belongs to jobs made with expect",
                job_id=entry.view.id,
            )
        if any(one.owns(ask.task_id, like=entry) for one in self.entries if one is not entry):
            return Refusal(
                code=RefusalName.TASK_CONFLICT,
                message="this task id belongs to another job",
                hint="each KIE task has one job",
            )
        self.learn(entry, ask.task_id)
        return entry.view

    def get(self, ask: OneJob) -> Value:
        """Show one job."""
        entry = self._named(ask)
        return entry.view if entry else _unknown(ask.job_id or ask.key)

    def find_by_task_id(self, ask: ByTask) -> JobsView:
        """Show the jobs of a task."""
        return JobsView(jobs=tuple(e.view for e in self.entries if ask.task_id in e.view.task_ids))

    def undelivered(self, ask: Page) -> Value:
        """Show what is known and not shown, by id."""
        try:
            after = UUID(ask.after) if ask.after else UUID(int=0)
        except ValueError:
            return Refusal(
                code=RefusalName.INVALID_REQUEST, message="after: not a cursor of this list"
            )
        waiting = sorted(
            (e.view for e in self.entries if e.is_undelivered and e.view.id > after),
            key=lambda job: job.id,
        )
        page = tuple(waiting[: ask.limit])
        return JobsView(jobs=page, next=str(page[-1].id) if page else None)

    def cancel(self, ask: OneJob) -> Value:
        """Cancel what certainly was not submitted."""
        entry = self._named(ask)
        if entry is None:
            return _unknown(ask.job_id or ask.key)
        if entry.view.state is JobState.CANCELLED:
            return entry.view
        if entry.view.state is not JobState.CREATED:
            return Refusal(
                code=RefusalName.TOO_LATE,
                message=f"the job is {entry.view.state} and its submission has begun",
                hint="wait for its end; a failed job costs nothing",
                job_id=entry.view.id,
            )
        self._end(entry, JobState.CANCELLED, cause=Cause.USER, money="release")
        return entry.view

    def returned(self, ask: ChatReturned) -> Done:
        """Make parked results due again."""
        due = 0
        for entry in self.entries:
            if entry.view.chat_id == ask.chat_id:
                due += entry.count(PartState.PARKED)
                self.show(entry)
        return Done(changed=due)

    def changes(self, ask: Changes) -> ChangesView:
        """Events after a cursor."""
        page = tuple(self.events[ask.after : ask.after + ask.limit])
        return ChangesView(events=page, next=(page[-1].seq or 0) if page else ask.after)

    def _refuse(self, ask: JobRequest) -> Refusal | None:
        if isinstance(ask, DeliverJob) and not parts.showable(ask.media):
            return Refusal(
                code=RefusalName.INVALID_REQUEST,
                message="media: neither a link nor a text to show",
                hint="give each medium its url or text; nothing was changed",
            )
        if self.is_paused and isinstance(ask, CreateJob):
            return Refusal(
                code=RefusalName.PAUSED,
                message="submissions of this KIE account are paused",
                hint="the owner must see to the KIE key or its credits; nothing was charged",
                retryable=True,
            )
        currency = ask.currency or CURRENCY
        balance = self.purse.lacks((ask.user_id, currency), ask.price)
        if ask.price and balance is not None:
            return Refusal(
                code=RefusalName.INSUFFICIENT_FUNDS,
                message=f"the balance is {balance} and the price {ask.price} {currency} (minor units)",
                hint="top the wallet up; nothing was held",
            )
        return None if isinstance(ask, DeliverJob) else self._too_many(ask)

    def _too_many(self, ask: JobRequest) -> Refusal | None:
        mine = (entry for entry in self.entries if entry.view.user_id == ask.user_id)
        count = sum(entry.view.state in OPEN for entry in mine)
        if self.open_jobs is None or count < self.open_jobs:
            return None
        return Refusal(
            code=RefusalName.PAUSED,
            message=f"user {ask.user_id} has as many open jobs as the limit of {self.open_jobs} allows",
            hint="ask again with the same key in 30 s; no job was made, nothing was held",
            retryable=True,
            limit=LimitHit(whose="user", what="open_jobs", allowed=self.open_jobs),
            retry_after=30,
        )

    def _open(self, ask: CreateJob | ExpectJob | DeliverJob) -> Entry:
        job_id = new_id()
        is_expected = isinstance(ask, ExpectJob)
        url = f"{self.public_url}/callbacks/kie/{job_id}" if self.public_url else None
        view = JobView(
            id=job_id,
            label=label(job_id),
            bot=self.bot,
            key=ask.key,
            state=JobState.SUBMITTING if is_expected else JobState.CREATED,
            version=1,
            chat_id=ask.chat_id,
            user_id=ask.user_id,
            price=ask.price,
            currency=ask.currency or CURRENCY,
            money=MoneyState.NONE,
            callback_url=url if is_expected else None,
            status_message_id=ask.status if isinstance(ask.status, int) else None,
            created_at=now(),
        )
        entry = Entry(view, ask, _digest(ask))
        entry.change(money=self.purse.move(view, "hold"))
        self.entries.append(entry)
        return entry

    def _named(self, ask: OneJob) -> Entry | None:
        if ask.job_id is not None:
            return self.by_id(ask.job_id)
        return next((entry for entry in self.entries if entry.view.key == ask.key), None)


def _digest(ask: JobRequest) -> str:
    asked = ask.model_dump_json(exclude={"not_after", "status"}, exclude_defaults=True)
    return hashlib.sha256(f"{type(ask).__name__}:{asked}".encode()).hexdigest()


def _same_or_conflict(known: Entry, digest: str) -> Value:
    if known.digest == digest:
        return known.view.model_copy(update={"created": False})
    return Refusal(
        code=RefusalName.KEY_CONFLICT,
        message="this key made a job with another request",
        hint="use a new key for a new request; the same key only repeats the same one",
        job_id=known.view.id,
    )


def _unknown(what: object) -> Refusal:
    return Refusal(code=RefusalName.UNKNOWN_JOB, message=f"this bot has no job {what}"[:500])
