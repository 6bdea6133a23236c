"""Refusals as exceptions: each says what happened, what exists now and what to do."""

from typing import ClassVar
from uuid import UUID

from contracts.refusals import RefusalName


class SendOnceError(Exception):
    """A request that changed nothing, or whose outcome is unknown (`Unavailable` alone).

    Attributes:
        code: stable word for logs and `match`, such as ``insufficient_funds``.
        message: what happened.
        hint: what exists now and what to do about it.
        job_id: the job that stands in the way, when there is one.
    """

    refusal: ClassVar[RefusalName | None] = None
    advice: ClassVar[str] = (
        "update the sendonce package: the server knows refusals this one does not"
    )

    def __init__(
        self, message: str, hint: str = "", job_id: UUID | None = None, code: str | None = None
    ) -> None:
        # All of it goes into args, so that pickling and copying keep every field.
        super().__init__(message, hint, job_id, code)
        self.code = code or str(self.refusal or "unknown")
        self.message = message
        self.hint = hint or self.advice
        self.job_id = job_id

    def __str__(self) -> str:
        about = f" [job {self.job_id}]" if self.job_id else ""
        return f"{self.code}: {self.message}; {self.hint}{about}"


class InvalidRequest(SendOnceError):
    """The arguments cannot be a request; mostly said before anything is sent."""

    refusal = RefusalName.INVALID_REQUEST
    advice = "correct the arguments named; nothing was changed"


class DeadlinePassed(SendOnceError):
    """The server read the request after its deadline: the two clocks differ, or it waited long."""

    refusal = RefusalName.DEADLINE_PASSED
    advice = "ask again with the same key; if this repeats, synchronise the bot's clock (NTP)"


class UnknownBot(SendOnceError):
    """No bot of this name is registered."""

    refusal = RefusalName.UNKNOWN_BOT
    advice = (
        "register it with `sendonce bots add`, or correct SendOnce(bot=...); nothing was changed"
    )


class UnknownJob(SendOnceError):
    """This bot has no such job."""

    refusal = RefusalName.UNKNOWN_JOB
    advice = "check the id or key, and that it belongs to this bot; nothing was changed"


class UnknownOrphan(SendOnceError):
    """No such orphan."""

    refusal = RefusalName.UNKNOWN_ORPHAN
    advice = "list the orphans again with `sendonce orphans list`; nothing was changed"


class KeyConflict(SendOnceError):
    """The key made a job already, with another request; `job_id` is that job."""

    refusal = RefusalName.KEY_CONFLICT
    advice = "that job goes on unchanged; use a new key for a new request"


class TaskConflict(SendOnceError):
    """The task id belongs to another job, or this job's task is not the bot's to attach."""

    refusal = RefusalName.TASK_CONFLICT
    advice = "find its job with find_by_task_id; nothing was changed"


class ReferenceConflict(SendOnceError):
    """The payment reference credited another user or amount already."""

    refusal = RefusalName.REFERENCE_CONFLICT
    advice = "the earlier credit stands; give every payment a reference of its own"


class InsufficientFunds(SendOnceError):
    """The user's free balance is below the price."""

    refusal = RefusalName.INSUFFICIENT_FUNDS
    advice = "no job was made and nothing was held; top the wallet up and ask again"


class Paused(SendOnceError):
    """No new work is taken now; no job was made, nothing was held."""

    refusal = RefusalName.PAUSED
    advice = "no job was made and nothing was held; the owner must see to the KIE account"


class TooManyJobs(Paused):
    """This user, or all users of the bot together, have asked for too much; it passes by itself.

    Attributes:
        retry_after: seconds after which asking again, with the same key, may succeed.
        whose: ``user``, or ``bot`` when all of its users together are too many.
        what: the limit, ``jobs_per_minute``, ``open_jobs`` or ``open_holds``.
        allowed: how much it allows.
    """

    advice = "no job was made and nothing was held; ask again with the same key later"

    def __init__(  # noqa: PLR0913 - the fields of every refusal, and its own
        self,
        message: str,
        hint: str = "",
        job_id: UUID | None = None,
        code: str | None = None,
        *,
        retry_after: float = 1.0,
        whose: str = "user",
        what: str = "open_jobs",
        allowed: int = 1,
    ) -> None:
        super().__init__(message, hint, job_id, code or "too_many_jobs")
        self.retry_after = retry_after
        self.whose = whose
        self.what = what
        self.allowed = allowed


class TooLate(SendOnceError):
    """The job has gone too far to be cancelled; it goes on."""

    refusal = RefusalName.TOO_LATE
    advice = "the job goes on; wait for its end, a failed job costs nothing"


class Unavailable(SendOnceError):
    """No answer until the deadline. Asking again with the same key or reference never acts twice."""

    refusal = RefusalName.UNAVAILABLE
    advice = (
        "it may have taken effect: ask again with the same key or reference, it never acts twice"
    )


class NotConnected(RuntimeError):
    """A method was called before `connect` or after `close`: a mistake in the bot, not a refusal."""


OF_CODE: dict[str, type[SendOnceError]] = {
    str(kind.refusal): kind for kind in SendOnceError.__subclasses__()
}
