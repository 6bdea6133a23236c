"""What the model lets be handed out, and what should have been: every ask of a worker is judged here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias
from uuid import UUID

from contracts.deliveries import DeliveryRequested, Existing, PostStatus, Send, Show, Stage
from contracts.polls import PollRequested
from contracts.submissions import SubmissionRequested
from contracts.values import JobState, PartState
from model_delivery import SETTLED, Clock, Part, Work
from model_job import OPEN, UNSUBMITTED, Job

PATIENCE: Final = timedelta(minutes=5)  # what is due goes within this; a carrier may wait for four

Ask: TypeAlias = SubmissionRequested | DeliveryRequested | PollRequested
Places: TypeAlias = Mapping[UUID, tuple[int, int]]  # a part's delivery and ordinal


@dataclass
class Attempt:
    job: Job
    work: Work
    part: Part | None = None


class Desk:
    """All attempts there ever were."""

    def __init__(self, clock: Clock, jobs: dict[UUID, Job]) -> None:
        self.clock = clock
        self.jobs = jobs
        self.attempts: dict[UUID, Attempt] = {}
        self.parts: dict[UUID, Part] = {}
        self.paused_until = clock.now  # all bots have one KIE account

    def is_open(self, attempt_id: UUID) -> bool:
        return self.attempts[attempt_id].work.attempt == attempt_id

    def is_overtaken(self, attempt_id: UUID) -> bool:
        """Say whether another attempt at the same work is open."""
        return self.attempts[attempt_id].work.attempt not in (None, attempt_id)

    def handed_out(self, ask: Ask, places: Places) -> None:
        """Judge what a worker is asked: whether anybody may do this now."""
        job = self.jobs[ask.job_id]
        assert ask.attempt.id not in self.attempts, "a token that was given before"
        match ask:
            case SubmissionRequested():
                assert job.state in UNSUBMITTED, "submitted although its task exists or it is over"
                assert self.clock.now >= self.paused_until, (
                    "submitted although the account is paused"
                )
                assert job.submit is not None
                job.state = JobState.SUBMITTING
                attempt = Attempt(job, job.submit)
            case PollRequested():
                assert ask.task_id in job.tasks, "asked about another job's task"
                assert job.takes_results, "asked about what is over"
                attempt = Attempt(job, Work("poll", self.clock))
            case DeliveryRequested():
                assert (ask.bot, ask.chat_id) == (job.bot, job.asked.chat_id), "another chat"
                self._look_up(job, places)
                attempt = self._delivering(ask, job)
        attempt.work.take(ask.attempt.id, lease=ask.attempt.lease)
        self.attempts[ask.attempt.id] = attempt

    def _look_up(self, job: Job, places: Places) -> None:
        """Learn the ids of the job's parts; some may be made only when its task is met."""
        made = {(part.delivery, part.ordinal): part for part in job.delivery.parts}
        for part_id, place in places.items():
            if place in made:
                part = self.parts.setdefault(part_id, made[place])
                assert part is made[place], "one id for two parts"

    def _delivering(self, ask: DeliveryRequested, job: Job) -> Attempt:
        action = ask.action
        named = [
            one.part_id for one in getattr(action, "parts", (action,)) if hasattr(one, "part_id")
        ]
        assert self.parts.keys() >= set(named), "a part that nobody made"
        match action:
            case Show(part_id=part_id):
                part = self.parts[part_id]
                return Attempt(job, _shown_in(job, part, action), part)
            case Send():
                first, *others = (self.parts[one.part_id] for one in action.parts)
                assert [first, *others] == job.delivery.to_send(first), "not what is missing"
                assert not job.delivery.waits(first), "sent before the one before it"
                work = job.delivery.placing(first)
                assert work is not None, "sent before its turn"
                return Attempt(job, work, first)
            case Stage(part_id=part_id):
                part = self.parts[part_id]
                assert part.state not in SETTLED, "staged although it is settled"
                part.stage = Work("stage", self.clock)
                return Attempt(job, part.stage, part)
            case PostStatus():
                assert job.state in OPEN, "a status line for what is over"
            case _:
                results = {part.message for part in job.delivery.parts}
                assert action.message_id not in results, "a result is overwritten or deleted"
        return Attempt(job, Work(action.kind, self.clock))

    def placed(self) -> list[tuple[Job, Work, Part | None]]:
        """Return all work on tasks and parts."""
        jobs = list(self.jobs.values())
        parts = [(j, p.work, p) for j in jobs for p in j.delivery.parts if p.work is not None]
        return [(j, j.submit, None) for j in jobs if j.submit is not None] + parts

    def live(self) -> list[str]:
        return [f"{work.kind} of {job.id}" for job, work, _ in self.placed() if work.is_live]

    def is_doubled(self) -> bool:
        """Say whether some result stands in two messages."""
        return any(p.showings > 1 for job in self.jobs.values() for p in job.delivery.parts)

    def forgotten(self) -> list[str]:
        """Name what should have been handed out long ago."""
        return [
            f"{work.kind} of {job.id}"
            for job, work, _ in self.placed()
            if work.state == "pending"
            and max(work.not_before, work.since + PATIENCE, self.paused_until) < self.clock.now
        ]


def _shown_in(job: Job, part: Part, action: Show) -> Work:
    """Judge which message a part goes into: its own, a free status line of the job, or a new one."""
    if not isinstance(action.carrier, Existing):
        assert part.message is None, "a second carrier although the first is known"
    elif part.message != action.carrier.message_id:
        others = {p.message for p in job.delivery.parts}
        assert part.message is None, "its message is known, and it is another"
        assert action.carrier.message_id in job.delivery.lines - others, "no free status line"
        part.state, part.message = PartState.CARRIED, action.carrier.message_id
    assert part.work is not None, "shown before its turn"
    return part.work
