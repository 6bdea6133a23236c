"""What really happened, for whoever checks: frozen pictures of tasks, and their JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from testkit.kie.plans import Plan
from testkit.kie.tasks import CallbackAttempt, CallbackKind, State, Task
from testkit.kie.wire import JsonObject

_PLAN = TypeAdapter(Plan)
BODY_SHOWN = 4_000  # bytes of a callback body that the JSON shows


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTruth:
    """One task as it stood when asked."""

    task_id: str
    family: str
    account: str
    request: JsonObject
    plan: Plan
    seconds: float
    state: State
    media_urls: tuple[str, ...]
    callback_url: str | None
    callbacks: tuple[CallbackAttempt, ...]
    polls: int
    credits_consumed: float
    created_at: float
    ended_at: float | None
    settled: bool

    @property
    def acknowledged(self) -> bool:
        """Some callback of this task was answered 200."""
        return any(attempt.accepted for attempt in self.callbacks)


def truth_of(task: Task) -> TaskTruth:
    """Freeze what is known of a task."""
    return TaskTruth(
        task_id=task.task_id,
        family=task.family.name,
        account=task.account,
        request=task.request,
        plan=task.plan,
        seconds=task.seconds,
        state=task.state,
        media_urls=task.media_urls,
        callback_url=task.callback_url,
        callbacks=tuple(task.callbacks),
        polls=task.polls,
        credits_consumed=task.credits_consumed,
        created_at=task.created_at,
        ended_at=task.ended_at,
        settled=task.settled,
    )


def truth_json(truth: TaskTruth) -> JsonObject:
    """The same for the wire."""
    return {
        "task_id": truth.task_id,
        "family": truth.family,
        "account": truth.account,
        "request": truth.request,
        "plan": asdict(truth.plan),
        "seconds": truth.seconds,
        "state": truth.state,
        "media_urls": truth.media_urls,
        "callback_url": truth.callback_url,
        "callbacks": [_attempt_json(attempt) for attempt in truth.callbacks],
        "polls": truth.polls,
        "credits_consumed": truth.credits_consumed,
        "created_at": truth.created_at,
        "ended_at": truth.ended_at,
        "settled": truth.settled,
    }


def read_truth(told: dict[str, Any]) -> TaskTruth:
    """Read what `truth_json` wrote; of long callback bodies only the beginning comes back."""
    known: dict[str, Any] = {
        **told,
        "plan": _PLAN.validate_python(told["plan"]),
        "state": State(told["state"]),
        "media_urls": tuple(told["media_urls"]),
        "callbacks": tuple(map(_read_attempt, told["callbacks"])),
    }
    return TaskTruth(**known)


def _read_attempt(told: dict[str, Any]) -> CallbackAttempt:
    known = {**told, "kind": CallbackKind(told["kind"]), "body": told["body"].encode()}
    known.pop("accepted")  # it follows from the status
    return CallbackAttempt(**known)


def _attempt_json(attempt: CallbackAttempt) -> JsonObject:
    return {
        "kind": attempt.kind,
        "attempt": attempt.attempt,
        "at": attempt.at,
        "seconds": attempt.seconds,
        "status": attempt.status,
        "error": attempt.error,
        "answer": attempt.answer,
        "accepted": attempt.accepted,
        "rightly_signed": attempt.rightly_signed,
        "body": attempt.body[:BODY_SHOWN].decode(errors="replace"),
    }
