"""What a result looks like in the chat: which messages, in which order, with which words and buttons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote, urlsplit

from contracts.deliveries import Item
from contracts.markup import Entity, Keyboard
from contracts.reports import ReportedMedia
from contracts.values import MediaKind, label
from job_store.domain import texts
from job_store.domain.delivery.pieces import split, units
from job_store.domain.rows import Bot, Job
from job_store.domain.rules import ALBUM_LIMIT, CAPTION_LIMIT, COLLAGE_LIMIT

PICTURES: Final = frozenset({MediaKind.IMAGE, MediaKind.VIDEO})
# What may stand in one album, by kind; everything else stands alone.
FAMILY: Final = {
    MediaKind.IMAGE: "pictures",
    MediaKind.VIDEO: "pictures",
    MediaKind.AUDIO: "audio",
    MediaKind.FILE: "documents",
    MediaKind.MIDI: "documents",
}
ENDING: Final = {
    MediaKind.IMAGE: "jpg",
    MediaKind.VIDEO: "mp4",
    MediaKind.MIDI: "mid",
    MediaKind.FILE: "txt",
}
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A part before it has a place among the others."""

    kind: MediaKind
    url: str | None = None
    text: str = ""
    entities: tuple[Entity, ...] = ()
    body: str | None = None
    name: str | None = None
    items: tuple[Item, ...] = ()
    buttons: Keyboard = ()
    album: int | None = None


def showable(media: Sequence[ReportedMedia]) -> bool:
    """Tell whether there is anything to show: a result of blank text alone would never end its job."""
    return any(map(_has_content, media))


def _has_content(medium: ReportedMedia) -> bool:
    words = (medium.text or "").strip()
    match medium.kind:
        case MediaKind.TEXT:
            return bool((medium.text or medium.url or "").strip())
        case MediaKind.FILE | MediaKind.MIDI:
            return bool(words or medium.url)
        case _:
            return medium.url is not None


def lay_out(bot: Bot, job: Job, media: Sequence[ReportedMedia]) -> list[Draft]:
    """Make the drafts of a result, in the order in which they are shown."""
    own = [
        draft for no, medium in enumerate(media, start=1) for draft in _of_medium(job, medium, no)
    ]
    originals = _originals(job, own) if job.originals else []
    if bot.rich and job.mode == "edit":
        own = _collaged(own)
    return _in_albums(job, [*_with_words(bot, job, own), *originals])


def _of_medium(job: Job, medium: ReportedMedia, no: int) -> list[Draft]:
    body = medium.text if (medium.text or "").strip() else None
    match medium.kind:
        case MediaKind.TEXT:
            # A link is shown as it is when there is nothing else to say.
            words = split(medium.text, medium.entities) if medium.text else split(medium.url or "")
            return [Draft(kind=medium.kind, text=p.text, entities=p.entities) for p in words]
        case MediaKind.FILE | MediaKind.MIDI if body is not None:
            name = medium.name or _given_name(job, medium.kind, no)
            return [Draft(kind=medium.kind, body=body, name=name)]
        case _ if medium.url is None:
            return []
        case MediaKind.MIDI:
            return [Draft(kind=MediaKind.FILE, url=medium.url, name=medium.name)]
        case MediaKind.AUDIO if job.voice:
            return [Draft(kind=MediaKind.VOICE, url=medium.url)]
        case MediaKind.VOICE if job.mode == "edit":
            return [Draft(kind=MediaKind.AUDIO, url=medium.url)]
        case kind:
            return [Draft(kind=kind, url=medium.url, name=medium.name)]


def _collaged(own: list[Draft]) -> list[Draft]:
    """Put all pictures into one message, where the first of them stood."""
    pictures = [draft for draft in own if draft.kind in PICTURES]
    if len(pictures) < 2:  # noqa: PLR2004 - one picture is no collage
        return own
    frames = [pictures[at : at + COLLAGE_LIMIT] for at in range(0, len(pictures), COLLAGE_LIMIT)]
    collages = [_collage(frame) for frame in frames]
    place = own.index(pictures[0])
    before = own[:place]
    after = [draft for draft in own[place:] if draft.kind not in PICTURES]
    return [*before, *collages, *after]


def _collage(frame: list[Draft]) -> Draft:
    if len(frame) == 1:
        return frame[0]
    items = tuple(Item(kind=draft.kind, url=draft.url) for draft in frame)
    return Draft(kind=frame[0].kind, items=items)


def _with_words(bot: Bot, job: Job, own: list[Draft]) -> list[Draft]:
    """Put the caption on the first medium and the buttons below the first message."""
    if not own:
        return []
    first = next((at for at, draft in enumerate(own) if draft.kind is not MediaKind.TEXT), None)
    words = _words(job)
    if first is None:
        return _with_buttons(job, [*words, *own])
    group = _run(own, first) if job.mode == "send" else 1
    if job.buttons and first == 0 and group > 1:
        # An album cannot have buttons: the words below it do.
        words = _with_buttons(job, words or [_count(bot, job, group)])
    else:
        own = _with_buttons(job, own)
        if len(words) == 1 and units(words[0].text) <= CAPTION_LIMIT:
            (caption,) = words
            own[first] = replace(own[first], text=caption.text, entities=caption.entities)
            return own
    return [*own[: first + group], *words, *own[first + group :]]


def _count(bot: Bot, job: Job, files: int) -> Draft:
    return Draft(kind=MediaKind.TEXT, text=texts.files(bot, job, files))


def _words(job: Job) -> list[Draft]:
    pieces = split(job.caption, job.caption_entities)
    return [Draft(kind=MediaKind.TEXT, text=p.text, entities=p.entities) for p in pieces]


def _with_buttons(job: Job, drafts: list[Draft]) -> list[Draft]:
    return [replace(drafts[0], buttons=job.buttons), *drafts[1:]]


def _originals(job: Job, own: Sequence[Draft]) -> list[Draft]:
    """Make one untouched file of every picture, after all that is shown."""
    pictures = [draft for draft in own if draft.kind in PICTURES and draft.url]
    return [
        Draft(kind=MediaKind.FILE, url=draft.url, name=_name_of(job, draft, no))
        for no, draft in enumerate(pictures, start=1)
    ]


def _name_of(job: Job, draft: Draft, no: int) -> str:
    name = unquote(urlsplit(draft.url or "").path).rpartition("/")[2]
    stem, _, ending = name.rpartition(".")
    is_name = stem and ending.isalnum() and name.isprintable() and len(name) <= LONGEST_NAME
    return name if is_name else _given_name(job, draft.kind, no)


def _given_name(job: Job, kind: MediaKind, no: int) -> str:
    return f"job-{label(job.id)}-{no}.{ENDING[kind]}"


def _in_albums(job: Job, drafts: list[Draft]) -> list[Draft]:
    """Number the albums: runs of what may stand together, ten at most."""
    if job.mode != "send":
        return drafts
    numbered: list[Draft] = []
    album = 0
    while len(numbered) < len(drafts):
        run = _run(drafts, len(numbered))
        album += run > 1
        members = drafts[len(numbered) : len(numbered) + run]
        numbered += [replace(m, album=album if run > 1 else None) for m in members]
    return numbered


def _run(drafts: Sequence[Draft], start: int) -> int:
    """Count how many from here on are sent as one album."""
    family = FAMILY.get(drafts[start].kind)
    end = start + 1
    while (
        family is not None
        and end < min(len(drafts), start + ALBUM_LIMIT)
        and FAMILY.get(drafts[end].kind) == family
    ):
        end += 1
    return end - start
