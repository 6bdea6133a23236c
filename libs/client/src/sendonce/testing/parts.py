"""The parts of a double's result: one message each."""

from collections.abc import Sequence
from itertools import count

from contracts.api import PartView
from contracts.reports import ReportedMedia
from contracts.values import MediaKind, PartState

_message_ids = count(1_000_001)  # far above what a test's own messages use


def of(media: Sequence[ReportedMedia], *, caption: str) -> tuple[PartView, ...]:
    """Return what is to be shown of a result; the caption stands under the first medium."""
    shown = [medium for medium in media if showable([medium])]
    return tuple(
        PartView(
            ordinal=ordinal,
            delivery_no=1,
            kind=medium.kind,
            state=PartState.PENDING,
            url=None if medium.kind is MediaKind.TEXT else medium.url,
            text=medium.text if medium.kind is MediaKind.TEXT else _first(caption, ordinal),
        )
        for ordinal, medium in enumerate(shown, start=1)
    )


def showable(media: Sequence[ReportedMedia]) -> bool:
    """Tell whether there is anything to show."""
    return any(
        (medium.text or medium.url or "").strip() if medium.kind is MediaKind.TEXT else medium.url
        for medium in media
    )


def moved(part: PartView, state: PartState) -> PartView:
    """Return the part in another state; a shown one stands in a message of its own."""
    shown = state is PartState.SHOWN and part.message_id is None
    return part.model_copy(
        update={"state": state, "message_id": next(_message_ids) if shown else part.message_id}
    )


def _first(caption: str, ordinal: int) -> str:
    return caption if ordinal == 1 else ""
