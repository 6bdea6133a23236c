"""The model of what KIE says: whom to believe, whose task it is, and what waits for its job."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.reports import ReportReceived, ReportState
from model_delivery import Clock
from model_job import Job

ORPHANS_WAIT: Final = timedelta(hours=1)


@dataclass
class Orphan:
    """Reports of a task whose job is not known, each with whether it is believed."""

    seen: datetime
    state: str = "waiting"
    reports: list[tuple[ReportReceived, bool]] = field(default_factory=list)


@dataclass
class Tasks:
    """Every task has one job; a report and its job meet, whichever comes first."""

    clock: Clock
    jobs: dict[UUID, Job]
    owners: dict[str, Job] = field(default_factory=dict)
    orphans: dict[str, Orphan] = field(default_factory=dict)
    vouched: dict[str, str] = field(default_factory=dict)  # by task: the body KIE signed first
    known: set[str] = field(default_factory=set)  # ids of reports
    learned: list[str] = field(default_factory=list)  # in this transaction

    def owned_by(self, job: Job, task: str) -> bool:
        """Learn that a task is this job's; False, and nothing learned, when it is another's."""
        owner = self.owners.get(task)
        if owner is None:
            self.owners[task] = job
            self.learned.append(task)
        return owner in (None, job)

    def attach(self, job: Job, task: str) -> bool:
        if not self.owned_by(job, task):
            return False
        job.learn(task)
        return True

    def heard(self, report: ReportReceived, job: Job | None) -> bool:
        """Apply a report of a job; False when the task it names is another job's."""
        if report.id in self.known:
            return True
        task, is_believed = _task(report), self._believed(report)
        if job is not None and not self._apply(job, report, is_believed=is_believed):
            return False
        self.known.add(report.id)
        if report.hmac.verdict == "match" and task is not None:
            self.vouched.setdefault(task, report.body_digest)
        if job is None and task is not None:
            self._keep(task, report, is_believed=is_believed)
        return True

    def job_named(self, report: ReportReceived) -> Job | None:
        if report.poll is not None:
            return self.jobs[report.poll.job_id]
        if report.token is not None:
            return self.jobs.get(report.token.job_id)
        return self.owners.get(report.reading.task_id or "")

    def _believed(self, report: ReportReceived) -> bool:
        """Our own question, our own URL, or KIE's signature on the first body it vouched for."""
        signed = report.hmac.verdict
        if report.poll is not None:
            return True
        if report.token is not None:
            return signed in ("absent", "match")
        first = self.vouched.get(_task(report) or "", report.body_digest)
        return signed == "match" and first == report.body_digest

    def _keep(self, task: str, report: ReportReceived, *, is_believed: bool) -> None:
        orphan = self.orphans.setdefault(task, Orphan(self.clock.now))
        orphan.reports.append((report, is_believed))
        if orphan.state == "expired":
            orphan.state, orphan.seen = "waiting", self.clock.now

    def _apply(self, job: Job, report: ReportReceived, *, is_believed: bool) -> bool:
        task = _task(report)
        if not job.takes_results:
            return True
        may_teach = report.poll is None and (is_believed or report.token is not None)
        if task is not None and may_teach and not self.attach(job, task):
            return False
        media = len(report.reading.media)
        match report.reading.state:
            case _ if not is_believed:
                pass  # nothing moves before KIE confirms it
            case ReportState.SUCCEEDED if media:
                job.succeed(media)
            case ReportState.SUCCEEDED if report.poll is None:
                pass  # a success that shows nothing is asked about first
            case ReportState.SUCCEEDED | ReportState.FAILED:
                job.failed_by_provider(task)
        return True

    def meet(self) -> None:
        """Give what waited for a task to the job that owns it now."""
        for task in self.learned:
            orphan = self.orphans.get(task)
            if orphan is None or orphan.state == "matched":
                continue
            orphan.state = "matched"
            for report, is_believed in orphan.reports:
                self._apply(self.owners[task], report, is_believed=is_believed)
            orphan.reports.clear()
        self.learned.clear()

    def expire_orphans(self) -> None:
        for orphan in self.orphans.values():
            if orphan.state == "waiting" and orphan.seen + ORPHANS_WAIT < self.clock.now:
                orphan.state = "expired"


def _task(report: ReportReceived) -> str | None:
    return report.poll.task_id if report.poll else report.reading.task_id
