"""One recordInfo call: asked by job-store, answered by reconciler with ``reports.received``."""

from uuid import UUID

from contracts.message import Attempt, Message
from contracts.values import BotSlug, TaskId, Word


class PollRequested(Message):
    """One question to KIE about a task."""

    attempt: Attempt
    job_id: UUID
    bot: BotSlug
    account: Word
    family: Word
    operation: Word
    task_id: TaskId
