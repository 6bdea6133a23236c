"""KIE's answer to a poll as a report that always validates. Pure: no clock, no network."""

import json
import math
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from contracts.polls import PollRequested
from contracts.reports import PollClaim, Reading, ReportedMedia, ReportReceived, ReportState
from contracts.values import FailureClass, MediaKind
from kie import values as kie
from kie.body import storable

# With base64 and the reading the report stays below NATS' payload limit of 1 MiB.
MAX_BODY: Final = 256 * 1024
MAX_MEDIA_BYTES: Final = 256 * 1024  # all links and texts of one report, as JSON
MAX_MEDIA: Final = 200
MAX_URL: Final = 4_096
MAX_TEXT: Final = 40_000
MAX_LINE: Final = 2_000
MAX_WORD: Final = 100
MAX_TASK_ID: Final = 200
MAX_ANOMALIES: Final = 50

_LINK: Final = re.compile(r"https?://[^\s]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one poll brought: the bytes, possibly none, and our reading of them."""

    body: bytes
    reading: kie.Reading
    failure: FailureClass | None = None


def report_of(request: PollRequested, answer: Answer, *, now: datetime) -> ReportReceived:
    """Make the fact a callback makes; the same answer to the same question gets the same id."""
    digest = sha256(answer.body).hexdigest()
    reading = reading_of(answer.reading, failure=answer.failure)
    return ReportReceived(
        id=f"poll:{request.attempt.id}:{reading.state}:{digest[:16]}",
        at=now,
        trace=request.trace,
        origin="poll",
        received_at=now,
        # the field is read from its wire form
        body=b64encode(answer.body[:MAX_BODY]),
        body_digest=digest,
        truncated=len(answer.body) > MAX_BODY,
        reading=reading,
        poll=PollClaim(
            attempt_id=request.attempt.id,
            job_id=request.job_id,
            account=request.account,
            family=request.family,
            operation=request.operation,
            task_id=request.task_id,
        ),
    )


def reading_of(read: kie.Reading, *, failure: FailureClass | None = None) -> Reading:
    """Fit a reading into the contract; what that cost is an anomaly, named as the gateway does."""
    fitting = _Fitting()
    media = fitting.media(read.media)
    state = ReportState(read.state.value)
    if state is ReportState.SUCCEEDED and read.media and not media:
        # A success that shows nothing would take the money for nothing: hold and look instead.
        state = ReportState.UNKNOWN
    return Reading(
        state=state,
        task_id=fitting.task_id(read.task_id),
        family=fitting.text(read.family, longest=MAX_WORD),
        media=media,
        error_code=fitting.text(read.error_code, longest=MAX_WORD),
        error_message=fitting.text(read.error_message, longest=MAX_LINE),
        error_class=failure,
        progress=fitting.percent(read.progress),
        anomalies=fitting.anomalies(read.anomalies),
    )


class _Fitting:
    """Cuts values to the contract and remembers what was lost."""

    def __init__(self) -> None:
        self._lost: list[str] = []
        self._room = MAX_MEDIA_BYTES

    def text(self, value: str | None, *, longest: int) -> str | None:
        if not value:
            return None
        if len(value) > longest:
            self._lost.append("text_cut")
        kept = storable(value[:longest])
        if kept != value[:longest]:
            self._lost.append("text_cleaned")
        return kept

    def task_id(self, value: str | None) -> str | None:
        if value is None:
            return None
        if not 0 < len(value) <= MAX_TASK_ID or storable(value) != value:
            self._lost.append("task_id_dropped")
            return None
        return value

    def percent(self, fraction: float | None) -> float | None:
        if fraction is None:
            return None
        if not math.isfinite(fraction) or not 0 <= fraction <= 1:
            self._lost.append("progress_dropped")
            return None
        return fraction * 100

    def media(self, read: tuple[kie.Media, ...]) -> tuple[ReportedMedia, ...]:
        fitting = [medium for one in read if (medium := self._medium(one)) is not None]
        kept = [medium for medium in fitting[:MAX_MEDIA] if self._has_room(medium)]
        if len(kept) < len(fitting):
            self._lost.append("media_cut")
        return tuple(kept)

    def anomalies(self, read: tuple[str, ...]) -> tuple[str, ...]:
        # Ours first: they say what this reading lost, and the list is bounded.
        words = (*self._lost, *(storable(name[:MAX_WORD]) for name in read))
        return tuple(dict.fromkeys(word for word in words if word))[:MAX_ANOMALIES]

    def _medium(self, one: kie.Media) -> ReportedMedia | None:
        url = self._url(one.url)
        text = self.text(one.text, longest=MAX_TEXT)
        if url is None and text is None:
            return None
        return ReportedMedia(kind=MediaKind(one.kind), url=url, text=text)

    def _url(self, value: str | None) -> str | None:
        if value is None:
            return None
        if len(value) > MAX_URL or not _LINK.match(value) or storable(value) != value:
            self._lost.append("url_dropped")
            return None
        scheme, _, rest = value.partition(":")
        return f"{scheme.lower()}:{rest}"

    def _has_room(self, medium: ReportedMedia) -> bool:
        # As ASCII JSON: an upper bound of what travels.
        self._room -= len(json.dumps((medium.url, medium.text)))
        return self._room >= 0
