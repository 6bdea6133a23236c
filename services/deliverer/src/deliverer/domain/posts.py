"""How a new line of text comes into a chat: asked again only while certainly nothing was sent."""

from dataclasses import dataclass, replace
from typing import Final

from contracts.deliveries import DeliveryResult, RefusalCode, Shown
from contracts.outcomes import Ambiguous, Refused
from deliverer.domain.answers import (
    Answer,
    BotStopped,
    Denied,
    Done,
    Moved,
    Trouble,
    Unclear,
    Unsent,
    Vanished,
    Wait,
)
from deliverer.domain.edits import QUICK_PAUSE, REFUSALS, SLOW_PAUSE, UNCLEAR_TRIES, UNSENT_TRIES
from deliverer.domain.results import result_of
from deliverer.domain.wording import line

LEAVING: Final = frozenset({Trouble.BLOCKED, Trouble.CHAT_GONE, Trouble.NO_RIGHTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message goes."""

    chat_id: int
    thread_id: int | None = None
    reply_to: int | None = None
    protect: bool = False  # it cannot be forwarded or saved

    @property
    def bare(self) -> "Place":
        """The chat's main topic, replying to nothing."""
        return replace(self, thread_id=None, reply_to=None)


@dataclass(frozen=True, slots=True)
class PostState:
    place: Place
    unsent: int = 0


@dataclass(frozen=True, slots=True)
class PostAgain:
    state: PostState
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Posted:
    message_id: int


@dataclass(frozen=True, slots=True)
class NotPosted:
    result: DeliveryResult


def on_post_answer(state: PostState, answer: Answer) -> PostAgain | Posted | NotPosted:
    """Decide what follows from the answer to a send."""
    match answer:
        case Done(message_id=int(message_id)):
            return Posted(message_id)
        case Done():
            return NotPosted(Ambiguous(reason="sent, but the answer carried no readable id"))
        case Unsent() if state.unsent + 1 < UNSENT_TRIES:
            return PostAgain(replace(state, unsent=state.unsent + 1), QUICK_PAUSE)
        case Vanished(reason):
            # It was sent and is gone: nothing stands there, and it has no id to speak of.
            return NotPosted(Refused(code=RefusalCode.CARRIER_GONE, reason=line(reason)))
        case Denied(trouble, reason):
            return _after_denial(state, trouble, reason)
        case Unsent() | Unclear() | Wait() | Moved() | BotStopped():
            return NotPosted(result_of(answer))


def _after_denial(state: PostState, trouble: Trouble, reason: str) -> PostAgain | NotPosted:
    if trouble is Trouble.THREAD and state.place != state.place.bare:
        # A deleted topic: in the chat's main one is better than nowhere.
        return PostAgain(replace(state, place=state.place.bare))
    code = REFUSALS[trouble] if trouble in LEAVING else RefusalCode.PAYLOAD
    if trouble in (Trouble.THREAD, Trouble.TYPE_FORBIDDEN):
        code = RefusalCode.NO_RIGHTS
    return NotPosted(Refused(code=code, reason=line(reason)))


@dataclass(frozen=True, slots=True)
class RemovalState:
    message_id: int
    tries: int = 0


@dataclass(frozen=True, slots=True)
class RemoveAgain:
    state: RemovalState
    pause: float


def on_removal_answer(state: RemovalState, answer: Answer) -> RemoveAgain | DeliveryResult:
    """Decide what follows from the answer to a deletion, which may be repeated."""
    match answer:
        case Done() | Denied(Trouble.GONE):
            return Shown(message_id=state.message_id)
        case Unsent() if state.tries + 1 < UNSENT_TRIES:
            return RemoveAgain(replace(state, tries=state.tries + 1), QUICK_PAUSE)
        case Unclear() if state.tries + 1 < UNCLEAR_TRIES:
            return RemoveAgain(replace(state, tries=state.tries + 1), SLOW_PAUSE)
        case Vanished(reason):
            return Ambiguous(reason=line(reason))
        case Denied(trouble, reason):
            code = REFUSALS.get(trouble, RefusalCode.CARRIER_UNEDITABLE)
            return Refused(code=code, reason=line(reason))
        case Unsent() | Unclear() | Wait() | Moved() | BotStopped():
            return result_of(answer)
