"""KIE's words in the contract's bounds: whatever was read, the result is always storable.

Text is cut and cleaned, links that are none are dropped, an id that does not fit is dropped rather
than cut (a cut id would name another task). Every loss leaves an anomaly.
"""

import math
import re
from typing import Final

from contracts.reports import Reading, ReportedMedia, ReportState
from contracts.values import FailureClass, MediaKind
from kie import values

WORD: Final = 100
LINE: Final = 2_000
TEXT: Final = 40_000
URL: Final = 4_096
TASK_ID: Final = 200
MEDIA: Final = 200
ANOMALIES: Final = 50

BODY_TOO_LARGE: Final = "body_too_large"
NOT_DECLARED_JSON: Final = "not_declared_json"
TASK_ID_DROPPED: Final = "task_id_dropped"
TEXT_CUT: Final = "text_cut"
TEXT_CLEANED: Final = "text_cleaned"
URL_DROPPED: Final = "url_dropped"
MEDIA_CUT: Final = "media_cut"
PROGRESS_DROPPED: Final = "progress_dropped"
READING_DROPPED: Final = "reading_dropped"
TASK_UNCLEAR: Final = "task_unclear"

# States that end nothing, so that nothing in them needs to be doubted.
HINTS: Final = frozenset({ReportState.PROGRESS, ReportState.UNKNOWN})

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LINK: Final = re.compile(r"https?://[^\s]", re.IGNORECASE)


def unread(anomaly: str) -> Reading:
    """Return the reading of a body nobody can or may read: look at this task."""
    return Reading(state=ReportState.UNKNOWN, anomalies=(anomaly,))


def bounded(heard: values.Reading, *, failure: FailureClass | None) -> Reading:
    """Put what libs/kie read into the contract's bounds; never raises."""
    fitting = _Fitting()
    return Reading(
        state=ReportState(heard.state.value),
        task_id=fitting.task_id(heard.task_id),
        family=fitting.text(heard.family, longest=WORD),
        media=fitting.media(heard.media),
        error_code=fitting.text(heard.error_code, longest=WORD),
        error_message=fitting.text(heard.error_message, longest=LINE),
        error_class=failure,
        progress=fitting.percent(heard.progress),
        anomalies=fitting.all_anomalies(heard.anomalies),
    )


def doubted(reading: Reading, anomaly: str) -> Reading:
    """Return the same reading as a hint only: nothing in it may end a job."""
    noted = (anomaly, *reading.anomalies)[:ANOMALIES]
    return reading.model_copy(update={"state": ReportState.UNKNOWN, "anomalies": noted})


def clean(text: str) -> str:
    """Replace what neither Postgres nor UTF-8 can hold."""
    return _UNSTORABLE.sub("\ufffd", text)


class _Fitting:
    """Cuts values to the contract and remembers what it cost."""

    def __init__(self) -> None:
        self._noted: dict[str, None] = {}  # in order, each once

    def text(self, value: str | None, *, longest: int) -> str | None:
        if not value:
            return None
        if len(value) > longest:
            self._note(TEXT_CUT)
            value = value[:longest]
        return self._cleaned(value)

    def task_id(self, value: str | None) -> str | None:
        if value is None:
            return None
        if not 0 < len(value) <= TASK_ID or _UNSTORABLE.search(value):
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
        kept = [medium for one in heard if (medium := self._medium(one)) is not None]
        if len(kept) > MEDIA:
            self._note(MEDIA_CUT)
        return tuple(kept[:MEDIA])

    def all_anomalies(self, heard: tuple[str, ...]) -> tuple[str, ...]:
        # Ours first: they say what this reading lost, and the list is bounded.
        words = [*self._noted, *(clean(word[:WORD]) for word in heard if word)]
        return tuple(dict.fromkeys(words))[:ANOMALIES]

    def _medium(self, heard: values.Media) -> ReportedMedia | None:
        url = self._url(heard.url)
        text = self.text(heard.text, longest=TEXT)
        if url is None and text is None:
            return None
        return ReportedMedia(kind=MediaKind(heard.kind), url=url, text=text)

    def _url(self, value: str | None) -> str | None:
        if value is None:
            return None
        if len(value) > URL or not _LINK.match(value) or _UNSTORABLE.search(value):
            self._note(URL_DROPPED)
            return None
        scheme, _, rest = value.partition(":")
        return f"{scheme.lower()}:{rest}"

    def _cleaned(self, value: str) -> str:
        cleaned = clean(value)
        if cleaned != value:
            self._note(TEXT_CLEANED)
        return cleaned

    def _note(self, anomaly: str) -> None:
        self._noted[anomaly] = None
