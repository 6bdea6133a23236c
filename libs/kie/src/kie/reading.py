"""Reading what KIE says. Never raises: what cannot be understood is `unknown`, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kie import body, dialects, envelope, results, task_ids, verdicts
from kie.body import Json
from kie.dialects.base import Dialect, Facts
from kie.paths import at
from kie.values import Anomaly, Media, MediaKind, Reading, State, Step

__all__ = [
    "Anomaly",
    "Media",
    "MediaKind",
    "Reading",
    "State",
    "Step",
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
    chosen = _chosen(family, message.root, dialects.of_callback)
    facts = chosen.dialect.callback
    found = results.collect(facts, message.root)
    verdict = verdicts.on_callback(facts, message.root, found)
    return _reading(message, facts, found, verdict, chosen)


def read_poll(raw: bytes, *, family: str | None = None, http_status: int = _HTTP_OK) -> Reading:
    """Read a polling answer; the HTTP status only counts where no envelope speaks."""
    message = body.parse(raw)
    outer = envelope.of(message.root)
    http_failed = not _HTTP_OK <= http_status < _FIRST_REDIRECT
    if http_failed and (outer.code is None or outer.is_ok):
        return _http_error(message, family, http_status)
    if not message.readable:
        return _unreadable(message, family)
    chosen = _chosen(family, message.root, dialects.of_poll)
    facts = chosen.dialect.poll
    found = results.collect(facts, message.root)
    verdict = verdicts.on_poll(facts, message.root, found)
    read = _reading(message, facts, found, verdict, chosen)
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
        trace=(Step("state", why=reason),),
    )


def unaskable(*, family: str) -> Reading:
    """Return the reading of a poll for which KIE has no endpoint."""
    return Reading(
        task_id=None,
        state=State.FATAL_ERROR,
        error_message="no polling endpoint",
        family=family if family in dialects.BY_FAMILY else None,
        anomalies=(Anomaly.NO_ENDPOINT,),
        trace=(Step("state", why="KIE documents no polling endpoint for it"),),
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The dialect a message is read in, and why."""

    dialect: Dialect
    family: str | None
    step: Step
    anomalies: tuple[Anomaly, ...] = ()


def _chosen(
    told: str | None,
    root: dict[str, Json],
    guess_from: Callable[[dict[str, Json]], dialects.Recognised],
) -> _Chosen:
    if told in dialects.BY_FAMILY:
        return _Chosen(dialects.BY_FAMILY[told], told, Step("family", why="told by the caller"))
    guess = guess_from(root)
    place = guess.sign.path if guess.sign else None
    why = str(guess.sign) if guess.sign else "no shape only one family has"
    if told is None:
        return _Chosen(guess.dialect, guess.family, Step("family", place, why))
    step = Step("family", place, f"told one nobody knows, so by shape: {why}")
    return _Chosen(guess.dialect, guess.family, step, (Anomaly.UNKNOWN_FAMILY,))


def _reading(
    message: body.Body,
    facts: Facts,
    found: results.Found,
    verdict: verdicts.Verdict,
    chosen: _Chosen,
) -> Reading:
    task_id, odd_id, id_steps = task_ids.find(message)
    odd = [*message.anomalies, *chosen.anomalies, *odd_id, *verdict.anomalies]
    steps = [chosen.step, *id_steps, Step("state", verdict.place, verdict.reason)]
    media: tuple[Media, ...] = ()
    if verdict.state in (State.SUCCEEDED, State.PROGRESS):
        media = found.media
        odd += found.anomalies
        steps += found.trace
    if verdict.state is State.SUCCEEDED:
        odd += _doubts(facts, message.root, media)
    code, text = _error(message.root, verdict.state)
    progress = _fraction(facts, message.root)
    if code is not None:
        steps.append(Step("error_code", code.place))
    if text is not None:
        steps.append(Step("error_message", text.place))
    if progress is not None:
        steps.append(Step("progress", facts.progress_at))
    return Reading(
        task_id=task_id,
        state=verdict.state,
        media=media,
        error_code=code.text if code else None,
        error_message=text.text if text else None,
        family=chosen.family,
        progress=progress,
        anomalies=tuple(dict.fromkeys(odd)),
        trace=tuple(steps),
        status=verdict.word,
    )


def _doubts(facts: Facts, root: dict[str, Json], media: tuple[Media, ...]) -> list[Anomaly]:
    doubts = [] if media else [Anomaly.SUCCESS_WITHOUT_RESULT]
    if facts.expired_at and body.whole_number(at(root, facts.expired_at)) == 1:
        doubts.append(Anomaly.RESULT_EXPIRED)
    return doubts


def _error(
    root: dict[str, Json], state: State
) -> tuple[envelope.Said | None, envelope.Said | None]:
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
    step = Step("state", why=f"the body cannot be read: {odd[0]}")
    return Reading(None, State.UNKNOWN, family=known, anomalies=odd, trace=(step,))


def _http_error(message: body.Body, family: str | None, status: int) -> Reading:
    known = family if family in dialects.BY_FAMILY else None
    said = envelope.error_message(message.root)
    return Reading(
        task_id=task_ids.find(message)[0],
        state=envelope.http_error(status),
        error_code=str(status),
        error_message=said.text if said else None,
        family=known,
        anomalies=(*message.anomalies, Anomaly.HTTP_STATUS),
        trace=(Step("state", why=f"HTTP status {status} without an envelope"),),
    )
