"""One job of the double: what the bot may see of it, and what asked for it."""

from dataclasses import dataclass
from datetime import datetime

from contracts.api import CreateJob, DeliverJob, ExpectJob, JobView
from contracts.events import JobEvent, JobEventName
from contracts.values import JobState, PartState
from sendonce.testing import parts

UNSUBMITTED = frozenset({JobState.CREATED, JobState.SUBMITTING})
OPEN = UNSUBMITTED | {JobState.RUNNING}


@dataclass(slots=True)
class Entry:
    """A job as it stands."""

    view: JobView
    request: CreateJob | ExpectJob | DeliverJob
    digest: str

    @property
    def is_shown_by_bot(self) -> bool:
        """True when nobody but the bot shows its result."""
        return not self.request.deliver and not isinstance(self.request, DeliverJob)

    @property
    def is_undelivered(self) -> bool:
        """True while its result is known and not shown."""
        return self.view.state is JobState.SUCCEEDED and not self.is_shown_by_bot

    def change(self, **fields: object) -> None:
        """Set fields of the view."""
        self.view = self.view.model_copy(update=fields)

    def count(self, state: PartState) -> int:
        """How many parts are in a state."""
        return sum(part.state is state for part in self.view.parts)

    def mark(self, state: PartState) -> None:
        """Bring every part to a state."""
        self.change(parts=tuple(parts.moved(part, state) for part in self.view.parts))

    def owns(self, task_id: str, *, like: "Entry") -> bool:
        """True when the task of that family is this job's."""
        return task_id in self.view.task_ids and self._family == like._family  # noqa: SLF001 - another of us

    def event(self, *, seq: int, at: datetime) -> JobEvent:
        """What the bot hears of the state it has just come to."""
        view = self.view
        name = JobEventName.CREATED if view.version == 1 else JobEventName(view.state)
        return JobEvent(
            id=f"{view.id}:{view.version}:{name}",
            at=at,
            event=name,
            seq=seq,
            job_id=view.id,
            bot=view.bot,
            key=view.key,
            version=view.version,
            state=view.state,
            chat_id=view.chat_id,
            user_id=view.user_id,
            task_id=view.task_ids[-1] if view.task_ids else None,
            media=tuple(part.url for part in view.parts if part.url),
            cause=view.cause,
            failure=view.failure,
            error=view.error,
            money=view.money,
        )

    @property
    def _family(self) -> tuple[str, str]:
        if isinstance(self.request, DeliverJob):
            return ("", "")
        return (self.request.family, self.request.operation)
