"""Reading what KIE says. Never raises: what cannot be understood is `unknown`, with the reason."""

from dataclasses import replace

from kie import body, dialects, envelope, results, task_ids, verdicts
from kie.body import Json
from kie.dialects.base import Dialect, Facts
from kie.paths import at
from kie.values import Anomaly, Media, MediaKind, Reading, State

__all__ = [
    "Anomaly",
    "Media",
    "MediaKind",
    "Reading",
    "State",
    "read_callback",
    "read_poll",
    "unanswered",
    "unaskable",
]

_HTTP_OK = 200
_FIRST_REDIRECT = 300


def read_callback(raw: bytes, *, family: str | None = None) -> Reading:
    """Read a callback; without a family the shape tells which dialect it is."""
    message = body.parse(raw)
    if not message.readable:
        return _unreadable(message, family)
    guessed, by_shape = dialects.of_callback(message.root)
    name, dialect, odd = _chosen(family, guessed, by_shape)
    found = results.collect(dialect.callback, message.root)
    verdict = verdicts.on_callback(dialect.callback, message.root, found)
    return _reading(message, dialect.callback, found, verdict, (name, odd))


def read_poll(raw: bytes, *, family: str | None = None, http_status: int = _HTTP_OK) -> Reading:
    """Read a polling answer; the HTTP status only counts where no envelope speaks."""
    message = body.parse(raw)
    outer = envelope.of(message.root)
    http_failed = not _HTTP_OK <= http_status < _FIRST_REDIRECT
    if http_failed and (outer.code is None or outer.is_ok):
        return _http_error(message, family, http_status)
    if not message.readable:
        return _unreadable(message, family)
    guessed, by_shape = dialects.of_poll(message.root)
    name, dialect, odd = _chosen(family, guessed, by_shape)
    found = results.collect(dialect.poll, message.root)
    verdict = verdicts.on_poll(dialect.poll, message.root, found)
    read = _reading(message, dialect.poll, found, verdict, (name, odd))
    # Errors carry no task and the 1080p endpoint names none: absence says nothing in a poll.
    anomalies = tuple(odd for odd in read.anomalies if odd != Anomaly.NO_TASK_ID)
    return replace(read, anomalies=anomalies)


def unanswered(*, family: str, reason: str) -> Reading:
    """Return the reading of a poll that got no answer at all."""
    return Reading(
        task_id=None,
        state=State.TRANSIENT_ERROR,
        error_message=reason,
        family=family,
        anomalies=(Anomaly.NO_ANSWER,),
        trace=(reason,),
    )


def unaskable(*, family: str) -> Reading:
    """Return the reading of a poll for which KIE has no endpoint."""
    return Reading(
        task_id=None,
        state=State.FATAL_ERROR,
        error_message="no polling endpoint",
        family=family if family in dialects.BY_FAMILY else None,
        anomalies=(Anomaly.NO_ENDPOINT,),
        trace=("KIE documents no polling endpoint for this family",),
    )


def _chosen(
    told: str | None, guessed: str | None, by_shape: Dialect
) -> tuple[str | None, Dialect, tuple[Anomaly, ...]]:
    if told is None:
        return guessed, by_shape, ()
    if told in dialects.BY_FAMILY:
        return told, dialects.BY_FAMILY[told], ()
    return guessed, by_shape, (Anomaly.UNKNOWN_FAMILY,)


def _reading(
    message: body.Body,
    facts: Facts,
    found: results.Found,
    verdict: verdicts.Verdict,
    named: tuple[str | None, tuple[Anomaly, ...]],
) -> Reading:
    family, odd_name = named
    task_id, odd_id, id_trace = task_ids.find(message)
    odd = [*message.anomalies, *odd_name, *odd_id, *verdict.anomalies]
    media: tuple[Media, ...] = ()
    if verdict.state in (State.SUCCEEDED, State.PROGRESS):
        media = found.media
        odd += found.anomalies
    if verdict.state is State.SUCCEEDED:
        odd += _doubts(facts, message.root, media)
    code, text = _error(message.root, verdict.state)
    return Reading(
        task_id=task_id,
        state=verdict.state,
        media=media,
        error_code=code,
        error_message=text,
        family=family,
        progress=_fraction(facts, message.root),
        anomalies=tuple(dict.fromkeys(odd)),
        trace=(*id_trace, f"state {verdict.state}: {verdict.reason}", *found.trace),
        status=verdict.word,
    )


def _doubts(facts: Facts, root: dict[str, Json], media: tuple[Media, ...]) -> list[Anomaly]:
    doubts = [] if media else [Anomaly.SUCCESS_WITHOUT_RESULT]
    if facts.expired_at and body.whole_number(at(root, facts.expired_at)) == 1:
        doubts.append(Anomaly.RESULT_EXPIRED)
    return doubts


def _error(root: dict[str, Json], state: State) -> tuple[str | None, str | None]:
    if state in (State.SUCCEEDED, State.PROGRESS):
        return None, None
    told = state is State.FAILED or envelope.has_own_error(root)
    if not told and envelope.of(root).is_ok:
        return None, None
    return envelope.error_code(root), envelope.error_message(root)


def _fraction(facts: Facts, root: dict[str, Json]) -> float | None:
    value = at(root, facts.progress_at) if facts.progress_at else None
    if value is None or isinstance(value, bool | dict | list):
        return None
    try:
        fraction = float(value) / facts.progress_whole
    except (ValueError, OverflowError):
        return None
    return fraction if 0 <= fraction <= 1 else None


def _unreadable(message: body.Body, family: str | None) -> Reading:
    odd = message.anomalies
    known = family if family in dialects.BY_FAMILY else None
    return Reading(
        None, State.UNKNOWN, family=known, anomalies=odd, trace=(f"unreadable: {odd[0]}",)
    )


def _http_error(message: body.Body, family: str | None, status: int) -> Reading:
    known = family if family in dialects.BY_FAMILY else None
    return Reading(
        task_id=task_ids.find(message)[0],
        state=envelope.http_error(status),
        error_code=str(status),
        error_message=envelope.error_message(message.root),
        family=known,
        anomalies=(*message.anomalies, Anomaly.HTTP_STATUS),
        trace=(f"HTTP status {status} without an envelope",),
    )
