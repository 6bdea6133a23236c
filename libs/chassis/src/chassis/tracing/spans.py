"""Spans: one piece of work and what caused it. While nobody records, only the context goes on.

The context goes on in any case: it is the trace id of every log line, from the callback to the message.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Final, Protocol, Self, TypeAlias

from chassis.tracing.context import TRACEPARENT, fresh

Fact: TypeAlias = str | int | float | bool
Facts: TypeAlias = Mapping[str, Fact | None]

NOTHING: Final[Facts] = MappingProxyType({})
PREFIX: Final = "sendonce."


class Kind(StrEnum):
    """On which side of a call or a message the work is done."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A span that begins: `own` is the context it must have, `began` is in Unix nanoseconds."""

    name: str
    kind: Kind
    parent: str | None = None
    own: str | None = None
    links: Sequence[str] = ()
    began: int | None = None
    facts: Facts = field(default_factory=lambda: NOTHING)


class Recorded(Protocol):
    """A span that somebody records."""

    @property
    def context(self) -> str:
        """What its consequences carry."""
        ...

    def tell(self, facts: Facts) -> None:
        """Add what is known of it by now."""
        ...

    def end(self, problem: str | None) -> None:
        """End it; `problem` is the name of what went wrong, never its text."""
        ...


class Recorder(Protocol):
    """Whoever records spans."""

    def keeps(self, context: str) -> bool:
        """Say whether this trace is one of those that are recorded."""
        ...

    def begin(self, draft: Draft) -> Recorded:
        """Begin a span."""
        ...


class Span:
    """One piece of work; as a `with` block it is what caused everything inside."""

    __slots__ = ("_recorded", "_token", "context")

    def __init__(self, context: str, recorded: Recorded | None = None) -> None:
        """Made by `span`."""
        self.context = context
        self._recorded = recorded
        self._token: Token[Span | None] | None = None

    def tell(self, facts: Facts) -> None:
        """Add attributes; what is None is not told."""
        if self._recorded is not None:
            self._recorded.tell(facts)

    def end(self, problem: str | None = None) -> None:
        """End it, for who does not use it as a block."""
        if self._recorded is not None:
            self._recorded.end(problem)

    def __enter__(self) -> Self:
        """Be the cause of what follows."""
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; of an error only its type is told, for its text may quote anything."""
        if self._token is not None:
            _current.reset(self._token)
        self.end(kind.__name__ if kind is not None else None)


_current: ContextVar[Span | None] = ContextVar("span", default=None)
_recorder: Recorder | None = None


def record_with(recorder: Recorder | None) -> None:
    """Have spans recorded from now on, or by nobody any more; one recorder a process."""
    global _recorder  # noqa: PLW0603 - as logging is: one for a process, reached from everywhere
    _recorder = recorder


def current() -> str | None:
    """Return the context of the work being done now."""
    here = _current.get()
    return here.context if here is not None else None


def headers() -> dict[str, str] | None:
    """Return what a call carries, so that what it causes belongs to the work being done now."""
    context = current()
    return None if context is None else {TRACEPARENT: context}


def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
    since: float | None = None,
    facts: Facts = NOTHING,
) -> Span:
    """Begin a piece of work, caused by `parent` or else by what is being done now.

    `links` are what else took part in causing it, `since` is the monotonic second it began at, if
    that was earlier. Names are few: ids belong into `facts`.
    """
    cause = parent or current()
    recorder = _recorder
    if recorder is None:
        return Span(cause or fresh())
    own = None
    if cause is None:
        own = fresh()
    if not recorder.keeps(cause or own or ""):
        return Span(cause or own or "")
    draft = Draft(
        name=name,
        kind=kind,
        parent=cause,
        own=own,
        links=links,
        began=_began(since),
        facts=facts,
    )
    recorded = recorder.begin(draft)
    return Span(recorded.context, recorded)


def within(context: str | None) -> Span:
    """Do something in the name of a cause, without a span of its own; a block."""
    return Span(context or current() or fresh())


def note(**facts: Fact | None) -> None:
    """Tell of the work being done now what its service knows: ids, numbers, names of outcomes."""
    here = _current.get()
    if here is not None and _recorder is not None:
        here.tell({f"{PREFIX}{name}": fact for name, fact in facts.items()})


def root(name: str, context: str, *, since: float | None = None, facts: Facts = NOTHING) -> None:
    """Record the first span of a trace, now over, whose context was known before it was."""
    recorder = _recorder
    if recorder is not None and recorder.keeps(context):
        draft = Draft(name=name, kind=Kind.SERVER, own=context, began=_began(since), facts=facts)
        recorder.begin(draft).end(None)


@contextmanager
def batch(name: str, causes: Sequence[str | None]) -> Iterator[None]:
    """Do one piece of work for many causes: it is linked to each; of a single one it is a part.

    Its time is not any one message's: it belongs to a trace of its own, recorded when any of
    theirs is.
    """
    recorder = _recorder
    kept = [one for one in causes if one and recorder is not None and recorder.keeps(one)]
    if recorder is None or not kept:
        yield
        return
    alone = len(causes) == 1
    recorded = recorder.begin(
        Draft(
            name=name,
            kind=Kind.INTERNAL,
            parent=kept[0] if alone else None,
            own=None if alone else fresh(),
            links=() if alone else kept,
            facts={"messaging.batch.message_count": len(causes)},
        )
    )
    try:
        yield
    except BaseException as problem:
        recorded.end(type(problem).__name__)
        raise
    recorded.end(None)


def _began(since: float | None) -> int | None:
    if since is None:
        return None
    return time.time_ns() - max(0, int((time.monotonic() - since) * 1e9))
