"""Values of columns: what Postgres would have made of them, and how they look in the journal."""

import base64
import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg

Row = dict[str, Any]
"""A row by column; it is replaced and never changed, so whoever holds one may keep it."""

BIGINT: Final = 2**63
INTEGER: Final = 2**31
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def text(value: object) -> str:
    if not isinstance(value, str):
        raise asyncpg.DataError(f"not a text: {type(value).__name__}")
    if "\x00" in value:
        raise asyncpg.CharacterNotInRepertoireError("a text cannot hold a NUL")
    return str(value)


def whole(value: object, *, bound: int) -> int:
    if not isinstance(value, int):
        raise asyncpg.DataError(f"not a whole number: {type(value).__name__}")
    if not -bound <= value < bound:
        raise asyncpg.NumericValueOutOfRangeError("the number is too large for its column")
    return int(value)


def single(value: object) -> float:
    """Round to what four bytes hold, as a column of `real` does."""
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    except (struct.error, OverflowError) as problem:
        raise asyncpg.DataError(str(problem)) from problem
    return rounded


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise asyncpg.DataError(f"not a boolean: {type(value).__name__}")
    return value


def uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def moment(value: object) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise asyncpg.DataError(f"not a time: {type(value).__name__}")
    return value.astimezone(UTC)


def octets(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return base64.b64decode(value)
    raise asyncpg.DataError(f"no bytes: {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Read:
    """JSON that ``from_json`` has read: it is nobody's but the row's."""

    value: Any


def jsonb(value: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a copy of the writer's value, as it would be read back."""
    if isinstance(value, Read):
        return value.value
    try:
        return from_json(json.dumps(value, allow_nan=False))
    except ValueError as problem:
        raise asyncpg.InvalidTextRepresentationError(str(problem)) from problem


def contains(whole: object, less: object) -> bool:
    """Claim that JSON holds nothing that other JSON does not, as ``@>`` does."""
    match whole, less:
        case dict(), dict():
            return all(key in whole and contains(whole[key], less[key]) for key in less)
        case list(), list():
            return all(any(contains(one, other) for one in whole) for other in less)
        case _:
            return whole == less


def from_json(written: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON that is to be stored; what Postgres refuses in it is refused."""
    if "\\u0000" in written and _NUL.search(written):
        raise asyncpg.UntranslatableCharacterError("a text cannot hold a NUL")
    try:
        return json.loads(written, parse_constant=_no_number, parse_float=_finite)
    except ValueError as problem:
        raise asyncpg.InvalidTextRepresentationError(str(problem)) from problem


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number without end")
    return number


Coerce = Callable[[Any], Any]

TYPES: Final[Mapping[str, Coerce]] = {
    "text": text,
    "integer": partial(whole, bound=INTEGER),
    "bigint": partial(whole, bound=BIGINT),
    "real": single,
    "float8": float,
    "boolean": boolean,
    "uuid": uuid,
    "timestamptz": moment,
    "bytea": octets,
    "jsonb": jsonb,
}


def written(value: object) -> str:
    """Say a value that JSON has no word for; ``TYPES`` read it back."""
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            raise TypeError(f"no value of a row: {type(value).__name__}")
