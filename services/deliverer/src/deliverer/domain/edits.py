"""How one content comes to stand in one known message: which edit next, and when to stop.

Repeating an edit is harmless, so an unclear one is repeated as it was. Another way is tried only
while every edit so far certainly had no effect.
"""

from dataclasses import dataclass, replace
from typing import Final

from contracts.deliveries import Content, DeliveryResult, RefusalCode, Shown
from contracts.outcomes import Ambiguous, NotSent, Refused
from contracts.values import MediaKind
from deliverer.domain import collages, text
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
from deliverer.domain.bodies import Way, plainer
from deliverer.domain.results import result_of
from deliverer.domain.ways import MediaTrouble, first_way, next_way, of_true_type
from deliverer.domain.wording import line

UNSENT_TRIES: Final = 3  # telegram.md 7.4: resets come in single handshakes
UNCLEAR_TRIES: Final = 4
SUPERSEDED_TRIES: Final = 4
QUICK_PAUSE: Final = 0.1  # seconds before asking again after nothing left us
SLOW_PAUSE: Final = 1.0  # seconds before repeating an unclear edit; edits cost pace
MEDIA_RETRY: Final = 10.0  # seconds until a source that did not answer is tried again
LINK_FROM_ATTEMPT: Final = 4  # a source unreachable for this many attempts is shown as a link


@dataclass(frozen=True, slots=True, kw_only=True)
class EditState:
    """Where an edit stands."""

    message_id: int
    content: Content
    way: Way
    attempt_no: int
    maybe_applied: bool = False
    link_tried_again: bool = False
    retyped: bool = False
    unsent: int = 0
    unclear: int = 0
    superseded: int = 0


@dataclass(frozen=True, slots=True)
class Again:
    """Edit in this state after the pause; not before the lease was looked at again."""

    state: EditState
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    result: DeliveryResult
    maybe_applied: bool


# What ends the edit whichever way it was tried; the message, chat or user is the reason.
REFUSALS: Final = {
    Trouble.GONE: RefusalCode.CARRIER_GONE,
    Trouble.UNEDITABLE: RefusalCode.CARRIER_UNEDITABLE,
    Trouble.BLOCKED: RefusalCode.BLOCKED,
    Trouble.CHAT_GONE: RefusalCode.CHAT_GONE,
    Trouble.NO_RIGHTS: RefusalCode.NO_RIGHTS,
}
# Ends that hold whatever an earlier unclear edit did.
_CERTAIN: Final = frozenset(REFUSALS)


def on_answer(state: EditState, answer: Answer) -> Again | End:
    """Decide what follows from the answer to the edit that `state` described."""
    match answer:
        case Done(file_id=file_id):
            return _end(state, Shown(message_id=state.message_id, file_id=file_id))
        case Unsent() if state.unsent + 1 < UNSENT_TRIES:
            return Again(replace(state, unsent=state.unsent + 1), QUICK_PAUSE)
        case Unclear(reason) | Vanished(reason):
            return _after_unclear(replace(state, maybe_applied=True), reason)
        case Denied(trouble, reason):
            return _after_denial(state, trouble, reason)
        case Unsent() | Wait() | Moved() | BotStopped():
            return _end(state, result_of(answer))


def _after_unclear(state: EditState, reason: str) -> Again | End:
    if state.unclear + 1 < UNCLEAR_TRIES:
        return Again(replace(state, unclear=state.unclear + 1), SLOW_PAUSE)
    return _end(state, Ambiguous(reason=line(reason)))


def _after_denial(state: EditState, trouble: Trouble, reason: str) -> Again | End:
    if trouble is Trouble.SUPERSEDED:
        if state.superseded + 1 < SUPERSEDED_TRIES:
            return Again(replace(state, superseded=state.superseded + 1), SLOW_PAUSE)
        return _end(state, NotSent(reason=line(reason), after=SLOW_PAUSE))
    if trouble in _CERTAIN:
        return _refuse(state, REFUSALS[trouble], reason)
    if trouble is Trouble.NO_TEXT:
        return _caption(state, reason)
    if state.maybe_applied:
        # Something else may stand there already: no other content may follow it now.
        return _end(state, Ambiguous(reason=line(f"after an unclear edit: {reason}")))
    if trouble is Trouble.PAYLOAD:
        return _plainer(state, reason)
    if trouble is Trouble.URL_UNREACHED and state.way is Way.URL and not state.link_tried_again:
        return Again(replace(state, link_tried_again=True), SLOW_PAUSE)
    return _other_way(state, trouble, reason)


def _caption(state: EditState, reason: str) -> Again | End:
    # The message shows a medium: our own from an earlier edit, or the bot's own status.
    if state.content.items:
        return _apart(state, reason)
    genuine = state.content.kind is MediaKind.TEXT
    fits = text.units(state.content.text) <= text.CAPTION_LIMIT
    if state.way is Way.CAPTION or (genuine and not fits):
        return _refuse(state, RefusalCode.CARRIER_UNEDITABLE, reason)
    return Again(replace(state, way=Way.CAPTION))


def _plainer(state: EditState, reason: str) -> Again | End:
    content = plainer(state.content, reason)
    if content is not None:
        return Again(replace(state, content=content))
    # Where rich messages are not known, theirs is a message without a text.
    return (
        _apart(state, reason)
        if state.content.items
        else _refuse(state, RefusalCode.PAYLOAD, reason)
    )


def _apart(state: EditState, reason: str) -> Again | End:
    """Show the first medium of a collage, with links to the others."""
    if state.maybe_applied:
        return _end(state, Ambiguous(reason=line(f"after an unclear edit: {reason}")))
    content = collages.first_with_links(state.content)
    way = None if content is None else first_way(content, skip_link=False)
    if content is None or way is None:
        return _refuse(state, RefusalCode.MEDIA_UNUSABLE, reason)
    return Again(replace(state, content=content, way=way, link_tried_again=False))


def _other_way(state: EditState, trouble: Trouble, reason: str) -> Again | End:
    if trouble is Trouble.FILE_ID_TYPE and not state.retyped:
        known = of_true_type(state.content, reason)
        if known is not None and known.kind is not MediaKind.VOICE:
            return Again(replace(state, content=known, retyped=True))
    way = next_way(state.content, state.way, trouble)
    if way is not None:
        return Again(replace(state, way=way))
    if state.content.items:
        return _apart(state, reason)
    if state.way is Way.CAPTION:
        return _refuse(state, RefusalCode.CARRIER_UNEDITABLE, reason)
    if trouble is Trouble.TYPE_FORBIDDEN:
        return _refuse(state, RefusalCode.NO_RIGHTS, reason)
    is_text = state.content.kind is MediaKind.TEXT
    return _refuse(state, RefusalCode.PAYLOAD if is_text else RefusalCode.MEDIA_UNUSABLE, reason)


def on_media_trouble(state: EditState, trouble: MediaTrouble, reason: str) -> Again | End:
    """Decide what follows when there are no bytes to upload."""
    if trouble is MediaTrouble.LATE:
        return _end(state, NotSent(reason=line(reason), after=SLOW_PAUSE))
    if state.maybe_applied:
        return _end(state, Ambiguous(reason=line(f"after an unclear edit: {reason}")))
    if trouble is MediaTrouble.GONE:
        return _refuse(state, RefusalCode.MEDIA_GONE, reason)
    if trouble is MediaTrouble.FORBIDDEN:
        return _refuse(state, RefusalCode.MEDIA_UNUSABLE, reason)
    if trouble is MediaTrouble.UNREACHED and state.attempt_no < LINK_FROM_ATTEMPT:
        return _end(state, NotSent(reason=line(reason), after=MEDIA_RETRY))
    if state.content.items:
        return _apart(state, reason)
    return Again(replace(state, way=Way.LINK))


def on_lease_over(state: EditState) -> End:
    """Say what stands when nothing more may be done."""
    return _end(state, NotSent(reason="the lease ended before the edit"))


def _refuse(state: EditState, code: RefusalCode, reason: str) -> End:
    return _end(state, Refused(code=code, reason=line(reason)))


def _end(state: EditState, result: DeliveryResult) -> End:
    if state.maybe_applied and isinstance(result, NotSent):
        # The last try certainly did nothing; an earlier one may have.
        result = Ambiguous(reason=line(f"after an unclear edit: {result.reason}"))
    return End(result, state.maybe_applied and not isinstance(result, Shown))
