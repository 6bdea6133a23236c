"""What bots, users, operators and KIE may do at any time."""

import itertools
from typing import Any, Final
from uuid import uuid4

import hypothesis.strategies as st
from hypothesis.stateful import initialize

from contracts.api import AttachTask, JobRequest, MatchOrphan, OneJob, TopUp
from contracts.refusals import Refusal, RefusalName
from contracts.reports import HmacClaim
from contracts.submissions import TaskCreated
from driven_store import BOTS
from job_store.store.creation import Created, Creation
from model_honest import Honest
from model_job import OPEN, Job
from model_speech import FIRST_PAYMENT, USERS, Life, bots, lives, paths, requests, states
from store_kit import LATER, callback, images, polled

MANY: Final = 5  # jobs; with more of them less happens to each
VERBS: Final = (
    "create",
    "create",
    "again",
    "topup",
    "topup",
    "attach",
    "match",
    "cancel",
    "cancel",
    "returned",
)


def code_of(answer: object) -> RefusalName | None:
    return answer.code if isinstance(answer, Refusal) else None


class Bots(Honest):
    """Verbs of the API; what they answer is what the model answers."""

    def a_job(self, data: st.DataObject) -> Job:
        """Pick a job, rather one that a result may still come to."""
        jobs = list(self.model.jobs.values())[::-1]
        waiting = [job for job in jobs if job.takes_results] or jobs
        return data.draw(st.sampled_from(waiting if data.draw(st.integers(0, 3)) else jobs))

    def a_task(self, data: st.DataObject, job: Job) -> str:
        return data.draw(st.sampled_from([f"task-{job.id}", "a", "b", "c"]))

    @initialize(lives=st.lists(lives(), min_size=1, max_size=3))
    def jobs_on_their_way(self, lives: list[Life]) -> None:
        for bot, user in itertools.product(BOTS, USERS):
            self.topup(bot, user, FIRST_PAYMENT, f"first of {user}")
        for life in lives:
            self.a_job_is_asked_for(life.bot, life.request)
            job = self.model.keys.get((life.bot, life.request.key))
            if job is not None and job.state in OPEN:
                self._bring(job, life)

    def _bring(self, job: Job, life: Life) -> None:
        """Let a job come as far as it has."""
        if life.how_far != "asked":
            self.submit_well(job)
        match life.how_far:
            case "succeeded":
                media = images(life.media)
                self.say(callback(job.id, media=media, received_at=self.clock.now))
            case "expired":
                self.clock.now = max(self.clock.now, job.expires)
                self.sweep()

    def submit_well(self, job: Job) -> None:
        """Have its task made, or named."""
        self.claim()
        if job.is_expected:
            self.attach(job, f"task-{job.id}")
        for asked in self.open_attempts("submit"):
            if asked.ask.job_id == job.id:
                self.begin(asked, asked.id)
                result = TaskCreated(task_id=f"task-{job.id}")
                self.submitted(asked, result, asked.id)

    def a_job_is_asked_for(self, bot: str, request: JobRequest) -> None:
        (answer,) = self.step(self.kit.creations.create([Creation(bot, request)]))
        self.same(code_of(answer), self.model.refusal_of(bot, request))
        if isinstance(answer, Created):
            known = self.model.keys.get((bot, request.key))
            self.same(answer.is_new, known is None)
            if known is None:
                self.model.created(bot, request, answer.job_id)
            else:
                self.same(answer.job_id, known.id)

    def the_bot_asks(self, data: st.DataObject) -> None:
        job = self.a_job(data)
        match data.draw(st.sampled_from(VERBS), label="for"):
            case "create" if len(self.model.jobs) < MANY:
                self.a_job_is_asked_for(data.draw(bots), data.draw(requests()))
            case "again":
                update = {"status": data.draw(st.sampled_from(["none", "auto"]))}
                self.a_job_is_asked_for(job.bot, job.asked.model_copy(update=update))
            case "topup":
                amount = data.draw(st.sampled_from([400, 400, 500]), label="amount")
                self.topup(job.bot, job.asked.user_id, amount, "the receipt")
            case "attach":
                self.attach(job, self.a_task(data, job))
            case "match" if self.model.tasks.orphans:
                self.match(job, data.draw(st.sampled_from(list(self.model.tasks.orphans))))
            case "cancel":
                self.cancel(job)
            case "returned":
                self.bring_back(job.bot, job.asked.chat_id)

    def topup(self, bot: str, user: int, amount: int, reference: str) -> None:
        payment: dict[str, Any] = {"user_id": user, "amount": amount, "reference": reference}
        ask = TopUp(currency="RUB", not_after=LATER, **payment)
        answer = self.step(self.kit.requests.topup(bot, ask))
        self.same(code_of(answer), self.model.topup(bot, ask))

    def attach(self, job: Job, task: str) -> None:
        ask = AttachTask(job_id=job.id, task_id=task, not_after=LATER)
        answer = self.step(self.kit.requests.attach(job.bot, ask))
        is_its_own = job.is_expected and self.model.tasks.attach(job, ask.task_id)
        self.same(code_of(answer), None if is_its_own else RefusalName.TASK_CONFLICT)

    def match(self, job: Job, task: str) -> None:
        """A person says whose an orphan is."""
        find = self.kit.value("SELECT id FROM orphans WHERE task_id = $1", task)
        ask = MatchOrphan(orphan_id=self.runner.run(find), job_id=job.id, not_after=LATER)
        answer = self.step(self.kit.requests.match(ask))
        is_its_own = job.has_task and self.model.tasks.attach(job, task)
        self.same(code_of(answer), None if is_its_own else RefusalName.TASK_CONFLICT)

    def cancel(self, job: Job) -> None:
        ask = OneJob(job_id=job.id, not_after=LATER)
        answer = self.step(self.kit.requests.cancel(job.bot, ask))
        self.same(code_of(answer), None if job.cancel() else RefusalName.TOO_LATE)


class Kie(Bots):
    """Reports by every way, about tasks known, unknown and another's."""

    def kie_calls_back(self, data: st.DataObject) -> None:
        path, state = data.draw(paths, label="path"), data.draw(states, label="state")
        media = images(data.draw(st.integers(0, 3), label="media"))
        if path == "poll":
            self.a_poll_is_answered(data, state=state, media=media)
            return
        job = self.a_job(data)
        named = {"by_url": job.id, "forged": job.id, "stranger": uuid4()}.get(path)
        verdict = {"signed": "match", "stale": "stale", "forged": "mismatch"}.get(path, "absent")
        report = callback(
            named,
            task_id=self.a_task(data, job),
            state=state,
            media=media,
            hmac=HmacClaim(verdict=verdict, account="default"),
            body=data.draw(st.sampled_from([b"one", b"two"])),
            received_at=self.clock.now,
        )
        self.say(report)

    def a_poll_is_answered(self, data: st.DataObject, **said: Any) -> None:
        for asked in self.pick(data, "poll"):
            self.say(polled(asked.ask, received_at=self.clock.now, **said))
