"""Why a message was read as it was, for people: every value with its place, in a fixed order."""

from dataclasses import dataclass

from kie.reading import read_callback, read_poll
from kie.values import About, Anomaly, Media, Reading

_LONGEST_TEXT = 200
_NO_FAMILY = "not recognised"

_MEANINGS: dict[str, str] = {
    Anomaly.TASK_ID_CONFLICT: "the places of the task id name different ones: none is believed",
    Anomaly.TASK_ID_MALFORMED: "what stands in the place of the task id cannot be one",
    Anomaly.TASK_ID_MISMATCH: "the answer is about another task than the one asked for",
    Anomaly.NO_TASK_ID: "none of the four places names a task",
    Anomaly.SUCCESS_WITHOUT_RESULT: "success is said and no result is there",
    Anomaly.RESULT_EXPIRED: "KIE has deleted the result",
    Anomaly.BAD_URL: "what stands in the place of a link is none",
    Anomaly.UNKNOWN_FAMILY: "the family that was told is none we know",
    Anomaly.UNKNOWN_STATE: "no known word for the state: hold and ask again, never failed",
    Anomaly.UNKNOWN_CODE: "the code says nothing about a task: hold and ask again",
    Anomaly.CODE_CONTRADICTS_STATE: "the code says failed, the word for the state does not",
    Anomaly.DUPLICATE_KEY: "a key stands twice in one object",
    Anomaly.NOT_UTF8: "the bytes are no UTF-8",
    Anomaly.NOT_JSON: "the text is no JSON",
    Anomaly.NOT_AN_OBJECT: "the JSON is no object",
    Anomaly.TOO_DEEP: "the JSON is nested too deeply",
    Anomaly.HTTP_STATUS: "the HTTP status speaks, no envelope does",
    Anomaly.NO_ANSWER: "no answer came",
    Anomaly.NO_ENDPOINT: "KIE has no endpoint to ask at",
    Anomaly.OTHER_OPERATION: "the record is the parent task's, not this operation's",
}
_ORDER: tuple[About, ...] = (
    "family",
    "task_id",
    "state",
    "result",
    "progress",
    "error_code",
    "error_message",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One value of a reading: what it is, what was read, from which paths, and why."""

    about: About
    values: tuple[str, ...]
    places: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Oddity:
    """One anomaly and what it means."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reading taken apart. Values are foreign text as it came: whoever shows them escapes it."""

    reading: Reading
    findings: tuple[Finding, ...]
    ignored: tuple[str, ...]
    oddities: tuple[Oddity, ...]


def explain_callback(raw: bytes, *, family: str | None = None) -> Explanation:
    """Read a callback and tell why it was read so."""
    return explain(read_callback(raw, family=family))


def explain_poll(raw: bytes, *, family: str | None = None, http_status: int = 200) -> Explanation:
    """Read a polling answer and tell why it was read so."""
    return explain(read_poll(raw, family=family, http_status=http_status))


def explain(reading: Reading) -> Explanation:
    """Take a reading apart."""
    findings = (_finding(reading, about) for about in _ORDER)
    return Explanation(
        reading=reading,
        findings=tuple(one for one in findings if one.values or one.places or one.why),
        ignored=tuple(
            step.place for step in reading.trace if step.about == "ignored" and step.place
        ),
        oddities=tuple(Oddity(name, _MEANINGS.get(name, "")) for name in reading.anomalies),
    )


def _finding(reading: Reading, about: About) -> Finding:
    steps = [step for step in reading.trace if step.about == about]
    return Finding(
        about=about,
        values=_values(reading, about),
        places=tuple(step.place for step in steps if step.place),
        why=tuple(step.why for step in steps if step.why),
    )


def _values(reading: Reading, about: About) -> tuple[str, ...]:
    said = {
        "family": reading.family or _NO_FAMILY,
        "task_id": reading.task_id,
        "state": str(reading.state),
        "progress": None if reading.progress is None else f"{reading.progress:.0%}",
        "error_code": reading.error_code,
        "error_message": reading.error_message,
    }
    if about == "result":
        return tuple(_shown(medium) for medium in reading.media)
    value = said.get(about)
    return () if value is None else (value,)


def _shown(medium: Media) -> str:
    return f"{medium.kind} {medium.url or (medium.text or '')[:_LONGEST_TEXT]}"
