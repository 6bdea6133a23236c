"""A reading as the contract tells it: whatever was read, what comes out is valid and storable.

Text is cut and cleaned, links that are none are dropped, an id that does not fit is dropped rather
than cut (a cut id would name another task). Every loss leaves an anomaly.
"""

import math
import re
from collections import Counter
from typing import Final

from contracts.reports import Reading, ReportedMedia, ReportState
from contracts.values import MediaKind
from kie import classes, notes, values
from kie.body import storable

WORD: Final = 100
LINE: Final = 2_000
TEXT: Final = 40_000
NOTES: Final = 250_000
URL: Final = 4_096
TASK_ID: Final = 200
MEDIA: Final = 200
ANOMALIES: Final = 50
# Bytes of all media as they travel: with a body of 256 KiB in base64 they fit one message of 1 MiB.
ROOM: Final = 256 * 1024

TASK_ID_DROPPED: Final = "task_id_dropped"
TEXT_CUT: Final = "text_cut"
TEXT_CLEANED: Final = "text_cleaned"
URL_DROPPED: Final = "url_dropped"
MEDIA_CUT: Final = "media_cut"
PROGRESS_DROPPED: Final = "progress_dropped"

# What nobody can play is handed over under a name that promises no music.
UNPLAYABLE: Final = "notes.json"

_MIDI: Final = ".mid"
_LINK: Final = re.compile(r"https?://[^\s]", re.IGNORECASE)


def reading_of(heard: values.Reading) -> Reading:
    """Put a reading into the contract's bounds and words; never raises."""
    fitting = _Fitting()
    media = fitting.media(heard.media)
    state = ReportState(heard.state.value)
    if state is ReportState.SUCCEEDED and heard.media and not media:
        # A success that shows nothing would take the money for nothing: hold and look instead.
        state = ReportState.UNKNOWN
    return Reading(
        state=state,
        task_id=fitting.task_id(heard.task_id),
        family=fitting.text(heard.family, longest=WORD),
        media=media,
        error_code=fitting.text(heard.error_code, longest=WORD),
        error_message=fitting.text(heard.error_message, longest=LINE),
        error_class=classes.classify(heard) if heard.state is values.State.FAILED else None,
        progress=fitting.percent(heard.progress),
        anomalies=fitting.anomalies(heard.anomalies),
    )


class _Fitting:
    """Cuts values to the contract and remembers what it cost."""

    def __init__(self) -> None:
        self._noted: dict[str, None] = {}  # in order, each once
        self._room = ROOM

    def text(self, value: str | None, *, longest: int) -> str | None:
        if not value:
            return None
        if len(value) > longest:
            self._note(TEXT_CUT)
        return self._cleaned(value[:longest])

    def task_id(self, value: str | None) -> str | None:
        if value is None:
            return None
        if not 0 < len(value) <= TASK_ID or storable(value) != value:
            self._note(TASK_ID_DROPPED)
            return None
        return value

    def percent(self, fraction: float | None) -> float | None:
        if fraction is None:
            return None
        if not math.isfinite(fraction) or not 0 <= fraction <= 1:
            self._note(PROGRESS_DROPPED)
            return None
        return fraction * 100

    def media(self, heard: tuple[values.Media, ...]) -> tuple[ReportedMedia, ...]:
        kept: list[ReportedMedia] = []
        for one in heard:
            medium = self._medium(one)
            if medium is None:
                continue
            size = len(medium.model_dump_json().encode())
            if len(kept) == MEDIA or size > self._room:
                self._note(MEDIA_CUT)
                continue
            self._room -= size
            kept.append(medium)
        return _numbered(kept)

    def anomalies(self, heard: tuple[str, ...]) -> tuple[str, ...]:
        # Ours first: they say what this reading lost, and the list is bounded.
        words = (*self._noted, *(storable(name[:WORD]) for name in heard))
        return tuple(dict.fromkeys(word for word in words if word))[:ANOMALIES]

    def _medium(self, one: values.Media) -> ReportedMedia | None:
        if one.text and one.name and one.name.endswith(_MIDI):
            return self._notes(self._cleaned(one.text), one.name)
        url = self._url(one.url)
        text = self.text(one.text, longest=TEXT)
        if url is None and text is None:
            return None
        kind = MediaKind.FILE if text and one.name else MediaKind(one.kind)
        return ReportedMedia(kind=kind, url=url, text=text, name=one.name)

    def _notes(self, text: str, name: str) -> ReportedMedia:
        frame = ReportedMedia(kind=MediaKind.MIDI, text="", name=name).model_dump_json()
        fitted = notes.fitted(text, room=min(NOTES, self._room - len(frame)))
        if fitted is None:
            cut = self.text(text, longest=TEXT)
            return ReportedMedia(kind=MediaKind.FILE, text=cut, name=UNPLAYABLE)
        if not fitted.is_whole:
            self._note(TEXT_CUT)
        return ReportedMedia(kind=MediaKind.MIDI, text=fitted.text, name=name)

    def _url(self, value: str | None) -> str | None:
        if value is None:
            return None
        if len(value) > URL or not _LINK.match(value) or storable(value) != value:
            self._note(URL_DROPPED)
            return None
        scheme, _, rest = value.partition(":")
        return f"{scheme.lower()}:{rest}"

    def _cleaned(self, value: str) -> str:
        cleaned = storable(value)
        if cleaned != value:
            self._note(TEXT_CLEANED)
        return cleaned

    def _note(self, anomaly: str) -> None:
        self._noted[anomaly] = None


def _numbered(media: list[ReportedMedia]) -> tuple[ReportedMedia, ...]:
    """Give the second document of a name its number, and so on."""
    seen: Counter[str] = Counter()
    numbered = list(media)
    for place, one in enumerate(media):
        if one.name is None:
            continue
        seen[one.name] += 1
        if (number := seen[one.name]) > 1:
            stem, dot, suffix = one.name.rpartition(".")
            name = f"{stem}-{number}{dot}{suffix}"
            numbered[place] = one.model_copy(update={"name": name})
    return tuple(numbered)
