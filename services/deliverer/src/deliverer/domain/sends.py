"""How new messages with media come into a chat: one, or several as an album, at most once.

A send cannot be repeated without doubling, so only what is certainly not sent is followed by
another call: the same again when nothing left us, or another way to show the same.
"""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from contracts.deliveries import Content, DeliveryResult, RefusalCode, SendPart, Sent, SentPart
from contracts.outcomes import Ambiguous, NotSent, Refused
from contracts.values import MediaKind
from deliverer.domain import collages
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
from deliverer.domain.bodies import Body, MediaBody, Way, plainer
from deliverer.domain.edits import (
    LINK_FROM_ATTEMPT,
    MEDIA_RETRY,
    QUICK_PAUSE,
    REFUSALS,
    SLOW_PAUSE,
    UNSENT_TRIES,
)
from deliverer.domain.posts import LEAVING, Place
from deliverer.domain.results import result_of
from deliverer.domain.sniff import Shape
from deliverer.domain.ways import MediaTrouble, first_way, next_way, of_true_type
from deliverer.domain.wording import line

# Ways that may stand in an album; a document or a link among pictures may not.
ALBUM_WAYS: Final = frozenset({Way.FILE_ID, Way.URL, Way.UPLOAD, Way.TEXT_FILE})
# Which shapes stand together in one album; the others stand alone.
FAMILIES: Final = (
    frozenset({Shape.PHOTO, Shape.VIDEO}),
    frozenset({Shape.AUDIO}),
    frozenset({Shape.DOCUMENT}),
)
# What an upload of our own may cure in an album, where nobody says which item it was.
_CURABLE: Final = frozenset(
    {Trouble.ALBUM, Trouble.URL_UNREACHED, Trouble.URL_REFUSED, Trouble.FILE_ID_BAD}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One message, and the way it is tried."""

    part_id: UUID
    content: Content
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class SendState:
    """Where a send stands."""

    place: Place
    pieces: tuple[Piece, ...]
    attempt_no: int = 1
    unsent: int = 0
    link_tried_again: bool = False
    retyped: bool = False
    media_only: bool = False  # a link would not do

    @property
    def is_album(self) -> bool:
        return len(self.pieces) > 1


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Send in this state after the pause; not before the lease was looked at again."""

    state: SendState
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class SendEnd:
    result: DeliveryResult


SendStep = SendAgain | SendEnd


NO_ALBUM: Final = SendEnd(
    Refused(
        code=RefusalCode.MEDIA_UNUSABLE, reason="these media cannot stand in one message or album"
    )
)


def begin(
    place: Place,
    parts: tuple[SendPart, ...],
    *,
    attempt_no: int,
    refused_links: frozenset[str] = frozenset(),
    media_only: bool = False,
) -> SendStep:
    """Choose how each part is tried first; `refused_links` are those Telegram turned down."""
    pieces: list[Piece] = []
    for part in parts:
        way = first_way(part.content, skip_link=part.content.url in refused_links)
        if way is None or (way is Way.TEXT and not part.content.text):
            reason = "the content has neither a text nor a file"
            return SendEnd(Refused(code=RefusalCode.PAYLOAD, reason=reason))
        pieces.append(Piece(part_id=part.part_id, content=part.content, way=way))
    state = SendState(
        place=place, pieces=tuple(pieces), attempt_no=attempt_no, media_only=media_only
    )
    return _checked(state)


def on_answer(state: SendState, answer: Answer) -> SendStep:
    """Decide what follows from the answer to the call that `state` described."""
    match answer:
        case Done():
            return SendEnd(_sent(state, answer))
        case Unsent() if state.unsent + 1 < UNSENT_TRIES:
            return SendAgain(replace(state, unsent=state.unsent + 1), QUICK_PAUSE)
        case Vanished(reason):
            # It was there, so it is never sent again; it is not there, so it is not shown.
            return SendEnd(Ambiguous(reason=line(f"sent and gone at once: {reason}")))
        case Denied():
            return _after_denial(state, answer)
        case Unsent() | Unclear() | Wait() | Moved() | BotStopped():
            return SendEnd(result_of(answer))


def _sent(state: SendState, answer: Done) -> DeliveryResult:
    standing = answer.standing
    if len(standing) != len(state.pieces):
        return Ambiguous(reason=line(f"sent, but the answer named {len(standing)} messages"))
    parts = (
        SentPart(part_id=piece.part_id, message_id=one.message_id, file_id=one.file_id)
        for piece, one in zip(state.pieces, standing, strict=True)
    )
    return Sent(parts=tuple(parts))


def _after_denial(state: SendState, denied: Denied) -> SendStep:
    trouble, reason = denied.trouble, denied.reason
    if trouble in LEAVING:
        return _refuse(REFUSALS[trouble], reason)
    if trouble is Trouble.THREAD:
        if state.place != state.place.bare:
            return SendAgain(replace(state, place=state.place.bare))
        return _refuse(RefusalCode.NO_RIGHTS, reason)
    if trouble is Trouble.PAYLOAD:
        return _plainer(state, reason)
    by_link = any(piece.way is Way.URL for piece in state.pieces)
    if trouble is Trouble.URL_UNREACHED and by_link and not state.link_tried_again:
        return SendAgain(replace(state, link_tried_again=True), SLOW_PAUSE)
    return _album_otherwise(state, denied) if state.is_album else _otherwise(state, trouble, reason)


def _plainer(state: SendState, reason: str) -> SendStep:
    plain = [(piece, plainer(piece.content, reason)) for piece in state.pieces]
    if all(content is None for _, content in plain):
        only = state.pieces[0]
        if not state.is_album and only.content.items:
            return _apart(state, only, reason)
        return _refuse(RefusalCode.PAYLOAD, reason)
    pieces = (replace(piece, content=content or piece.content) for piece, content in plain)
    return SendAgain(replace(state, pieces=tuple(pieces)))


def _otherwise(state: SendState, trouble: Trouble, reason: str) -> SendStep:
    """Try the next way of a single message."""
    (piece,) = state.pieces
    if trouble is Trouble.FILE_ID_TYPE and not state.retyped:
        known = of_true_type(piece.content, reason)
        if known is not None:
            return _with(replace(state, retyped=True), replace(piece, content=known))
    if piece.content.kind is MediaKind.VOICE:
        step = _as_audio(state, trouble)
        if step is not None:
            return step
    way = next_way(piece.content, piece.way, trouble)
    if way is not None:
        return _with(state, replace(piece, way=way))
    if piece.content.items:
        return _apart(state, piece, reason)
    if trouble is Trouble.TYPE_FORBIDDEN:
        return _refuse(RefusalCode.NO_RIGHTS, reason)
    is_text = piece.content.kind is MediaKind.TEXT
    return _refuse(RefusalCode.PAYLOAD if is_text else RefusalCode.MEDIA_UNUSABLE, reason)


def _as_audio(state: SendState, trouble: Trouble) -> SendStep | None:
    """Give who takes no voice notes, or not this one, the sound all the same."""
    (piece,) = state.pieces
    audio = piece.content.model_copy(update={"kind": MediaKind.AUDIO})
    if piece.way is not Way.FILE_ID:
        return _with(state, replace(piece, content=audio))
    if trouble is not Trouble.TYPE_FORBIDDEN:
        return None
    # The file_id is a voice note's and can never be anything else.
    audio = audio.model_copy(update={"file_id": None})
    way = first_way(audio, skip_link=False)
    return None if way is None else _with(state, replace(piece, content=audio, way=way))


def _apart(state: SendState, piece: Piece, reason: str) -> SendStep:
    content = collages.first_with_links(piece.content)
    way = None if content is None else first_way(content, skip_link=False)
    if content is None or way is None:
        return _refuse(RefusalCode.MEDIA_UNUSABLE, reason)
    return _with(state, replace(piece, content=content, way=way))


def _album_otherwise(state: SendState, denied: Denied) -> SendStep:
    """Upload the item that was turned down, or all that Telegram had to fetch; never less."""
    if denied.trouble not in _CURABLE:
        return _unusable(denied.reason)
    pieces = tuple(
        _uploaded(piece) if denied.item in (None, place) else piece
        for place, piece in enumerate(state.pieces, 1)
    )
    if pieces == state.pieces:
        return _unusable(denied.reason)
    return _checked(replace(state, pieces=pieces))


def _uploaded(piece: Piece) -> Piece:
    fetchable = piece.way in (Way.FILE_ID, Way.URL) and piece.content.url is not None
    return replace(piece, way=Way.UPLOAD) if fetchable else piece


def on_media_trouble(state: SendState, trouble: MediaTrouble, reason: str) -> SendStep:
    """Decide what follows when there are no bytes of one part to upload."""
    if trouble is MediaTrouble.LATE:
        return SendEnd(NotSent(reason=line(reason), after=SLOW_PAUSE))
    if trouble is MediaTrouble.UNREACHED and state.attempt_no < LINK_FROM_ATTEMPT:
        return SendEnd(NotSent(reason=line(reason), after=MEDIA_RETRY))
    if state.is_album:
        # Apart, the others can be sent, and this one tells its own story.
        return _unusable(reason)
    if trouble is MediaTrouble.GONE:
        return _refuse(RefusalCode.MEDIA_GONE, reason)
    (piece,) = state.pieces
    if trouble is MediaTrouble.FORBIDDEN:
        return _unusable(reason)
    if piece.content.items:
        return _apart(state, piece, reason)
    return _with(state, replace(piece, way=Way.LINK))


def stand_together(bodies: tuple[Body, ...]) -> bool:
    """Say whether Telegram takes these for one album, or for a single message."""
    if len(bodies) == 1:
        return True
    shapes = {one.shape if isinstance(one, MediaBody) else None for one in bodies}
    return any(shapes <= family for family in FAMILIES)


def _checked(state: SendState) -> SendStep:
    if not state.is_album:
        return SendAgain(state)
    fits = all(piece.way in ALBUM_WAYS and not piece.content.items for piece in state.pieces)
    return SendAgain(state) if fits else NO_ALBUM


def _with(state: SendState, piece: Piece) -> SendStep:
    if state.media_only and piece.way is Way.LINK:
        return _unusable("no way to show the medium itself is left")
    return SendAgain(replace(state, pieces=(piece,)))


def _unusable(reason: str) -> SendEnd:
    return _refuse(RefusalCode.MEDIA_UNUSABLE, reason)


def _refuse(code: RefusalCode, reason: str) -> SendEnd:
    return SendEnd(Refused(code=code, reason=line(reason)))
