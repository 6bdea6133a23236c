"""From bytes to a JSON object, and from any JSON value to text that is safe to store."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from kie.values import Anomaly

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

# Postgres text knows no NUL; UTF-8 knows no lone surrogate.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
# A task id is stored, signed and logged: what cannot be printed on one line is not one.
_LONGEST_TASK_ID = 256
_TASK_ID_KEYS = ("taskId", "task_id")


@dataclass(frozen=True, slots=True)
class Body:
    """A parsed message; `root` is empty when the bytes were no JSON object."""

    root: dict[str, Json]
    readable: bool = True
    anomalies: tuple[Anomaly, ...] = ()
    # One of the id keys stood twice in one object with different values.
    torn_task_id: bool = False


class _Pairs:
    """Builds objects while noticing keys that stand twice, which json.loads hides."""

    def __init__(self) -> None:
        self.repeated = False
        self.torn_task_id = False

    def __call__(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        built = dict(pairs)
        if len(built) != len(pairs):
            self.repeated = True
            self.torn_task_id |= any(
                key in _TASK_ID_KEYS and built[key] != value for key, value in pairs
            )
        return built


def parse(raw: bytes) -> Body:
    """Parse a message body; never raises."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Body({}, readable=False, anomalies=(Anomaly.NOT_UTF8,))
    pairs = _Pairs()
    try:
        root: Json = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_number)
    except RecursionError:
        return Body({}, readable=False, anomalies=(Anomaly.TOO_DEEP,))
    except ValueError:  # also an integer longer than Python is willing to read
        return Body({}, readable=False, anomalies=(Anomaly.NOT_JSON,))
    if not isinstance(root, dict):
        return Body({}, readable=False, anomalies=(Anomaly.NOT_AN_OBJECT,))
    noticed = (Anomaly.DUPLICATE_KEY,) if pairs.repeated else ()
    return Body(root, anomalies=noticed, torn_task_id=pairs.torn_task_id)


# Several places of one message lie in the same string. Strings of two messages are enough.
@lru_cache(maxsize=8)
def embedded(text: str) -> Json:
    """Return the JSON that a string value carries, None when it carries none; never raises.

    KIE encodes some values twice (`resultJson`, `promptJson`), so one more layer is opened; what is
    inside may be a text, such as one link. The value is shared with whoever asks again: nobody
    changes it.
    """
    value: Json = text
    for _layer in range(2):
        if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", '"')):
            break
        try:
            value = _EMBEDDED.decode(value)
        except (ValueError, RecursionError):
            return None
    return None if value == text else value


def storable(text: str) -> str:
    """Replace what neither Postgres nor UTF-8 can hold."""
    return _UNSTORABLE.sub("\ufffd", text)


def whole_number(value: Json) -> int | None:
    """Read a small integer written as a number or as text."""
    match value:
        case bool():
            return None
        case int():
            return value if abs(value) < 10**9 else None
        case float():
            return int(value) if value.is_integer() and abs(value) < 10**9 else None
        case str() if _WHOLE_NUMBER.fullmatch(value.strip()):
            return int(value.strip())
        case _:
            return None


def task_id(value: Json) -> str | None:
    """Read a task id, None when the value cannot be one."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TASK_ID:
        return None
    return value if value.isprintable() and value.strip() == value else None


def _no_number(_constant: str) -> None:
    """NaN and the infinities are no JSON; they read as null."""


_EMBEDDED = json.JSONDecoder(parse_constant=_no_number)
