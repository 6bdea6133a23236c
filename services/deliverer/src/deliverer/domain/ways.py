"""Which way to show a content comes first, and which follows one that certainly had no effect."""

import re
from enum import StrEnum
from typing import Final

from contracts.deliveries import Content
from contracts.values import MediaKind
from deliverer.domain import collages, sniff, text
from deliverer.domain.answers import Trouble
from deliverer.domain.bodies import Way


class MediaTrouble(StrEnum):
    """Why there are no bytes to upload."""

    GONE = "gone"
    TOO_BIG = "too_big"
    FORBIDDEN = "forbidden"  # not a place we may connect to
    NOT_MEDIA = "not_media"
    UNREACHED = "unreached"
    LATE = "late"  # still on the way when the lease ended


# What an upload of our own may cure.
_OF_THE_SOURCE: Final = frozenset(
    {
        Trouble.URL_UNREACHED,
        Trouble.URL_REFUSED,
        Trouble.FILE_ID_BAD,
        Trouble.FILE_ID_TYPE,
        Trouble.NOT_A_PHOTO,
        Trouble.TOO_BIG,
    }
)
_TRUE_TYPE: Final = re.compile(r"can't use file of type (\w+)", re.IGNORECASE)
_KIND_OF_TYPE: Final = {
    "photo": MediaKind.IMAGE,
    "video": MediaKind.VIDEO,
    "animation": MediaKind.ANIMATION,
    "audio": MediaKind.AUDIO,
    "voice": MediaKind.VOICE,
    "voicenote": MediaKind.VOICE,
    "document": MediaKind.FILE,
}


def first_way(content: Content, *, skip_link: bool) -> Way | None:
    """Choose where to begin; `skip_link` when Telegram is known not to take this link."""
    if content.items:
        return collages.first_collage_way(content)
    if content.kind is MediaKind.TEXT:
        return Way.TEXT if text.units(content.text) <= text.TEXT_LIMIT else Way.TEXT_FILE
    if content.file_id is not None:
        return Way.FILE_ID
    return Way.TEXT_FILE if content.body is not None else way_by_url(content, skip_link=skip_link)


def way_by_url(content: Content, *, skip_link: bool) -> Way | None:
    """Choose between the link and the upload, for a content that has a link."""
    if content.url is None:
        return None
    return Way.UPLOAD if skip_link or not _linkable(content) else Way.URL


def _linkable(content: Content) -> bool:
    if content.kind is MediaKind.VOICE:
        # By link Telegram turns some of them into files; only the bytes tell which.
        return False
    if content.kind not in sniff.FILES:
        return True
    # A link keeps its own name, so a file that has another is uploaded.
    return content.name is None and sniff.url_suffix(content.url or "") in sniff.LINKABLE_DOCUMENTS


def next_way(content: Content, way: Way, trouble: Trouble) -> Way | None:
    """Return the next way after one that certainly had no effect, or None after the last."""
    if content.items:
        return collages.next_collage_way(content, way) if trouble in _OF_THE_SOURCE else None
    is_image = content.kind is MediaKind.IMAGE
    match way:
        case Way.FILE_ID:
            return first_way(content.model_copy(update={"file_id": None}), skip_link=False)
        case Way.URL:
            straight = trouble in (Trouble.NOT_A_PHOTO, Trouble.TYPE_FORBIDDEN)
            return Way.DOCUMENT if straight else Way.UPLOAD
        case Way.UPLOAD if content.kind in sniff.FILES:
            return Way.LINK
        case Way.UPLOAD:
            # Only a photo has a smaller limit than the document it could be.
            return Way.LINK if trouble is Trouble.TOO_BIG and not is_image else Way.DOCUMENT
        case Way.DOCUMENT:
            return None if content.url is None else Way.LINK
        case Way.TEXT | Way.TEXT_FILE | Way.LINK | Way.CAPTION:
            return None


def of_true_type(content: Content, reason: str) -> Content | None:
    """Return the content as what its file_id is, when the refusal names that."""
    found = _TRUE_TYPE.search(reason)
    kind = _KIND_OF_TYPE.get(found[1].lower()) if found else None
    if kind is None or sniff.SHAPE_OF[kind] is sniff.SHAPE_OF[content.kind]:
        return None
    return content.model_copy(update={"kind": kind})
