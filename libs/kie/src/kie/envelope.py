"""The envelope `{code, msg, data}` and its codes. Errors come with HTTP 200; the code tells."""

import re
from dataclasses import dataclass

from kie.body import Json, storable, whole_number
from kie.paths import at
from kie.values import State

OK_CODES = frozenset({0, 200})  # some Suno endpoints say 0

# What a callback's code says about its task. Codes about our own request (401, 402, 404, 409, 429,
# 433, 455) cannot end a task: nothing documents them in a callback, so they are held and polled.
FAILURE_CODES = frozenset({400, 408, 413, 422, 451, 500, 501, 505, 531})

_POLL_CODES: dict[int, State] = {
    400: State.FATAL_ERROR,
    401: State.FATAL_ERROR,
    402: State.FATAL_ERROR,
    403: State.FATAL_ERROR,
    404: State.NOT_FOUND,
    408: State.FAILED,  # upstream silent for over ten minutes: KIE gave up
    413: State.FAILED,
    422: State.FATAL_ERROR,
    429: State.TRANSIENT_ERROR,
    433: State.FATAL_ERROR,
    451: State.FAILED,
    455: State.TRANSIENT_ERROR,
    500: State.TRANSIENT_ERROR,
    501: State.FAILED,
    502: State.TRANSIENT_ERROR,
    503: State.TRANSIENT_ERROR,
    504: State.TRANSIENT_ERROR,
    505: State.FATAL_ERROR,
    531: State.FAILED,
}
_ANY_CASE = re.IGNORECASE
# Texts under 400 and 422 that say something else than "your request is wrong".
_POLL_TEXTS: tuple[tuple[re.Pattern[str], State], ...] = (
    (re.compile(r"record ?(info)? is null|does not exist|not found", _ANY_CASE), State.NOT_FOUND),
    (re.compile(r"records within \d+ days", _ANY_CASE), State.NOT_FOUND),
    # Runway's account is busy: the request was right, the moment was not.
    (re.compile(r"limit for concurrent", _ANY_CASE), State.TRANSIENT_ERROR),
    # "4k is processing. It should be ready in 5-10 minutes."
    (re.compile(r"is processing", _ANY_CASE), State.PROGRESS),
    # The parent is not ready, or never will be: not told.
    (re.compile(r"record status is not success", _ANY_CASE), State.UNKNOWN),
    (re.compile(r"content polic|moderat|prohibited|copyright", _ANY_CASE), State.FAILED),
)
_TEXT_DECIDES = frozenset({400, 422})

# HTTP alone may come from a proxy, so it never ends a task.
_HTTP_FATAL = frozenset({400, 401, 402, 403, 404, 405, 410, 433})
_HTTP_TRANSIENT = frozenset({408, 425, 429, 455})
_FIRST_SERVER_ERROR = 500

_LONGEST_CODE = 64
_LONGEST_MESSAGE = 2000
_CODE_PLACES = ("data.failCode", "data.errorCode")
_MESSAGE_PLACES = (
    "data.failMsg",
    "data.errorMessage",
    "data.errorMsg",
    "data.error",
    "msg",
    "message",
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outer code, as a number where it is one."""

    code: int | None
    shown_code: str | None

    @property
    def is_ok(self) -> bool:
        """The request, or in a callback the task, is said to be fine."""
        return self.code in OK_CODES


@dataclass(frozen=True, slots=True)
class Said:
    """A code or a text, and the place it stood at."""

    place: str
    text: str


def of(root: dict[str, Json]) -> Envelope:
    """Read the envelope of a message."""
    return Envelope(code=whole_number(root.get("code")), shown_code=_shown(root.get("code")))


def error_code(root: dict[str, Json]) -> Said | None:
    """Return `failCode`, else `errorCode`, else the envelope's code; zero means none."""
    for place in _CODE_PLACES:
        shown = _shown(at(root, place))
        if shown not in (None, "0"):
            return Said(place, shown)
    shown = _shown(root.get("code"))
    return None if shown is None else Said("code", shown)


def error_message(root: dict[str, Json]) -> Said | None:
    """Return the most particular text about the failure."""
    for place in _MESSAGE_PLACES:
        text = at(root, place)
        if isinstance(text, str) and text.strip():
            return Said(place, storable(text[:_LONGEST_MESSAGE]))
    return None


def has_own_error(root: dict[str, Json]) -> bool:
    """Tell whether the task itself carries an error code, as Aleph's failures do."""
    return any(_shown(at(root, place)) not in (None, "0") for place in _CODE_PLACES)


def poll_error(root: dict[str, Json], code: int) -> State | None:
    """Return what an envelope's error code says about the poll, None for an unknown code."""
    said = error_message(root)
    message = said.text if said else ""
    if code in _TEXT_DECIDES:
        for pattern, state in _POLL_TEXTS:
            if pattern.search(message):
                return state
    return _POLL_CODES.get(code)


def http_error(status: int) -> State:
    """Return what an HTTP status says where there is no envelope to ask."""
    if status in _HTTP_FATAL:
        return State.FATAL_ERROR
    if status in _HTTP_TRANSIENT or status >= _FIRST_SERVER_ERROR:
        return State.TRANSIENT_ERROR
    return State.UNKNOWN


def _shown(value: Json) -> str | None:
    match value:
        case None | bool():
            return None
        case float() if value.is_integer():
            text = str(int(value))
        case int() | float():
            text = str(value)
        case str():
            text = storable(value.strip())
        case _:
            return None
    return text[:_LONGEST_CODE] or None
